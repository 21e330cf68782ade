"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from collections.abc import Callable

from pyodide.ffi import JsProxy

from . import switch

message: str | bytes | None = None
_payload: JsProxy | None = None
_make_payload: Callable[[], JsProxy] | None = None


def binary(buffer: JsProxy) -> bytes:
    """The bytes of a message; until `forget` they are sent on as the buffer they came in."""
    global message, _payload
    content: bytes = buffer.to_bytes()
    if switch.enabled:
        message, _payload = content, buffer
    return content


def text(content: str, make_payload: Callable[[], JsProxy]) -> str:
    """A text that until `forget` is sent on as what `make_payload` then makes."""
    global message, _make_payload
    message, _make_payload = content, make_payload
    return content


def payload() -> JsProxy:
    """What JavaScript's `send` takes for the message."""
    global _payload
    if _payload is None:
        assert _make_payload is not None
        _payload = _make_payload()
    return _payload


def forget() -> None:
    global message, _payload, _make_payload
    message = _payload = _make_payload = None
