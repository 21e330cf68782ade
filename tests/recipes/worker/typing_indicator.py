from typing import Annotated, ClassVar

from partyserver import (
    ClientError,
    Connection,
    ConnectionContext,
    Lobby,
    Server,
    route_partykit_request,
)
from partyserver.events import Event, Events, Meta, on
from partyserver.presence import Presence
from workers import Request, Response, WorkerEntrypoint


class Typing(Event):  # {"type": "typing", "now": true}
    now: bool


class Say(Event):
    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class Said(Event):
    by: str
    text: str


class Chat(Events, Presence, Server):
    options = {"hibernate": True}
    sends: ClassVar = (Said,)

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        self.show(connection, typing=False)

    @on
    def typing(self, connection: Connection, event: Typing) -> None:
        self.show(connection, event.now)

    @on
    def say(self, connection: Connection, event: Say) -> None:
        self.show(connection, typing=False)
        self.emit(Said(connection.auth["user"], event.text))

    def show(self, connection: Connection, typing: bool) -> None:
        """The others hear of it, if it has changed."""
        self.track(connection, connection.auth["user"], {"typing": typing})


def who(request: Request, lobby: Lobby) -> dict[str, str]:
    name = lobby.query.get("name", "").strip()
    if not 1 <= len(name) <= 32:
        raise ClientError("a name has 1 to 32 characters", code="name")
    return {"user": name}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env, on_before_connect=who)
        return answer or Response("Not Found", status=404)
