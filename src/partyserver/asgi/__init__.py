"""Rooms beside an ASGI app: FastAPI, Starlette, or any other.

    app = FastAPI()
    Default = partyserver.asgi.entrypoint(app)

`/parties/:party/:room` goes to rooms, everything else to the app, its own WebSocket routes
included. `PartyServerMiddleware` puts the rooms into the app instead, and `respond` puts an
app into a room.

An app that imports the middleware can also be imported, and tested, by an ordinary Python.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .middleware import PartyServerMiddleware

if TYPE_CHECKING:
    from .worker import entrypoint, respond

__all__ = ["PartyServerMiddleware", "entrypoint", "respond"]


if not TYPE_CHECKING:  # for checkers, the names above are all that there are

    def __getattr__(name: str) -> Any:
        if name not in ("entrypoint", "respond"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(".worker", __name__), name)
