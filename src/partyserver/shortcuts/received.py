"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.ffi import JsProxy

from . import switch
from .box import slot

NOTHING = object()

#: `Dispatch` sets both itself for what comes by a box, which is the hottest path.
message: Any = NOTHING
#: What JavaScript brought it in; None if it came by a box, whose slot has it.
came_as: JsProxy | None = None


def begin(as_bytes: bytes, as_it_came: JsProxy) -> None:
    """Until `end`, these bytes are sent on as what they came as.

    Nothing is left of the message before, whose hook may block and not have ended.
    """
    global message, came_as
    if switch.enabled:
        message, came_as = as_bytes, as_it_came


def payload() -> JsProxy:
    """What JavaScript's `send` takes for the message."""
    global came_as
    if came_as is None:
        came_as = slot().payload()
    return came_as


def sender(socket: JsProxy) -> Callable[[], None]:
    """A function that has `socket` send the message, whenever that has come by a box."""
    return slot().sender(socket)


def end() -> None:
    global message, came_as
    message, came_as = NOTHING, None
