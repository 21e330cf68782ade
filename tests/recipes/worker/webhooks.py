import hmac
from typing import Protocol

from partyserver import ClientError, Lobby, Server, parse_json, route_partykit_request
from workers import Request, Response, WorkerEntrypoint

MAX_BYTES = 256 * 1024


class Env(Protocol):
    WEBHOOK_SECRET: str


class Repository(Server[Env]):
    options = {"hibernate": True}
    migrations = ["create table delivery (id text primary key, at integer default (unixepoch()))"]

    async def on_request(self, request: Request) -> Response:
        match parse_json(await request.bytes()):
            case {"action": str(action)}:
                pass
            case dict():
                action = ""  # a push, for one
            case _:
                raise ClientError("this is no event", status=400)
        kind = request.headers.get("x-github-event")
        delivery = request.headers.get("x-github-delivery") or ""
        if not 0 < len(delivery) <= 100:
            raise ClientError("this is no delivery", status=400)
        if self.sql("select 1 from delivery where id = ?", delivery):
            return Response("had it already")  # who sends webhooks sends some of them twice
        self.sql("insert into delivery (id) values (?)", delivery)
        self.sql("delete from delivery where at < unixepoch() - 7 * 86400")
        self.broadcast_json({"type": "webhook", "kind": kind, "action": action})
        return Response("thank you")


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env, on_before_request=self.check)
        return answer or Response("Not Found", status=404)

    async def check(self, request: Request, lobby: Lobby) -> None:
        """Let in what is signed with the secret, as GitHub signs."""
        if request.method != "POST":
            raise ClientError("a webhook is a POST", status=405)
        length = request.headers.get("content-length") or ""
        if not length.isdecimal() or int(length) > MAX_BYTES:
            raise ClientError("the body is too large, or says no length", status=413)
        secret = self.env.WEBHOOK_SECRET.encode()
        expected = "sha256=" + hmac.new(secret, await request.bytes(), "sha256").hexdigest()
        given = request.headers.get("x-hub-signature-256") or ""
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise ClientError("the signature is wrong", status=401)
