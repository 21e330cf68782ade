from typing import Any, Protocol

from partyserver import Connection, ConnectionContext, Server, route_partykit_request
from workers import Request, Response, WorkerEntrypoint


class Env(Protocol):
    """What the worker has of wrangler.toml: bindings, variables, and secrets beside them."""

    Chat: Any


class Chat(Server[Env]):
    options = {"hibernate": True}

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        connection.send(f"welcome to {self.name}")

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        self.broadcast(message, exclude=[connection.id])


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
