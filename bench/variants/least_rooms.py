"""The least that the works of `rooms.py` need of Python: each by hand, past this library.

Only the ways in and out are the library's shortcuts. Nothing is checked, nothing can fail, nobody
has a name, an id or a phase.
"""

import asyncio
import json

import js
from partyserver import Server, route_partykit_request
from partyserver.runtime import sockets
from partyserver.runtime.requests import PassedOn
from partyserver.runtime.values import builtin
from partyserver.shortcuts import builtins, rows
from partyserver.shortcuts.fanout import Fanout
from pyodide.ffi import create_proxy
from steps import Dispatching
from workers import DurableObject, WorkerEntrypoint


class Room(DurableObject, metaclass=Dispatching):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.platform = self.ctx._ctx
        self.everybody = Fanout()

    async def fetch(self, request):
        client, socket = sockets.socket_pair()
        self.platform.acceptWebSocket(socket)
        self.everybody.add(socket)
        tools, receive = builtins.tools(), self.receiver(socket, request.js_object.url)
        tools.set(socket, tools.key, tools.bind(tools.call, create_proxy(receive)))
        return PassedOn(builtin("Response").new(None, status=101, webSocket=client))

    def receiver(self, socket, url):
        raise NotImplementedError

    def at_once(self, hook):
        """A hook that awaits, run by an eager task."""
        loop, running = asyncio.get_event_loop(), set()

        def receive(message):
            task = asyncio.Task(hook(message), loop=loop, eager_start=True)
            if not task.done():
                running.add(task)
                task.add_done_callback(running.discard)

        return receive


class Chat(Room):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.execute = self.platform.storage.sql.exec
        self.execute(
            "create table if not exists message (id integer primary key, author text, text text)"
        )
        self.reader = rows.reader(self.execute)

    def receiver(self, socket, url):
        execute, reader, send = self.execute, self.reader, self.everybody.send
        insert = "insert into message (author, text) values (?, ?) returning id, author, text"

        def receive(message):
            said = json.loads(message)
            [row] = reader.rows(execute(insert, said["author"], said["text"]), insert)
            execute("delete from message where id <= ?", row["id"] - 100)
            send(json.dumps({"type": "message", **row}, separators=(",", ":")))

        return receive


class Moves(Room):
    def receiver(self, socket, url):
        keep, send = socket.serializeAttachment.bind(socket), self.everybody.send
        name = url.rpartition("_pk=")[2]

        def receive(message):
            move = json.loads(message)
            keep(json.dumps({"x": move["x"], "y": move["y"]}))
            moved = {"type": "move", "id": name, "x": move["x"], "y": move["y"]}
            send(json.dumps(moved, separators=(",", ":")))

        return receive


class Teams(Room):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.red = []

    def receiver(self, socket, url):
        red = self.red
        if url.endswith("team=red"):
            red.append(socket.send.bind(socket))

        def receive(message):
            for send in red:
                send(message)

        return receive


class Keyed(Room):
    def receiver(self, socket, url):
        storage, send = self.platform.storage, socket.send.bind(socket)
        get, put = storage.get.bind(storage), storage.put.bind(storage)

        async def hook(message):
            await put("count", (await get("count") or 0) + 1)
            send("kept")

        return self.at_once(hook)


class Calls(Room):
    def receiver(self, socket, url):
        other, send = self.env._env.Calls.getByName("called"), socket.send.bind(socket)
        parse, stringify = js.JSON.parse, js.JSON.stringify

        async def hook(message):
            await other.setName("called")  # as npm partyserver does, too, before each use
            send(stringify(await other.repeat(parse(message))))

        return self.at_once(hook)

    def setName(self, name):
        pass

    def repeat(self, event):
        return event


class Rows(Server):
    """As `rooms.py` fills it, by a class that has its requests past the library."""

    query = "select * from entry order by id"

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.execute = self.ctx._ctx.storage.sql.exec
        self.reader = rows.reader(self.execute)
        self.as_json = builtin("JSON.parse")('{"headers": {"content-type": "application/json"}}')
        self.execute("create table entry (id integer primary key, author text, text text, at real)")
        for number in range(100):
            self.execute(
                "insert into entry (author, text, at) values (?, ?, ?)",
                f"author {number % 7}",
                f"entry {number}: hello, how are you today?",
                1_700_000_000.25 + number,
            )

    async def fetch(self, request):
        found = self.reader.rows(self.execute(self.query), self.query)
        return PassedOn(builtin("Response").new(json.dumps(found), self.as_json))


class RowsAsJson(Rows):
    async def fetch(self, request):
        text, _ = self.reader.json(self.execute(self.query), self.query)
        return PassedOn(builtin("Response").new(text, self.as_json))


class Default(WorkerEntrypoint):
    #: By their URLs, whatever is known of them.
    rooms: dict = {}

    async def fetch(self, request):
        if not self.rooms:
            await route_partykit_request(request, self.env)  # takes the shortcuts
            self.rooms[""] = None
        address = request.js_object.url
        known = self.rooms.get(address)
        if known is None:
            _, _, party, name = address.partition("?")[0].rsplit("/", 3)
            kind = "".join(word.capitalize() for word in party.split("-"))
            known = self.rooms[address] = getattr(self.env._env, kind).getByName, name
        get, name = known
        return PassedOn(await get(name).fetch(request.js_object))
