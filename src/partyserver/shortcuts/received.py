"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from typing import Any

from pyodide.ffi import JsProxy

from . import switch
from .box import Box

_NOTHING = object()

message: Any = _NOTHING
#: What JavaScript brought it in, if it did not come by a box.
came_as: JsProxy | None = None
#: From there it is sent sooner than as its `payload`.
box: Box | None = None


def begin(content: str | bytes, as_it_came: JsProxy) -> None:
    """Until `end`, `content` is sent on as what it came as.

    Nothing is left of the message before, whose hook may block and not have ended.
    """
    global message, came_as, box
    if switch.enabled:
        message, came_as, box = content, as_it_came, None


def begin_in_box(content: str, its_box: Box) -> None:
    """Until `end`, `content` is sent on as what is in the box."""
    global message, came_as, box
    message, came_as, box = content, None, its_box


def payload() -> JsProxy:
    """What JavaScript's `send` takes for the message."""
    global came_as
    if came_as is None:
        assert box is not None
        came_as = box.payload()
    return came_as


def end() -> None:
    global message, came_as, box
    message, came_as, box = _NOTHING, None, None
