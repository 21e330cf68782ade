"""Who somebody is, what a client is told, and how much of it a room takes."""

import asyncio
import json
from types import MappingProxyType

import js
from partyserver import (
    ClientError,
    Server,
    auth_of,
    get_server_by_name,
    parse_json,
    path_of,
    query_of,
    route_partykit_request,
)
from workers import Request, Response

KEY = "partyserver-auth"

#: What hooks before a room answer, by the name in `?who=`.
IDENTITIES = {
    "nobody": None,
    "empty": {},
    "ada": {"user": "ada", "roles": ["admin"], "n": 1.0, "10": 1, "2": "ü\ud800"},
    "proxy": MappingProxyType({"user": "proxy"}),
    "long": {"x": "a" * 4088},
    "too long": {"x": "a" * 4089},
    "not json": {"x": object()},
    "infinite": {"x": float("inf")},
    "a list": [{"user": "ada"}],
    "a pair": ({"user": "ada"}, {"user": "ada"}),
}


class Untold(ClientError):
    """It has forgotten its base."""

    def __init__(self, left): ...


#: Never freed: even that overflows the stack.
DEEP = []
for _ in range(100_000):
    DEEP = [DEEP]


def before(request, lobby):
    who = lobby.query.get("who")
    if who is None:
        return None
    if who == "told":
        raise ClientError(f"no way to {lobby.path or 'the room'}", status=403, code="locked")
    if who == "untold":
        raise Untold(5)
    if who == "forging":
        forged = js.Object.new()
        setattr(forged, KEY, json.dumps({"user": "root"}))
        return Request(js.Request.new(request.js_object, cf=forged))
    if who.startswith("with "):
        headers = [("x-seen", "by the hook"), *request.headers.items()]
        return Request(request, headers=headers), IDENTITIES[who.removeprefix("with ")]
    return IDENTITIES[who]


async def before_async(request, lobby):
    await asyncio.sleep(0)
    return before(request, lobby)


class Guests(Server):
    def get_connection_tags(self, connection, ctx):
        if ctx.query.get("fail") == "tags":
            raise ClientError("no such tag")
        return ["known"] if ctx.auth else []

    async def on_connect(self, connection, ctx):
        if ctx.query.get("fail") == "connect":
            connection.send("first")
            await asyncio.sleep(0)
            raise ClientError("not here: " + "ü" * 100, code=7)
        connection.send_json([ctx.auth, ctx.path, dict(ctx.query), ctx.query.get_all("a")])

    def on_message(self, connection, message):
        if message == "who":
            connection.send_json([connection.auth, dict(connection.query), list(connection.tags)])
        elif message == "state":
            connection.set_state({"n": 1})
            connection.send_json([connection.auth, connection.state])
        elif message == "too large":
            try:
                connection.set_state("x" * 16_000)
            except ValueError as error:
                connection.send(str(error))
        elif message == "deep":
            for send in (connection.send_json, self.broadcast_json):
                try:
                    send(DEEP)
                except ValueError as error:
                    connection.send(str(error))
        elif message == "told":
            raise ClientError("not now", code="later")
        elif message == "untold":
            raise Untold(5)
        elif message == "closed and told":
            connection.close(4000)
            raise ClientError("nobody hears it")
        else:
            return self.told_later(message)
        return None

    async def told_later(self, message):
        await asyncio.sleep(0)
        raise Untold(5) if message == "untold later" else ClientError(message)

    async def on_request(self, request):
        if path_of(request) == "told":
            await asyncio.sleep(0)
            raise ClientError("gone", status=410, code="gone")
        if path_of(request) == "starts":
            return Response.from_json(self.failures)
        return Response.from_json(
            [auth_of(request), path_of(request), dict(query_of(request)), request.headers["x-seen"]]
            if "x-seen" in request.headers
            else [auth_of(request), path_of(request), dict(query_of(request))]
        )

    async def fetch(self, request):
        if request.url.endswith("/early"):
            raise ClientError("not this early")
        return await super().fetch(request)

    failures = 0

    def on_exception(self, error):
        self.failures += 1

    def told(self):
        try:
            raise LookupError("a secret")
        except LookupError:
            raise ClientError("not by a call", code="call")  # noqa: B904


class GuestsSleepy(Guests):
    options = {"hibernate": True}


class Unready(Server):
    """Its start tells a client something, which is none of a client's business."""

    def on_start(self, props=None):
        raise ClientError("a secret of the start")

    def on_exception(self, error):
        js.console.log(f"on_exception: {error!r}")


class Hopeful(Server):
    """Defines a hook of a mixin that it has not."""

    def on_join(self, key, meta): ...


class Dropping(Server):
    options = {"rate": {"messages": 1, "per": 3600, "burst": 3, "action": "drop"}}

    def on_start(self, props=None):
        self.dropped = []

    def on_message(self, connection, message):
        connection.send_json(["got", message, self.dropped])

    async def on_rate_limited(self, connection):
        await asyncio.sleep(0)
        self.dropped.append(connection.id)
        if self.dropped.count(connection.id) == 5:
            raise ClientError("5 messages were dropped", code="rate")


class DroppingSleepy(Dropping):
    options = {"hibernate": True}


class Closing(Server):
    options = {"rate": {"messages": 2, "per": 3600}}

    def on_message(self, connection, message):
        connection.send(message)

    def on_close(self, connection, code, reason, was_clean):
        self.broadcast_json(["left", connection.id], exclude=[connection])


class ClosingSleepy(Closing):
    options = {"hibernate": True}


class Small(Server):
    options = {"max_connections": 2}

    async def get_connection_tags(self, connection, ctx):
        await asyncio.sleep(0.01)

    def on_connect(self, connection, ctx):
        connection.send_json(len(list(self.get_connections())))

    def on_request(self, request):
        return Response("an HTTP request")


class SmallSleepy(Small):
    options = {"hibernate": True, "duplicate_ids": "replace"}


async def route(worker, path, request):
    """`/guests/routed/...` by the router with hooks, `/guests/straight/<how>/...` past it."""
    if path.startswith("/guests/routed/"):
        return await route_partykit_request(
            request,
            worker.env,
            prefix="guests/routed",
            on_before_connect=before_async,
            on_before_request=before,
        )
    how = path.split("/")[3]
    if how == "call":
        stub = await get_server_by_name(worker.env.Guests, "room")
        try:
            await stub.told()
        except Exception as error:
            return Response.from_json([type(error).__name__, str(error)])
    namespace = worker.env.Guests._binding
    stub = namespace.get(namespace.idFromName("room"))
    cf = js.Object.new()
    if how != "bare":
        setattr(cf, KEY, hostile(how))
    forged = js.Request.new(request.js_object, cf=cf)
    return Response(await stub.fetch(forged))


def hostile(how):
    match how:
        case "trusted":
            return json.dumps({"user": "trusted"})
        case "no-text":
            return 7
        case "no-json":
            return "{"
        case "no-object":
            return "[]"
        case "long":
            return json.dumps({"x": "a" * 5000})
        case "deep":
            return '{"x":' + "[" * 2000 + "]" * 2000 + "}"
    return parse_json("null")
