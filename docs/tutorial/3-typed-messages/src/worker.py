from typing import Annotated, Any, ClassVar, Protocol
from urllib.parse import urlsplit

from login import Login, Secrets, log_in, login_of
from partyserver import Connection, ConnectionContext, Lobby, Server, route_partykit_request
from partyserver.events import Event, Events, Meta, on
from workers import Request, Response, WorkerEntrypoint


class Env(Secrets, Protocol):
    """What the worker has of wrangler.toml: bindings, variables, and secrets beside them."""

    Chat: Any


class Say(Event):
    """From the page: what somebody says."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class Welcome(Event):
    """To the page: who it is logged in as."""

    name: str


class Said(Event):
    name: str
    text: str


class Chat(Events, Server[Env]):
    options = {"hibernate": True}
    sends: ClassVar = (Welcome, Said)

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        self.emit(Welcome(connection.auth["name"]), to=connection)

    @on
    def say(self, connection: Connection, event: Say) -> None:
        self.emit(Said(connection.auth["name"], event.text))


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        if request.method == "POST" and urlsplit(request.url).path == "/login":
            return await log_in(request, self.env)
        answer = await route_partykit_request(
            request,
            self.env,
            on_before_connect=self.who,
            on_before_request=self.who,
            allowed_origins=[],  # the pages of this worker alone, and of no other site
        )
        return answer or Response("Not Found", status=404)

    def who(self, request: Request, lobby: Lobby) -> Login:
        return login_of(request, self.env)
