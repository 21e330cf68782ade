"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from collections.abc import Callable

from pyodide.ffi import JsProxy

from . import switch

message: str | bytes | None = None
_came_as: Callable[[], JsProxy] | None = None
_payload: JsProxy | None = None
#: Sends it to a socket, where that is cheaper than `payload`.
send_to: Callable[[JsProxy], None] | None = None


def begin(
    content: str | bytes,
    came_as: Callable[[], JsProxy],
    send: Callable[[JsProxy], None] | None = None,
) -> None:
    """Until `end`, `content` is sent on as what JavaScript brought it in.

    Nothing is left of the message before, whose hook may block and not have ended.
    """
    global message, _came_as, _payload, send_to
    message, _came_as, _payload, send_to = content, came_as, None, send


def begin_binary(buffer: JsProxy) -> bytes:
    """`begin` with a buffer's bytes, which are returned."""
    content: bytes = buffer.to_bytes()
    if switch.enabled:
        begin(content, lambda: buffer)
    return content


def payload() -> JsProxy:
    """What JavaScript's `send` takes for the message."""
    global _payload
    if _payload is None:
        assert _came_as is not None
        _payload = _came_as()
    return _payload


def end() -> None:
    global message, _came_as, _payload, send_to
    message = _came_as = _payload = send_to = None
