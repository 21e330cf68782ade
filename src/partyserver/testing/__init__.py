"""The testing kit: a pytest plugin that runs a worker on the real runtime.

It is registered by itself once `partyserver[testing]` is installed, and gives the fixture `party`.
Nothing here needs the worker to use partyserver: any Python Worker with Durable Objects will do.
"""

from .logs import LogLine, Logs
from .party import Party, Room
from .socket import Socket, SocketClosedError, UpgradeError

__all__ = ["LogLine", "Logs", "Party", "Room", "Socket", "SocketClosedError", "UpgradeError"]
