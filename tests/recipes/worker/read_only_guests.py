import hmac
from typing import Any, Protocol

from partyserver import (
    ClientError,
    Connection,
    ConnectionContext,
    Lobby,
    Server,
    auth_of,
    route_partykit_request,
)
from workers import Request, Response, WorkerEntrypoint


class Env(Protocol):
    Board: Any
    LINK_SECRET: str


class Board(Server[Env]):
    options = {"hibernate": True, "max_message_size": 16 * 1024}

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        may_edit = connection.auth["edit"]
        connection.send_json({"type": "board", "text": self.kv.get("text", ""), "edit": may_edit})

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        if not connection.auth["edit"]:
            raise ClientError("you may only read", code="read-only")  # they stay connected
        if isinstance(message, str):
            self.kv["text"] = message
            self.broadcast_json({"type": "text", "text": message}, exclude=[connection])

    def on_request(self, request: Request) -> Response:
        if request.method != "GET" and not auth_of(request)["edit"]:
            raise ClientError("you may only read", status=403, code="read-only")
        return Response.from_json({"text": self.kv.get("text", "")})


def key_of(board: str, secret: str) -> str:
    """The part of a link that lets its holder edit this board: /board/plans#key=..."""
    return hmac.new(secret.encode(), board.encode(), "sha256").hexdigest()[:32]


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(
            request, self.env, on_before_connect=self.who, on_before_request=self.who
        )
        return answer or Response("Not Found", status=404)

    def who(self, request: Request, lobby: Lobby) -> dict[str, bool]:
        key = lobby.query.get("key")
        if key is None:
            return {"edit": False}
        expected = key_of(f"{lobby.party}/{lobby.name}", self.env.LINK_SECRET)
        if not hmac.compare_digest(key.encode(), expected.encode()):
            raise ClientError("this link is not valid", status=403, code="link")
        return {"edit": True}
