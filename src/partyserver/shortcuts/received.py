"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.ffi import JsProxy

from . import switch
from .box import content

NOTHING = object()

message: Any = NOTHING
#: What JavaScript brought it in; None if it came by a box.
came_as: JsProxy | None = None


def begin(content: bytes, as_it_came: JsProxy) -> None:
    """Until `end`, `content` is sent on as what it came as.

    Nothing is left of the message before, whose hook may block and not have ended.
    """
    global message, came_as
    if switch.enabled:
        message, came_as = content, as_it_came


def payload() -> JsProxy:
    """What JavaScript's `send` takes for the message."""
    global came_as
    if came_as is None:
        came_as = content().payload()
    return came_as


def sender(socket: JsProxy) -> Callable[[], None]:
    """A function that has `socket` send the message, whenever that has come by a box."""
    return content().sender(socket)


def end() -> None:
    global message, came_as
    message, came_as = NOTHING, None
