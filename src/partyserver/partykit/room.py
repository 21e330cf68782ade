"""`Room`: what a party is given of the room that it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..connection import Connection
from ..environment import Env, EnvHolder
from ..server import Server
from .lobby import Context
from .project import Project
from .storage import Storage


class Room(EnvHolder[Env]):
    """The room that a party's instance runs: its id, connections, storage and surroundings."""

    storage: Storage
    """The room's key-value storage."""

    def __init__(self, server: Server[Env], project: Project | None, storage: Storage) -> None:
        self._server = server
        self._project = project
        self.storage = storage

    @property
    def id(self) -> str:
        """The room's id, exactly as the URL carries it: not percent-decoded."""
        return self._server.name

    @property
    def internal_id(self) -> str:
        """The platform's id of the Durable Object: 64 hexadecimal digits."""
        id = self._server.ctx.id
        return id if isinstance(id, str) else str(id.toString())

    @property
    def env(self) -> Env:
        """The worker's variables and bindings: `room.env.API_KEY`. `Room[Env]` gives them types."""
        return self._server.env

    @property
    def context(self) -> Context:
        """The project's other parties, AI and Vectorize."""
        if self._project is None:
            party = type(self._server).__name__
            raise LookupError(f"{party} belongs to no project: give it to partykit.entrypoint()")
        return Context(self._project, self._server.env)

    def broadcast(
        self, message: str | bytes | bytearray | memoryview, without: Iterable[str] = ()
    ) -> None:
        """Send a message to every open connection but those with the ids in `without`."""
        self._server.broadcast(message, without)

    def get_connection(self, id: str) -> Connection | None:
        """The open connection with this id."""
        return self._server.get_connection(id)

    def get_connections(self, tag: str | None = None) -> Iterator[Connection]:
        """The open connections, or those that carry the tag."""
        return self._server.get_connections(tag)

    def __repr__(self) -> str:
        return f"<Room {self.id!r} of {type(self._server).__name__}>"
