"""What an app raises when its client has left: no error, if nothing else is in it."""

from __future__ import annotations

import asyncio


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
