"""Servers that are asked, named and given props before they have started."""

import asyncio

from partyserver import Server, get_server_by_name
from workers import Response


class Begun(Server):
    """Tells what has started it; a room called `broken` cannot start."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.starts = []
        self.failures = []

    async def on_start(self, props=None):
        await asyncio.sleep(0)
        if self.ctx.id.name == "broken":
            raise RuntimeError("this room cannot start")
        try:
            name = self.name
        except Exception:
            name = None
        self.starts.append([name, props])

    def seen(self):
        return self.starts

    async def begin(self, name, props=None):
        before = list(self.starts)
        try:
            await self.set_name(name, props)
        except Exception as error:
            return [before, f"{type(error).__name__}: {error}"]
        return [before, self.seen()]

    async def begin_twice(self, name, props):
        """Two calls at once: one starts it, and what the other brings is not lost in silence."""
        one, other = await asyncio.gather(
            self.set_name(name, props), self.set_name(name, "other"), return_exceptions=True
        )
        return [repr(one), repr(other), self.starts]

    async def call_itself(self):
        return [self.seen(), self.twice(2)]

    def twice(self, number):
        return number * 2

    def on_exception(self, error):
        self.failures.append([type(error).__name__, self.twice(1)])

    async def fetch(self, request):
        if request.url.endswith("/failures"):
            return Response.from_json(self.failures)
        if request.url.endswith("/health"):
            return Response.from_json(["healthy", self.starts, self.twice(4)])
        if request.url.endswith("/named"):
            await self.set_name("by its fetch", {"from": "fetch"})
        return await super().fetch(request)

    def on_connect(self, connection, ctx):
        connection.send_json(self.starts)

    def on_message(self, connection, message):
        connection.send_json(self.starts)

    def on_request(self, request):
        return Response.from_json(self.starts)


class BegunSleepy(Begun):
    options = {"hibernate": True}


async def refusal(awaitable):
    try:
        return await awaitable
    except Exception as error:
        return str(error).strip().splitlines()[-1]


async def look(worker, binding):
    """What objects without a name, and with one, answer to calls that come before their start."""
    namespace = getattr(worker.env, binding)
    unnamed = namespace.newUniqueId
    answers = {}

    room = namespace.get(unnamed())
    answers["without a name"] = [await room.seen(), await room.call_itself()]
    answers["named by a method"] = await room.begin("given", {"n": 1})
    answers["named again"] = await room.begin("given", {"n": 2})
    answers["named again, without props"] = await room.begin("given")
    answers["named otherwise"] = await room.begin("other")

    room = namespace.get(unnamed())
    answers["named twice at once"] = await room.begin_twice("given", {"n": 1})

    room = namespace.get(unnamed())
    answers["named by its fetch"] = await (await room.fetch("https://room/named")).text()

    room = namespace.get(unnamed())
    response = await room.fetch("https://room/")
    answers["fetched without a name"] = [response.status, await room.seen()]

    room = namespace.getByName("by set_name")
    await room.set_name("by set_name", {"n": 1})
    answers["a named one by set_name"] = await room.seen()
    answers["and again"] = await refusal(room.set_name("by set_name", {"n": 1}))
    await room.setName("by set_name", {"n": 3})
    answers["and by a router"] = await room.seen()

    room = namespace.getByName("by a call")
    answers["a named one by a call"] = await room.begin("by a call", {"n": 1})

    room = namespace.getByName("by bad props")
    answers["props that are no JSON"] = [
        await refusal(room.set_name("by bad props", {"n": [float("nan")]})),
        await refusal(get_server_by_name(namespace, "x", props={"n": [float("nan")]})),
        await refusal(get_server_by_name(namespace, "x", props={"n": b"bytes"})),
    ]
    return answers
