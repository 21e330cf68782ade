from typing import Any, Protocol

from partyserver import (
    ClientError,
    Connection,
    Lobby,
    Server,
    route_partykit_request,
)
from workers import Request, Response, WorkerEntrypoint


class Env(Protocol):
    Wall: Any
    LIMITER: Any  # a rate limiting binding


class Wall(Server[Env]):
    options = {
        "hibernate": True,
        "rate": {"messages": 5, "per": 1.0, "burst": 10, "action": "drop"},
        "max_connections": 200,
        "max_message_size": 2048,
    }

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        self.broadcast(message)

    def on_rate_limited(self, connection: Connection) -> None:
        raise ClientError("slow down", code="rate")


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(
            request, self.env, on_before_connect=self.check, on_before_request=self.check
        )
        return answer or Response("Not Found", status=404)

    async def check(self, request: Request, lobby: Lobby) -> None:
        """So many connections and requests a minute, for each address."""
        address = request.headers.get("cf-connecting-ip") or ""
        outcome = await self.env.LIMITER.limit({"key": f"{lobby.party}:{address}"})
        if not outcome["success"]:
            raise ClientError("too many requests", status=429, code="rate")
