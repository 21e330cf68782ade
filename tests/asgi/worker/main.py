"""The worker of the ASGI tests: several apps, of which the header `x-site` chooses one.

plain     a bare ASGI app, which does what the tests tell it (plain.py)
fastapi   a FastAPI app beside rooms, with hooks and on_error (site.py)
inside    a Starlette app with PartyServerMiddleware in it (inside.py)
hidden    the same, behind a wrapper that the entrypoint cannot look through
lazy      a FastAPI app that is imported when it is first needed
failing   an app that fails to start every other time
slow      an app that takes its time to start
leaving   FastAPI and bare apps whose clients leave (leaving.py)
acting    apps whose code fails, and returns, in many ways (places.py)
others    apps whose requests reach for those of others (others.py)
guests    apps that ask who a request is from, and tell clients something (guests.py)
"""

import guests
import inside
import leaving
import lifespans
import others
import places
import plain
import site_app
from guests import Guests  # noqa: F401 -- bound in wrangler.toml
from partyserver import Server
from partyserver.asgi import entrypoint, respond
from room_app import app as room_app
from workers import Response, WorkerEntrypoint


class Chat(Server):
    """Answers HTTP with a FastAPI app that sees the room."""

    options = {"hibernate": True}

    def on_connect(self, connection, ctx):
        connection.send_json(["user", ctx.request.headers.get("x-user")])

    def on_message(self, connection, message):
        self.broadcast(message)

    async def on_request(self, request):
        if request.url.endswith("/gzip"):
            return Response("y" * 1000, headers={"content-encoding": "gzip", "x-room": self.name})
        if request.url.endswith("/echo"):
            return Response(await request.text())
        return await respond(room_app, request, self.env, server=self)


class Broken(Server):
    def __init__(self, ctx, env):
        raise ZeroDivisionError("this room cannot be made")


SITES = {
    "plain": entrypoint(plain.app),
    "fastapi": entrypoint(
        site_app.app,
        on_before_connect=site_app.before_connect,
        on_before_request=site_app.before_request,
        on_error=site_app.on_error,
        cors={"access-control-allow-origin": "https://example.com"},
    ),
    "fastapi-quiet": entrypoint(site_app.app, on_before_request=site_app.before_request),
    "inside": entrypoint(inside.app),
    "hidden": entrypoint(inside.wrapped),
    "hidden-told": entrypoint(inside.wrapped, prefix=None),
    "lazy": entrypoint("lazy_app:app"),
    "failing": entrypoint(lifespans.failing),
    "slow": entrypoint(lifespans.slow),
    "none": entrypoint(lifespans.none),
    "leaving": entrypoint(leaving.beside),
    "leaving-behind": entrypoint(leaving.behind),
    "leaving-bare": entrypoint(leaving.bare),
    "others": entrypoint(others.app),
    "others-bare": entrypoint(others.bare),
    "prefixed": entrypoint(plain.app, prefix="api/rooms"),
    **places.SITES,
    **guests.SITES,
}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await SITES[request.headers["x-site"]].fetch(self, request)
