"""The message that is being received: sent on while its hook runs, it goes as it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pyodide.ffi import JsProxy

from ..runtime import sockets
from . import switch
from .copying import holder

#: In the place of a payload: the message is in JavaScript, in the holder.
HELD: Final[Any] = object()

_NONE: Final = object()


class CurrentMessage:
    """The one of the process: Python runs one event at a time.

    Attributes:
        content: the message as its hook has it; something else while there is none.
        payload: what JavaScript brought it in, or `HELD`.
    """

    __slots__ = ("content", "payload")

    def __init__(self) -> None:
        self.content: Any = _NONE
        self.payload: Any = None

    def begin(self, content: bytes, payload: JsProxy) -> None:
        """Until `end`, this content is sent on as what it came as.

        Nothing is left of the message before, whose hook may block and not have ended.
        """
        if switch.enabled:
            self.content, self.payload = content, payload

    def end(self) -> None:
        self.content, self.payload = _NONE, None

    def outgoing(self, message: Any) -> Any:
        """What JavaScript's `send` takes for a message; `TypeError` if it is no message."""
        if message is not self.content:
            return sockets.sendable(message)
        if self.payload is HELD:
            self.payload = holder().payload()
        return self.payload


current = CurrentMessage()


def sender(socket: JsProxy) -> Callable[[], None]:
    """A function that has `socket` send the message, whenever that is held."""
    return holder().sender(socket)
