"""The Python side: this library's router and rooms.

`../javascript/worker.js` is its twin, line by line where the languages allow; `../scenarios.py`
drives both with the same requests.
"""

import asyncio
import datetime
import json
import re
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import js
from partyserver import Server, ServerNameError, get_server_by_name, route_partykit_request
from pyodide.ffi import create_once_callable, to_js
from workers import Request, Response, WorkerEntrypoint


def query_of(request):
    return parse_qs(urlsplit(request.url).query, keep_blank_values=True)


class Scripted(Server):
    """Does what its clients say, and writes down what happens to it."""

    def on_start(self, props=None):
        self.sql("create table if not exists event (name text, detail text)")
        self.record("start", self.name, props)
        [row] = self.sql("select count(*) as starts from event where name = 'start'")
        if self.name.startswith("start-fails") and row["starts"] <= 2:
            raise ValueError("start fails")
        self.starts = row["starts"]

    def record(self, name, *detail):
        self.sql("insert into event values (?, ?)", name, json.dumps(detail))

    def events(self):
        rows = self.sql("select name, detail from event order by rowid")
        return [[row["name"], *json.loads(row["detail"])] for row in rows]

    def ids(self, tag=None):
        """Sorted: `do_order` alone tells in which order they come."""
        return sorted(connection.id for connection in self.get_connections(tag))

    def describe(self, connection):
        return {
            "id": connection.id,
            "uri": connection.uri,
            "tags": list(connection.tags),
            "state": connection.state,
            "server": connection.server,
        }

    def get_connection_tags(self, connection, ctx):
        query = query_of(ctx.request)
        if query.get("raise") == ["tags"]:
            raise ValueError("tags fail")
        return query.get("tag", [])

    async def on_connect(self, connection, ctx):
        query = query_of(ctx.request)
        self.record("connect", connection.id, connection.state, self.name, self.ids())
        if "state" in query:
            connection.set_state(json.loads(query["state"][0]))
        connection.send(json.dumps(["connected", connection.id]))
        if query.get("raise") == ["connect"]:
            raise ValueError("connect fails")
        if "later" in query:
            await asyncio.sleep(0.01)
        if query.get("raise") == ["later"]:
            raise ValueError("connect fails later")
        if "close" in query:
            connection.close(int(query["close"][0]), "at the door")

    def on_message(self, connection, message):
        if isinstance(message, bytes):
            self.record("message", connection.id, {"bytes": message.hex()}, self.name)
            return connection.send(message)
        command, *rest = json.loads(message) if message.startswith("[") else ["echo", message]
        if command != "sync":
            self.record("message", connection.id, message, self.name)
        return getattr(self, "do_" + command)(connection, *rest)

    def on_close(self, connection, code, reason, was_clean):
        details = [connection.id, code, reason, was_clean, connection.state, self.name, self.ids()]
        self.record("close", *details)
        if reason == "raise":
            raise ValueError("close fails")
        if reason == "raise later":
            return self.do_raise_later(connection)
        if reason == "answer":
            connection.close(4777, "mine")
        if reason == "broadcast":
            self.broadcast(f"{connection.id} left")
        if reason == "send":
            self.attempt("send in close", lambda: connection.send("too late"))
        return None

    def on_error(self, connection, error):
        self.record("error", connection.id, str(error), self.name)

    async def on_request(self, request):
        url = urlsplit(request.url)
        path = re.search(r"/parties/+[^/]+/+[^/]+(.*)", url.path)[1]
        if path == "/events":
            return Response.from_json(self.events())
        if path == "/attachments":
            return Response.from_json(await self.attachments())
        if path == "/adopt":
            query = query_of(request)
            return Response.from_json(await self.adopt(query["binding"][0], query["room"][0]))
        search = "?" + url.query if url.query else ""
        body = await request.text()
        self.record("request", request.method, path, search, body, self.name)
        match path:
            case "/raise":
                raise ValueError("request fails")
            case "/raise-later":
                await asyncio.sleep(0)
                raise ValueError("request fails later")
            case "/teapot":
                return Response("short and stout", status=418, headers={"x-teapot": "yes"})
            case "/empty":
                return Response(None, status=204)
            case "/redirect":
                return Response(None, status=302, headers={"location": "/elsewhere"})
            case "/bytes":
                return Response(b"\x00\xff\x80")
            case "/broadcast":
                self.broadcast(body)
            case "/close-all":
                for connection in list(self.get_connections()):
                    connection.close(4002, "all")
            case "/alarm":
                delay = int(query_of(request)["in"][0])
                await self.ctx.storage.setAlarm(js.Date.now() + delay)
            case "/sql":
                self.sql("select * from missing")
        headers = ["content-type", "x-custom", "x-partykit-namespace", "x-partykit-room"]
        headers += ["x-partykit-props", "x-partykit-jurisdiction"]
        return Response.from_json(
            {
                "name": self.name,
                "method": request.method,
                "path": path + search,
                "body": body,
                "headers": {name: request.headers.get(name) for name in headers},
                "ids": self.ids(),
            }
        )

    async def on_alarm(self):
        alarms = [event for event in self.events() if event[0] == "alarm"]
        self.record("alarm", self.name, self.ids())
        if self.name.startswith("alarm-fails") and not alarms:
            raise ValueError("alarm fails")
        self.broadcast("alarm")

    def on_exception(self, error):
        if self.name.startswith("exceptions"):
            self.record("exception")

    def attempt(self, what, action):
        outcome = "done"
        try:
            action()
        except Exception:
            outcome = "raised"
        self.record(what, outcome)

    def do_sync(self, connection, number):
        if connection.is_open:
            connection.send_json(["synced", number])

    def do_echo(self, connection, text):
        connection.send(text)

    async def do_later(self, connection, text):
        await asyncio.sleep(0)
        connection.send(text)

    def do_bytes(self, connection, text):
        connection.send(bytes.fromhex(text))

    def do_broadcast(self, connection, text, exclude=()):
        self.broadcast(text, exclude)

    def do_broadcast_bytes(self, connection, text, exclude=()):
        self.broadcast(bytes.fromhex(text), exclude)

    def do_tell(self, connection, id, text):
        self.get_connection(id).send(text)

    def do_set_state(self, connection, state):
        connection.send_json(["state", connection.set_state(state)])

    def do_count(self, connection):
        connection.set_state(lambda previous: {"n": (previous or {}).get("n", 0) + 1})
        connection.send_json(["state", connection.state])

    def do_change_in_place(self, connection):
        connection.state["n"] = "changed"

    def do_describe(self, connection, id=None):
        found = self.get_connection(id or connection.id)
        connection.send_json(["described", found and self.describe(found)])

    def do_order(self, connection):
        connection.send_json(["order", [one.id for one in self.get_connections()]])

    def do_ids(self, connection, tag=None):
        connection.send_json(["ids", self.ids(tag)])

    def do_close(self, connection, *code_and_reason):
        connection.close(*code_and_reason)

    def do_try_close(self, connection, *code_and_reason):
        self.attempt("close", lambda: connection.close(*code_and_reason))

    def do_close_twice(self, connection):
        connection.close(4001, "first")
        connection.close(4002, "second")

    def do_close_other(self, connection, id, code, reason):
        self.get_connection(id).close(code, reason)

    def do_send_after_close(self, connection):
        connection.close(4003, "going")
        self.attempt("send after close", lambda: connection.send("too late"))

    def do_broadcast_after_close(self, connection):
        connection.close(4003, "going")
        self.broadcast("to those who are left")

    def do_name(self, connection):
        connection.send_json(["name", self.name, self.starts])

    def do_raise(self, connection):
        raise ValueError("message fails")

    async def do_raise_later(self, connection):
        await asyncio.sleep(0)
        raise ValueError("message fails later")

    async def attachments(self):
        """What the platform keeps with each hibernating socket."""
        sockets = self.ctx.getWebSockets()
        attachments = js.Array.new(*(socket.deserializeAttachment() for socket in sockets))
        return json.loads(js.JSON.stringify(attachments))

    async def adopt(self, binding, name):
        """Give the one socket of this room what another room has written on its own."""
        namespace = getattr(self.env, binding)
        [attachment] = await namespace.getByName(name).attachments()
        [socket] = self.ctx.getWebSockets()
        text = json.dumps(attachment)
        socket.serializeAttachment(js.JSON.parse(text))
        return attachment


class PyMemory(Scripted):
    pass


class PySleepy(Scripted):
    options = {"hibernate": True}


class PyPlain(Server):
    """Every default."""


class PyCaller(Server):
    """Calls the other side's rooms over RPC, and is called by them."""

    def on_start(self, props=None):
        self.props = props

    def sample(self):
        utc = datetime.UTC
        return {
            "dict": {"a": 1, "ü": "ö"},
            "list": [1, "two", 3.5, True, None, []],
            "none": None,
            "bytes": b"\x00\xff\x80",
            "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000, utc),
            "nested": [
                {"bytes": b"\x01", "at": datetime.datetime(1970, 1, 1, tzinfo=utc), "nothing": None}
            ],
        }

    def echo(self, value):
        return value

    def describe(self, value):
        """What has arrived, by kind and value."""
        match value:
            case None:
                return ["None"]
            case dict():
                return ["dict", {key: self.describe(item) for key, item in value.items()}]
            case list():
                return ["list", *map(self.describe, value)]
            case bytes() | memoryview():
                return ["bytes", bytes(value).hex()]
            case datetime.datetime():
                return ["datetime", round(value.timestamp() * 1000)]
            case bool():
                return ["boolean", value]
            case int() | float():
                return ["number", value]
            case str():
                return ["string", value]
        return [type(value).__name__, str(value)]

    def nothing(self):
        pass

    def started(self):
        return {"name": self.name, "props": self.props}

    def fail(self, text):
        raise TypeError(text)

    def join(self, *values):
        return list(values)

    async def on_request(self, request):
        if not urlsplit(request.url).path.endswith("/ask"):
            answer = [self.name, request.method, request.url, await request.text()]
            return Response.from_json(answer)
        ask = {key: values[0] for key, values in query_of(request).items()}
        props = json.loads(ask["props"]) if "props" in ask else None
        namespace = getattr(self.env, ask["binding"])
        other = await get_server_by_name(namespace, ask.get("room", "other"), props=props)
        match ask["what"]:
            case "describe":
                return Response.from_json(await other.describe(self.sample()))
            case "echo":
                return Response.from_json(self.describe(await other.echo(self.sample())))
            case "sample":
                return Response.from_json(self.describe(await other.sample()))
            case "nothing":
                return Response.from_json(self.describe(await other.nothing()))
            case "started":
                return Response.from_json(await other.started())
            case "several":
                return Response.from_json(await other.join("a", ["b"], {"c": 1}))
            case "fetch":
                return await other.fetch("https://room/path?query", method="POST", body="grüße")
            case "fail":
                try:
                    return Response.from_json(await other.fail("no way"))
                except Exception as error:
                    return Response.from_json({"message": str(error)})


class PyUnnamed(Server):
    """Does without its name."""

    options = {"hibernate": True}

    def on_start(self):
        self.has_started = True

    def started(self):
        return self.has_started

    async def on_connect(self, connection, ctx):
        connection.send(connection.id)

    def on_message(self, connection, message):
        connection.set_state(message)
        self.broadcast(f"{message} from {connection.id}")

    def name_or_error(self):
        try:
            return self.name
        except ServerNameError as error:
            return str(error)

    async def become(self):
        await self.set_name("inner")
        return self.name

    async def on_request(self, request):
        return Response.from_json([request.method, self.name_or_error()])


class PyParent(Server):
    """Has facets: objects of other classes that live inside of it, here to be asked by URL."""

    async def fetch(self, request):
        query = {key: values[0] for key, values in query_of(request).items()}
        if "facet" not in query:
            return await super().fetch(request)
        facet = self.ctx.facets.get(
            query["facet"],
            create_once_callable(partial(self.start_facet, query["class"], query.get("name"))),
        )
        if "method" in query:
            answer = await getattr(facet, query["method"])()
            return Response(js.JSON.stringify(answer))
        return Response(await facet.fetch(request.js_object))

    def start_facet(self, class_name, name):
        namespace = getattr(self.ctx.exports, class_name)
        options = {"class": namespace}
        if name:
            # A facet's id may also be any string of its parent's.
            is_plain = name.startswith("plain ")
            options["id"] = name if is_plain else namespace.idFromName(name)
        return to_js(options, dict_converter=js.Object.fromEntries)


async def before(request, lobby):
    what = query_of(request).get("before")
    if what == ["refuse"]:
        return Response(f"no {lobby.class_name} {lobby.name}", status=401)
    if what == ["replace"]:
        return Request(request, headers=[("x-custom", "by the hook"), *request.headers.items()])
    return None


HOOKS = {"on_before_connect": before, "on_before_request": before}

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cors": {"cors": True},
    "own-cors": {"cors": {"Access-Control-Allow-Origin": "https://example.com"}},
    "props": {"props": {"greeting": "grüße", "list": [1, None]}},
    "hooks": HOOKS,
    "hooks-cors": {**HOOKS, "cors": True},
    "deep/er": {},
}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = urlsplit(request.url).path
        how = next(name for name in OPTIONS if path.startswith(f"/ours/{name}/"))
        prefix = f"ours/{how}/parties"
        answer = await route_partykit_request(request, self.env, prefix=prefix, **OPTIONS[how])
        return answer or Response("Not Found", status=404)
