"""What an app raises when its client has left: no error, if nothing else is in it."""

from __future__ import annotations

import asyncio
from traceback import clear_frames


class ClientDisconnected(OSError):
    """What `send` raises when nobody is left to send to."""


#: What frameworks make of it, none of which is there to be imported: Starlette and FastAPI,
#: Litestar, Falcon.
_NAMES = frozenset({"ClientDisconnect", "WebSocketDisconnect", "WebSocketDisconnected"})


def is_departure(error: BaseException) -> bool:
    """Whether an exception of an app whose client has left tells of just that.

    A cancellation is how tasks are taken down when one of them has noticed. In a group, every
    exception must be one of these; what was raised `from` one is an error of the app's own.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_departure(one) for one in error.exceptions)
    if isinstance(error, ClientDisconnected | asyncio.CancelledError):
        return True
    return any(kind.__name__ in _NAMES for kind in type(error).__mro__)


def let_go(error: BaseException) -> None:
    """Free what the frames of a departure hold, the app's generators with it.

    Task groups make cycles of their exceptions, which would wait for the garbage collector.
    """
    pending, seen = [error], set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        clear_frames(one.__traceback__)
        pending += [link for link in (one.__cause__, one.__context__) if link is not None]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
