from typing import Any, Protocol
from urllib.parse import urlsplit

from login import Login, Secrets, log_in, login_of
from partyserver import Connection, ConnectionContext, Lobby, Server, route_partykit_request
from workers import Request, Response, WorkerEntrypoint


class Env(Secrets, Protocol):
    """What the worker has of wrangler.toml: bindings, variables, and secrets beside them."""

    Chat: Any


class Chat(Server[Env]):
    options = {"hibernate": True}

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        connection.send_json({"type": "welcome", "name": connection.auth["name"]})

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        name = connection.auth["name"]
        self.broadcast_json({"type": "said", "name": name, "text": str(message)})


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
