"""PartyKit's Server API: a PartyKit server, ported line by line.

from partyserver import partykit

class Main(partykit.Server):
    def on_message(self, message, sender):
        self.room.broadcast(message, [sender.id])

Default = partykit.entrypoint(Main)
"""

# First, because outside of Cloudflare's runtime this import says what to do.
from .. import Connection, ConnectionContext, Server as _Server  # noqa: F401, I001

from workers import Request

from .cron import Cron
from .entrypoint import entrypoint
from .errors import MissingBindingError, StorageLimitError, UnknownPartyError
from .lobby import Context, CronLobby, FetchLobby, Lobby
from .parties import Parties, Party, Stub
from .room import Room
from .server import Server
from .socket import FetchSocket, Socket, SocketEvent
from .storage import Storage, Transaction

__all__ = [
    "Connection",
    "ConnectionContext",
    "Context",
    "Cron",
    "CronLobby",
    "FetchLobby",
    "FetchSocket",
    "Lobby",
    "MissingBindingError",
    "Parties",
    "Party",
    "Request",
    "Room",
    "Server",
    "Socket",
    "SocketEvent",
    "Storage",
    "StorageLimitError",
    "Stub",
    "Transaction",
    "UnknownPartyError",
    "entrypoint",
]
