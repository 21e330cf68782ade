"""The testing kit: a pytest plugin that runs a worker on the real runtime.

It is registered by itself once `partyserver[testing]` is installed, and gives the fixture `party`.
Nothing here needs the worker to use partyserver: any Python Worker with Durable Objects will do.
"""

from .errors import RuntimeLostError
from .logs import LogLine, Logs
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
