"""What uses one binding of each kind, as a test asks for it by the path."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from partyserver import Server, get_server_by_name
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint


class Counter(Server):
    """It counts, and keeps what has happened elsewhere for the tests to see."""

    def on_start(self):
        self.sql("create table if not exists events (kind text, what text)")

    def add(self, kind, what):
        self.sql("insert into events values (?, ?)", kind, what)

    def list(self, kind):
        return [row["what"] for row in self.sql("select what from events where kind = ?", kind)]


class Renamed(Counter):
    pass


class Greeter(WorkerEntrypoint):
    async def greet(self, name):
        return f"Hello {name}{self.ctx.props.punctuation}"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = urlsplit(request.url).path.removeprefix("/worker/")
        act = ACTIONS.get(name)
        if act is None:
            return Response("no such action", status=404)
        return Response(json.dumps(await act(self.env)))

    async def queue(self, batch, env=None, ctx=None):
        room = await get_server_by_name(self.env.Counter, "jobs")
        for message in batch.messages:
            await room.add("job", str(message.body))
            message.ack()

    async def scheduled(self, controller, env=None, ctx=None):
        room = await get_server_by_name(self.env.Counter, "crons")
        await room.add("cron", controller.cron)

    async def double(self, number):
        return 2 * number


async def variables(env):
    return {
        "GREETING": env.GREETING,
        "LIMITS": env.LIMITS.to_py() if hasattr(env.LIMITS, "to_py") else env.LIMITS,
        "PASSWORD": env.PASSWORD,
    }


async def rooms(env):
    counter = await get_server_by_name(env.Counter, "room")
    renamed = await get_server_by_name(env.Renamed, "room")
    await counter.add("kind", "of Counter")
    await renamed.add("kind", "of Renamed")
    return [await counter.list("kind"), await renamed.list("kind")]


async def entries(env):
    await env.KV.put("small", "value")
    await env.KV.put("large", "x" * 100_000)
    return [await env.KV.get("small"), len(await env.KV.get("large")), await env.KV.get("none")]


async def database(env):
    await env.DB.prepare("create table if not exists notes (text)").run()
    await env.DB.prepare("insert into notes values (?)").bind("from Python").run()
    return await env.DB.prepare("select text from notes").first("text")


async def send(env):
    for number in range(3):
        await env.QUEUE.send(to_js(f"job {number}"))
    return "sent"


async def jobs(env):
    return sorted(await (await get_server_by_name(env.Counter, "jobs")).list("job"))


async def crons(env):
    return await (await get_server_by_name(env.Counter, "crons")).list("cron")


async def services(env):
    response = await env.ITSELF.fetch("http://any/worker/variables")
    return [
        await env.GREETER.greet("you"),
        await env.ITSELF.double(21),
        (await response.json())["PASSWORD"],
    ]


async def asset(env):
    response = await env.ASSETS.fetch("http://any/worker/asset.txt")
    return await response.text()


async def module(env):
    return (Path(__file__).parent / "words.text").read_text()


ACTIONS = {
    action.__name__: action
    for action in (variables, rooms, entries, database, send, jobs, crons, services, asset, module)
}
