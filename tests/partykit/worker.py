"""The worker of PartyKit's tests: parties that write down what happens to them."""

import asyncio
import json
import re
import sys
import time
from typing import Any

import acting
import checks
import guests
import names
from partyserver import ClientError, partykit
from workers import Request, Response, WorkerEntrypoint

#: Of all rooms and sockets of the isolate.
turns = asyncio.Lock()


#: As PartyKit's users, who know nothing of this library, may call what is theirs.
PartyServer: Any = names.crowded(partykit.Server)


class Recorder(PartyServer):
    """Writes down what happens to it in its storage, which survives evictions."""

    async def on_start(self):
        self.events = await self.room.storage.get("events") or []

    async def record(self, *event):
        self.events.append(list(event))
        await self.room.storage.put("events", self.events)

    async def on_request(self, request):
        path = re.search(r"/(?:party|parties/[^/]+)/[^/?]+/?(.*)", request.url)[1]
        if path.startswith("who"):
            return guests.seen(request)
        if path == "told":
            return await guests.tell("gone", status=410)
        if path.startswith("pass-on"):
            other = self.room.context.parties.other.get("passed")
            return await other.fetch("/who/a%20b?q=1", headers=dict(request.headers))
        if path == "events":
            return Response.from_json(self.events)
        if path.startswith("check/"):
            return Response.from_json(await checks.run(path.removeprefix("check/"), self))
        if path == "cf":
            return Response(request.cf.country)
        body = await request.text()
        await self.record("request", str(request.method), path, body)
        return Response(f"{self.room.id} got {body!r}")


class Main(Recorder):
    """Does what its clients say: a message is a JSON list of a command and its arguments."""

    def __init__(self, room: partykit.Room):
        self.room = room
        self.id_in_constructor = room.id
        # Names that the library's own classes have, and a party may have too.
        self.name = self.env = self.ctx = self.sql = self.state = "mine"

    def get_connection_tags(self, connection, ctx):
        if ctx.query.get("fail") == "tags":
            return guests.tell("no such tag")
        return ctx.query.get_all("tag")

    async def on_connect(self, connection, ctx):
        if ctx.query.get("fail") == "connect":
            await guests.tell("not here", code=7)
        if "who" in ctx.query:
            connection.send_json([ctx.auth, ctx.path, dict(ctx.query)])
        await self.record("connect", connection.id, ctx.request.headers.get("x-added"))
        connection.send_json(["connected", connection.id])

    async def do_take_turns(self, sender):
        async def work(transaction):
            async with turns:
                await transaction.put("turn", self.room.id)
                await asyncio.sleep(0.05)
                return await transaction.get("turn")

        sender.send_json(await self.room.storage.transaction(work))

    def on_message(self, message, sender):
        if isinstance(message, bytes):
            sender.send(message[::-1])
            return None
        command, *arguments = json.loads(message)
        return getattr(self, "do_" + command)(sender, *arguments)

    def do_way_in(self, sender):
        frame, names = sys._getframe(), []
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        sender.send(json.dumps(names))

    async def on_close(self, connection):
        await self.record("close", connection.id, connection.is_open)

    async def on_error(self, connection, error):
        await self.record("error", connection.id, type(error).__name__)

    async def on_alarm(self):
        other = self.room.context.parties.other.get("alarmed")
        await other.fetch(method="POST", body=f"alarm of {self.room.id}")
        await self.record("alarm", self.room.id)

    def do_echo(self, sender, text):
        sender.send(text)

    async def do_echo_later(self, sender, text):
        await asyncio.sleep(0)
        sender.send(text)

    def do_who(self, sender):
        sender.send_json([sender.auth, dict(sender.query)])

    def do_tell_why(self, sender):
        raise ClientError("not now", code="later")

    async def do_tell_in_a_transaction(self, sender):
        await self.room.storage.transaction(lambda transaction: guests.tell("not like this"))

    def do_raise(self, sender):
        raise ValueError("a secret")

    def do_broadcast(self, sender, text):
        self.room.broadcast(text, [sender.id])

    def do_tell(self, sender, other, text):
        self.room.get_connection(other).send(text)

    def do_ids(self, sender, *tag):
        sender.send_json([one.id for one in self.room.get_connections(*tag)])

    def do_set_state(self, sender, state):
        sender.set_state(state)
        sender.send_json(sender.state)

    def do_state(self, sender):
        sender.send_json([sender.state, sender.deserialize_attachment(), sender.uri])

    def do_attach(self, sender, state):
        sender.serialize_attachment(state)
        sender.send_json(sender.state)

    def do_try_state(self, sender, size):
        try:
            sender.set_state("x" * size)
        except Exception as error:
            sender.send_json(type(error).__name__)

    def do_close(self, sender):
        sender.send("Good-bye!")
        sender.close()

    def do_describe(self, sender):
        sender.send_json(
            {
                "id": self.room.id,
                "id_in_constructor": self.id_in_constructor,
                "internal_id": self.room.internal_id,
                "greeting": self.room.env.GREETING,
                "same": self.room.get_connection(sender.id) == sender,
                "nobody": self.room.get_connection("nobody"),
                "mine": [self.name, self.env, self.ctx, self.sql, self.state],
            }
        )

    async def do_alarm(self, sender, milliseconds):
        await self.room.storage.set_alarm(time.time() * 1000 + milliseconds)
        sender.send_json(["alarm set", await self.room.storage.get_alarm() is not None])

    async def do_fetch(self, sender, party, room, *path, **options):
        stub = self.room.context.parties[party].get(room)
        response = await stub.fetch(*path, method="POST", body="from a room")
        sender.send_json([response.status, await response.text()])

    async def do_talk(self, sender, party, room):
        """Talk to another room as a client of it, and pass on what it says."""
        socket = await self.room.context.parties[party].get(room).socket("/?_pk=room&tag=friend")
        greeting = json.loads(await anext(aiter(socket)))
        socket.send_json(["echo", "ünïcode"])
        socket.send(bytes(range(3)))
        socket.send_json(["close"])
        heard = [one if isinstance(one, str) else list(one) async for one in socket]
        sender.send_json([greeting, *heard, socket.is_open])

    @staticmethod
    async def on_before_connect(request, lobby, ctx):
        await asyncio.sleep(0)
        if "who" in lobby.query:
            return guests.before(request, lobby)
        if "refuse" in request.url:
            return Response(f"no entry to {lobby.id}, {lobby.env.GREETING}", status=403)
        if "replace" in request.url:
            return Request(request, headers=[*request.headers.items(), ("x-added", lobby.id)])
        return request

    @staticmethod
    def on_before_request(request, lobby, ctx):
        if "who" in lobby.query:
            return guests.before(request, lobby)
        if "refuse" in request.url:
            return Response(f"no entry to {lobby.id}", status=403)
        if "ask-other" in request.url:
            return lobby.parties.other.get("asked").fetch("/by/lobby", method="POST", body="q")
        if "ask-models" in request.url:
            return checks.ask_models(lobby)
        if "raise" in request.url:
            raise ValueError("a secret")
        return request

    @staticmethod
    def on_fetch(request, lobby, ctx):
        path = request.url.split("/", 3)[3]
        if path.startswith("acting/"):
            return act_in_the_worker(request.url)
        if path.startswith("who"):
            return guests.seen(request)
        return Main.fetched(path, lobby, ctx)

    @staticmethod
    async def fetched(path, lobby, ctx):
        if path == "told":
            return await guests.tell("not here", status=404)
        if path == "nothing":
            return None
        if path == "wrong":
            return "not a response"
        if path == "raise":
            raise ValueError("a secret")
        if path == "exit":
            sys.exit(1)
        if path.startswith("check/"):
            return Response.from_json(await checks.run(path.removeprefix("check/"), lobby))
        if path == "other":
            return await lobby.parties.other.get("fetched").fetch(method="POST", body="lobby")
        return Response(f"fetched {path}: {lobby.env.GREETING}, {hasattr(ctx, 'waitUntil')}")

    @staticmethod
    def on_socket(socket, lobby, ctx):
        if "/acting/" in socket.request.url:
            return act_in_the_worker(socket.request.url, socket)
        return Main.opened(socket, lobby)

    @staticmethod
    async def opened(socket, lobby):
        path = socket.request.url.rpartition("/")[2]
        if path.startswith("told"):
            await guests.tell_on(socket, path)
        elif path == "listen":
            socket.add_event_listener("message", lambda event: socket.send(event.data))
            socket.add_event_listener(
                "close", lambda event: print(f"heard {event.type} {event.code} {event.reason}")
            )
        elif path == "raise":
            raise ValueError("a secret")
        elif path == "exit":
            sys.exit(1)
        elif path == "turns":

            async def answer(event):
                async with turns:
                    await asyncio.sleep(0.05)
                    socket.send(event.data)

            socket.add_event_listener("message", answer)
        elif path == "exit-listener":
            socket.add_event_listener("message", lambda event: sys.exit(1))
            socket.add_event_listener("message", lambda event: socket.send(event.data))
        elif path == "raise-later":
            async for _ in socket:
                raise ValueError("a secret")
        elif path == "close":
            socket.close(4000, "as asked")
        elif path == "ignore":
            pass
        elif path == "relay":
            other = await lobby.parties["main-sleepy"].get("relayed").socket("?_pk=relay")
            async for message in other:
                socket.send(message)
                break
        else:
            socket.send(f"Hello, {lobby.env.GREETING}!")
            async for message in socket:
                socket.send(f"heard {message}")

    @staticmethod
    def on_cron(cron, lobby, ctx):
        if cron.name == "acting":
            how = next_cron.pop()
            return acting.act(how, f"on_cron.{how}")
        return Main.scheduled(cron, lobby)

    @staticmethod
    async def scheduled(cron, lobby):
        text = f"{cron.name} {cron.definition} {cron.scheduled_time} {lobby.env.GREETING}"
        await lobby.parties.other.get("crons").fetch(method="POST", body=text)
        if cron.name == "also-midnight":
            answer = await (await checks.ask_models(lobby)).text()
            await lobby.parties.other.get("models").fetch(method="POST", body=answer)


class MainSleepy(Main):
    options = {"hibernate": True}


class Other(Recorder):
    @staticmethod
    async def on_fetch(request, lobby, ctx):
        return Response("of another party, and never called")


class Accounts(Recorder):
    """The party `ledger`, whose binding is called like the party and not like the class."""


class Brief(partykit.Server):
    """Its hooks leave arguments out, as they may in JavaScript."""

    def on_connect(self, connection):
        connection.send("hi")

    def on_message(self, message):
        self.room.broadcast(message.upper())

    @staticmethod
    def on_before_request(request):
        if "refuse" in request.url:
            return Response("no", status=403)
        return None

    @staticmethod
    def get_connection_tags():
        return ["all"]


class Acting(PartyServer):
    """Acts (see acting.py) at the place and in the way that the room's id tells."""

    options: Any = {"rate": {"messages": 1, "per": 3600, "action": "drop"}}

    def at(self, place, value: Any = None):
        where, _, how = self.room.id.partition(".")
        return acting.act(how, self.room.id, value) if where == place else value

    def on_start(self):
        return self.at("on_start")

    def get_connection_tags(self, connection, ctx):
        return self.at("get_connection_tags", ["tagged"])

    def on_connect(self, connection, ctx):
        return self.at("on_connect")

    def on_message(self, message, sender):
        return self.listen() if self.room.id.startswith("listener.") else self.at("on_message")

    async def listen(self):
        self.socket = await self.room.context.parties.brief.get("heard").socket()
        self.socket.add_event_listener("message", lambda event: self.at("listener"))

    def on_rate_limited(self, connection):
        return self.at("on_rate_limited")

    def on_close(self, connection):
        return self.at("on_close")

    def on_request(self, request):
        if request.url.endswith("/alarm"):
            return self.answered_after(self.room.storage.set_alarm(4 * 10**12))
        if self.room.id.startswith("transaction."):
            work: Any = lambda transaction: self.at("transaction")  # noqa: E731
            return self.answered_after(self.room.storage.transaction(work))
        return self.at("on_request", Response("answered"))

    async def answered_after(self, work):
        await work
        return Response("answered")

    def on_alarm(self):
        return self.at("on_alarm")

    @staticmethod
    def on_before_connect(request, lobby):
        where, _, how = lobby.id.partition(".")
        return acting.act(how, lobby.id) if where == "on_before_connect" else None

    @staticmethod
    def on_before_request(request, lobby):
        where, _, how = lobby.id.partition(".")
        return acting.act(how, lobby.id) if where == "on_before_request" else None


class ActingSleepy(Acting):
    options = {"hibernate": True}


#: How the next cron acts.
next_cron = []


def act_in_the_worker(url, socket=None):
    _, place, how = url.rsplit("/", 2)
    if place == "notes":
        return Response.from_json(acting.NOTES)
    if place == "cron":
        next_cron.append(how)
        return Response("noted")
    return acting.act(how, f"{place}.{how}", None if socket else Response("answered"))


class Starting(partykit.Server):
    """Fails to start, in its constructor or in `on_start`, as often as the room's id says."""

    tries = {}

    def __init__(self, room):
        self.room = room
        self.tries[room.id] = self.tries.get(room.id, 0) + 1
        if room.id == "options":
            self.options = {"hibernate": True}  # type: ignore[misc]
        if room.id == "told" and self.tries[room.id] == 1:
            raise ClientError("a secret of the constructor")
        if room.id == "constructor" and self.tries[room.id] == 1:
            raise RuntimeError("the constructor fails")

    async def on_start(self):
        await asyncio.sleep(0)
        if self.room.id == "on_start" and self.tries[self.room.id] == 1:
            raise RuntimeError("on_start fails")

    def on_request(self, request):
        return Response(f"started after {self.tries[self.room.id]}")


class Guarded(partykit.Server):
    """Every default."""


class Unbound(partykit.Server):
    """Wrangler does not know it."""


class FakeAI(WorkerEntrypoint):
    async def run(self, model, input):
        return {"model": model, "answer": input["prompt"].upper()}


class FakeIndex(WorkerEntrypoint):
    async def query(self, vector):
        return {"count": len(vector)}


Default = partykit.entrypoint(
    Main,
    parties={
        "main-sleepy": MainSleepy,
        "other": Other,
        "ledger": Accounts,
        "brief": Brief,
        "starting": Starting,
        "acting": Acting,
        "acting-sleepy": ActingSleepy,
        "guarded": Guarded,
        "unbound": Unbound,
    },
    crons={
        "every-minute": "*/1 * * * *",
        "midnight": "0 0 * * *",
        "also-midnight": "0  0 * * *",
        "acting": "1 2 3 4 5",
    },
)
