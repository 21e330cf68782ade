"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from pyodide.ffi import JsProxy

from . import switch
from .box import Box

message: str | bytes | None = None
_payload: JsProxy | None = None
_box: Box | None = None


def binary(buffer: JsProxy) -> bytes:
    """The bytes of a message; until `forget` they are sent on as the buffer they came in."""
    global message, _payload
    content: bytes = buffer.to_bytes()
    if switch.enabled:
        message, _payload = content, buffer
    return content


def text(content: str, box: Box) -> str:
    """A text that came by the box; until `forget` it is sent on from there."""
    global message, _box
    message, _box = content, box
    return content


def payload() -> JsProxy:
    """What JavaScript's `send` takes for the message."""
    global _payload
    if _payload is None:
        assert _box is not None
        _payload = _box.text()
    return _payload


def forget() -> None:
    global message, _payload, _box
    message = _payload = None
    if _box is not None:
        _box.empty()
        _box = None
