"""Whose event runs: the connection that it is of, as lines of the log tell it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

#: In an event of a connection, and in the tasks that it starts; None in any other. Messages set it
#: only where somebody has asked for that.
current: ContextVar[Any] = ContextVar("connection", default=None)

_is_wanted = False


def want() -> None:
    """Have messages set it, too, in rooms that are constructed from now on."""
    global _is_wanted
    _is_wanted = True


def of_messages(receive: Callable[..., Any]) -> Callable[..., Any]:
    """What receives messages, each in a context of its own: as it is, if nobody has asked."""
    if not _is_wanted:
        return receive

    def receive_attributed(connection: Any, message: str | bytes, *run: Any) -> Any:
        current.set(connection)
        return receive(connection, message, *run)

    return receive_attributed
