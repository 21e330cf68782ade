"""The testing kit: a pytest plugin that runs a worker on the real runtime.

It is registered by itself once `partyserver[testing]` is installed, and gives the fixture `party`.
Nothing here needs the worker to use partyserver: any Python Worker with Durable Objects will do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import RuntimeLostError
from .logs import LogLine, Logs

if TYPE_CHECKING:
    from .party import AlarmError, Party, Room
    from .socket import Socket, SocketClosedError, UpgradeError

__all__ = [
    "AlarmError",
    "LogLine",
    "Logs",
    "Party",
    "Room",
    "RuntimeLostError",
    "Socket",
    "SocketClosedError",
    "UpgradeError",
]

#: What needs the packages of `partyserver[testing]`. pytest loads the plugin wherever partyserver
#: is installed, and must run there without them.
_WITH_CLIENTS = {
    **dict.fromkeys(("AlarmError", "Party", "Room"), "party"),
    **dict.fromkeys(("Socket", "SocketClosedError", "UpgradeError"), "socket"),
}


if not TYPE_CHECKING:  # for checkers, the names above are all that there are

    def __getattr__(name: str) -> Any:
        if name not in _WITH_CLIENTS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = import_module(f"{__name__}.{_WITH_CLIENTS[name]}")
        except ModuleNotFoundError as error:
            if error.name and error.name.partition(".")[0] in ("httpx", "websockets"):
                message = f"the testing kit needs {error.name}: pip install 'partyserver[testing]'"
                raise ModuleNotFoundError(message, name=error.name) from None
            raise
        found = globals()[name] = getattr(module, name)
        return found
