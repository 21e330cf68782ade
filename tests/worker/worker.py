"""The worker of the contract tests: small servers, each for one contract, in both modes.

Hooks write what they see into the room's `event` table, which survives evictions, and
`GET /events` reads it back.
"""

# First: with `-o party_vars=PRIVATE_NAMES=taken` all rooms derive from a class of its.
import names  # noqa: F401 # isort: skip

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import unquote

import bodies
import calls
import checks
import guests
import js
import keeping
import migrating
import places
import starting
import storing
import templates
import waiting
from bodies import Inbox  # noqa: F401 -- bound, too
from calls import (  # noqa: F401 -- bound, too
    Calls,
    Marking,
    MarkingSleepy,
    Mixed,
    MixedSleepy,
    Overriding,
    Own,
    Patched,
    Relaying,
    RelayingSleepy,
    Traced,
)
from guests import (  # noqa: F401 -- bound, too
    Closing,
    ClosingSleepy,
    Dropping,
    DroppingSleepy,
    Guests,
    GuestsSleepy,
    Hopeful,
    Small,
    SmallSleepy,
    Unready,
)
from hostile import (  # noqa: F401 -- bound in wrangler.toml
    Aborting,
    AbortingSleepy,
    Ending,
    EndingSleepy,
    Exiting,
    ExitingSleepy,
    Helped,
    Querying,
    Renaming,
)
from keeping import Keeping, KeepingSleepy  # noqa: F401 -- bound, too
from migrating import (  # noqa: F401 -- bound, too
    Deployed,
    DeployedSleepy,
    Inheriting,
    InheritingSleepy,
)
from parts import Counted, CountedSleepy  # noqa: F401 -- bound, too
from partyserver import (
    RequestRefusedError,
    RoutingRetry,
    Server,
    StateTooLargeError,
    get_server_by_name,
    parse_json,
    route_partykit_request,
)
from partyserver.shortcuts import switch
from passing import Passing, PassingBlocked, PassingSleepy  # noqa: F401 -- bound, too
from places import (  # noqa: F401 -- bound, too
    Acting,
    ActingInParts,
    ActingInPartsSleepy,
    ActingSleepy,
)
from pyodide.ffi import can_run_sync, create_proxy, run_sync
from starting import Begun, BegunSleepy  # noqa: F401 -- bound, too
from storing import Storing, StoringSleepy  # noqa: F401 -- bound, too
from waiting import Waiting, WaitingSleepy  # noqa: F401 -- bound, too
from workers import Request, Response, WorkerEntrypoint


@cache
def tell_of_rejections():
    """The runtime itself does not; tests/conftest.py looks for them in the log.

    Not at the import: what that changes in JavaScript is not in a start-up snapshot.
    """
    told = create_proxy(lambda event: js.console.error(f"unhandled rejection: {event.reason}"))
    js.addEventListener("unhandledrejection", told)


class Recorder(Server):
    """Writes down what happens to it."""

    def on_start(self, props=None):
        self.sql("create table if not exists event (name text, detail text)")
        self.record("start", props)

    def record(self, name, detail=None):
        self.sql("insert into event values (?, ?)", name, json.dumps(detail))

    def events(self, name=None):
        rows = self.sql("select name, detail from event order by rowid")
        return [
            [row["name"], json.loads(row["detail"])] for row in rows if name in (None, row["name"])
        ]

    def on_request(self, request):
        path = re.search(r"/(?:parties|rooms)/[^/]+/[^/?]+([^?]*)", request.url)[1]
        if path == "/events":
            return Response.from_json(self.events())
        return self.on_get(path, request)

    def on_get(self, path, request):
        return Response("no such page", status=404)

    def on_exception(self, error):
        self.record("exception", f"{type(error).__name__}: {error}")
        super().on_exception(error)


class Scripted(Recorder):
    """Does what its clients say: a message is a JSON list of a command and its arguments."""

    def get_connection_tags(self, connection, ctx):
        query = ctx.request.url.partition("?")[2]
        if "tags=number" in query:
            return ["fine", 1]
        return [part[4:] for part in query.split("&") if part.startswith("tag=")]

    def on_connect(self, connection, ctx):
        if connection.id == "refused":
            raise RequestRefusedError(403, "not you")
        self.record("connect", [connection.id, list(connection.tags)])
        connection.send(json.dumps(["connected", connection.id]))

    def on_message(self, connection, message):
        if isinstance(message, bytes):
            self.record("message", [connection.id, len(message), "bytes"])
            connection.send(message)
            return None
        self.record("message", [connection.id, message[:100]])
        command, *arguments = json.loads(message)
        return getattr(self, "do_" + command)(connection, *arguments)

    def on_close(self, connection, code, reason, was_clean):
        self.record("close", [connection.id, code, reason, was_clean, connection.is_open])
        ids = [one.id for one in self.get_connections()]
        self.record("left", ids)
        try:
            connection.send("too late")
        except Exception as error:
            self.record("send in on_close", type(error).__name__)

    def on_error(self, connection, error):
        self.record("error", [connection.id, str(error)])

    def on_alarm(self):
        self.record("alarm", self.name)

    def do_echo(self, connection, text):
        connection.send(text)

    async def do_echo_later(self, connection, text):
        await asyncio.sleep(0)
        connection.send(text)

    def do_broadcast(self, connection, text, exclude=()):
        self.broadcast(text, exclude)

    def do_broadcast_json(self, connection, value, *ids):
        self.broadcast_json(value, exclude=[connection, *ids])

    def do_broadcast_to(self, connection, text, to, exclude=()):
        """`to` is a tag, or a list of ids."""
        if isinstance(to, list):
            to = [one for id in to for one in self.get_connections(id)]
        self.broadcast(text, exclude, to=to)

    def do_broadcast_bytes_to(self, connection, numbers, tag):
        self.broadcast(bytes(numbers), to=tag)

    def do_broadcast_json_to(self, connection, value, other):
        self.broadcast_json(value, to=self.get_connection(other))

    def do_broadcast_to_kept(self, connection, other):
        """To a connection that closes in between."""
        kept = self.get_connection(other)
        kept.close(4000)
        self.broadcast("too late", to=kept)
        connection.send_json(["sent"])

    def do_try_broadcast_to(self, connection, to, exclude=(), message="to nobody"):
        try:
            self.broadcast(message, exclude, to=to)
        except TypeError as error:
            connection.send_json(["raised", str(error)])

    def do_try_broadcast(self, connection, exclude):
        try:
            self.broadcast("to nobody", exclude)
        except TypeError as error:
            connection.send_json(["raised", str(error)])

    def do_broadcast_bytes(self, connection, numbers):
        self.broadcast(bytes(numbers))

    def do_ids(self, connection, *tags):
        found = self.get_connections(tags or None)
        connection.send_json(["ids", [one.id for one in found]])

    def do_len(self, connection, *tags):
        found: Any = self.get_connections(tags or None)
        told = [len(found), bool(found), next(found).id, len(found), [one.id for one in found]]
        connection.send_json([*told, len(found), bool(found), next(found, "no more")])

    def do_missing_binding(self, connection):
        connection.send_json(checks.missing_in(self.env))

    async def do_forget(self, connection):
        storage: Any = self.ctx.storage  # else type checkers tell it
        storage.put("forgotten", 1)  # the call of storage
        kept = storage.get("forgotten")  # the other call of storage
        del kept
        connection.send_json(["forgot", await self.ctx.storage.get("forgotten")])

    def do_tell(self, connection, to, text):
        self.get_connection(to).send(text)

    def do_set_state(self, connection, value):
        connection.send_json(["state", connection.set_state(value)])

    def do_count(self, connection):
        connection.set_state(lambda previous: (previous or 0) + 1)
        connection.send_json(["state", connection.state])

    def do_state(self, connection):
        connection.send_json(["state", connection.state])

    def do_describe(self, connection):
        connection.send_json(
            {
                "id": connection.id,
                "uri": connection.uri,
                "tags": list(connection.tags),
                "server": connection.server,
                "name": self.name,
                "is_open": connection.is_open,
            }
        )

    def do_close(self, connection, *code_and_reason):
        connection.close(*code_and_reason)
        connection.close()
        try:
            connection.send("too late")
        except Exception as error:
            self.record("send", type(error).__name__)

    def do_close_other(self, connection, other, *code_and_reason):
        self.get_connection(other).close(*code_and_reason)

    def do_raise(self, connection, text="told to"):
        raise ZeroDivisionError(text)

    async def do_raise_later(self, connection, text="told to"):
        await asyncio.sleep(0)
        raise ZeroDivisionError(text)

    def do_try(self, connection, method, *arguments):
        """Call a method of the connection and send back what it raised."""
        try:
            getattr(connection, method)(*arguments)
        except Exception as error:
            connection.send_json(["raised", type(error).__name__, str(error)])
        else:
            connection.send_json(["returned"])

    def do_try_state(self, connection, size):
        connection.set_state("kept")
        try:
            connection.set_state("x" * size)
        except StateTooLargeError as error:
            connection.send_json([type(error).__name__, error.size, error.limit, connection.state])

    def do_try_bad_state(self, connection):
        connection.set_state("kept")
        try:
            connection.set_state({"not": {"JSON-like": object()}})
        except Exception as error:
            connection.send_json([type(error).__name__, connection.state])

    def do_parse_deep_json(self, connection, depth):
        try:
            parse_json("[" * depth)
        except ValueError as error:
            connection.send_json(["raised", str(error)])

    def do_parse(self, connection, text):
        try:
            parse_json(text)
        except ValueError as error:
            connection.send_json(["raised", str(error)])

    def do_send_number(self, connection, number):
        try:
            connection.send_json({"x": [1, float(number)]})
        except Exception as error:
            connection.send_json(["raised", type(error).__name__, str(error)])

    def do_sql(self, connection, query, *params):
        try:
            connection.send_json(["rows", self.sql(query, *params)])
        except Exception as error:
            connection.send_json(["raised", type(error).__name__, str(error)])

    def do_template(self, connection, how, name):
        try:
            connection.send_json(["rows", getattr(templates, how)(self, name)])
        except Exception as error:
            connection.send_json(["raised", type(error).__name__, str(error)])

    def do_entry(self, connection):
        """The way in: can it suspend, is it a shortcut, are there shortcuts, was it dispatched?"""
        direct = not any(map(calls.on_a_method, ["webSocketMessage", "hear_message"]))
        dispatched = direct and not calls.on_a_method("message_arrived")
        connection.send_json([can_run_sync(), direct, switch.enabled, dispatched])

    def do_identity(self, connection):
        same = self.get_connection(connection.id)
        connection.send_json(
            [same == connection, hash(same) == hash(connection), same in {connection: 1}]
        )

    async def do_alarm(self, connection, milliseconds):
        await self.ctx.storage.setAlarm(js.Date.now() + milliseconds)
        connection.send_json(["alarm set"])

    def do_remember(self, connection, other):
        self.remembered = self.get_connection(other)
        connection.send_json(["remembered", other])

    def do_try_remembered(self, connection):
        """Send to a connection that may be gone by now, and close it."""
        try:
            self.remembered.send("are you there?")
        except Exception as error:
            connection.send_json(["raised", type(error).__name__])
        else:
            connection.send_json(["sent"])
        self.remembered.close()

    def do_broadcast_large(self, connection, size, exclude=()):
        self.broadcast(bytes(size), exclude)

    def do_read_late(self, connection, other):
        """What a connection says of itself, asked after its socket has said other things."""
        found = self.get_connection(other)
        list(self.get_connections())
        kept = found.socket.deserializeAttachment()
        setattr(kept, "__user", "another's")
        found.socket.serializeAttachment(kept)
        found.close(4000, "read later")
        connection.send_json([found.id, found.state, found.tags, found.query.get("x")])

    def do_break_socket(self, connection, other):
        """Close a socket behind the library's back."""
        self.get_connection(other).socket.close(3333, "behind your back")


class ScriptedSleepy(Scripted):
    options = {"hibernate": True}


class Failing(Recorder):
    """Raises in the hook that the room is named after; `-async` at the end: after a suspension."""

    def failing(self, hook):
        wanted, _, how = self.name.partition("-")
        if wanted != hook:
            return None
        error = ValueError(f"{hook} fails, secretly")
        if how:
            return self.fail_later(error)
        raise error

    async def fail_later(self, error):
        await asyncio.sleep(0)
        raise error

    def get_connection_tags(self, connection, ctx):
        return self.failing("get_connection_tags") or []

    def on_connect(self, connection, ctx):
        if connection.id == "witness":
            return None
        self.record("connect", connection.id)
        return self.failing("on_connect")

    def on_message(self, connection, message):
        if message == "ping":
            connection.send("pong")
            return None
        if message == "alarm":
            return self.ctx.storage.setAlarm(datetime.now(UTC) + timedelta(milliseconds=20))
        if message == "boom":
            raise LookupError("boom")
        return self.failing("on_message")

    def on_close(self, connection, code, reason, was_clean):
        self.record("close", [connection.id, code])
        return self.failing("on_close")

    def on_error(self, connection, error):
        self.record("error", connection.id)
        return self.failing("on_error")

    def on_alarm(self):
        self.record("alarm")
        return self.failing("on_alarm")

    def on_exception(self, error):
        super().on_exception(error)
        return self.failing("on_exception")

    def on_get(self, path, request):
        return self.failing("on_request") or Response("fine")


class FailingSleepy(Failing):
    options = {"hibernate": True}


class Debugging(Failing):
    options = {"debug": True}


class Starting(Server):
    """`on_start` raises as often as the room's name says, and is counted across evictions."""

    async def on_start(self):
        starts = (await self.ctx.storage.get("starts") or 0) + 1
        await self.ctx.storage.put("starts", starts)
        self.messages = []
        await asyncio.sleep(0)
        if starts <= int(self.name):
            raise RuntimeError(f"start {starts} fails")

    async def on_request(self, request):
        return Response(str(await self.ctx.storage.get("starts")))

    def on_message(self, connection, message):
        self.messages.append(message)
        connection.send(",".join(self.messages))

    async def started_by(self, caller):
        return f"{caller} sees {self.messages}"


class StartingSleepy(Starting):
    options = {"hibernate": True}


class Endless(Server):
    """`on_start` never finishes the first time."""

    async def on_start(self):
        starts = (await self.ctx.storage.get("starts") or 0) + 1
        await self.ctx.storage.put("starts", starts)
        if starts == 1:
            await asyncio.get_event_loop().create_future()
        self.starts = starts

    def on_request(self, request):
        return Response(f"start {self.starts}")


class Strict(Scripted):
    options = {"duplicate_ids": "reject", "max_message_size": 100}


class StrictSleepy(Strict):
    options = {"hibernate": True}


class Replacing(Scripted):
    options = {"duplicate_ids": "replace"}


class ReplacingSleepy(Replacing):
    options = {"hibernate": True}


class Blocking(Scripted):
    """May block in a message hook."""

    options = {"sync_io": True}

    def do_block(self, connection):
        run_sync(asyncio.sleep(0.01))
        connection.send("unblocked")


class BlockingSleepy(Blocking):
    options = {"hibernate": True}


def unusual_attachment(kind):
    """Those that JSON has not, or whose identity is none."""
    value = js.Object.new()
    match kind.partition("?")[0]:
        case "cyclic":
            value.itself = value
        case "identified-by-itself":
            value.__pk = value
            value.id = "own"
        case "large":
            value.__pk = js.Object.new()
            value.__pk.id = js.BigInt(1)
        case "deep":
            text = '{"__pk": {"id": ' + "[" * 3000 + "]" * 3000 + "}}"
            value = js.JSON.parse(text)
        case "text":
            value = "text"
    return value


class Foreign(Scripted):
    """Accepts sockets of its own, past the library."""

    options = {"hibernate": True}

    async def fetch(self, request):
        if "/own" not in request.url:
            return await super().fetch(request)
        client, socket = js.WebSocketPair.new().object_values()
        self.ctx.acceptWebSocket(socket)
        if "/own/" in request.url:
            socket.serializeAttachment(unusual_attachment(request.url.rpartition("/")[2]))
        return Response(None, status=101, web_socket=client)


class Restoring(Scripted):
    """Looks at its connections while it is constructed, as the platform's examples do."""

    options = {"hibernate": True}

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.restored = [one.id for one in self.get_connections()]
        self.broadcast("restored")


class Answering(Recorder):
    """HTTP, and methods that are called over RPC."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.name_in_init = self.name if ctx.id.name else "unnamed"
        self.shouted = self.shout("quietly")

    def on_get(self, path, request):
        if path == "/nothing":
            return None
        if path == "/headers":
            return Response.from_json({key.lower(): text for key, text in request.headers.items()})
        return Response(f"{request.method} {path} in {self.name} ({self.name_in_init})")

    def shout(self, text):
        return text.upper()

    async def describe(self, value):
        return {"name": self.name, "value": value, "starts": len(self.events("start"))}


class Deciding(Server):
    """Answers a close with a code of its own."""

    async def on_close(self, connection, code, reason, was_clean):
        await asyncio.sleep(0)
        connection.close(4999, "no, mine")


class DecidingSleepy(Deciding):
    options = {"hibernate": True}


class Named(Server):
    """Whose own methods are called as the library's, for callers over RPC and for itself."""

    options = {"duplicate_ids": "replace"}

    def on_start(self, props=None):
        self.started = True

    def broadcast(self, *arguments, to=None):
        return ["broadcast", self.started]

    def sql(self, *arguments):
        return ["sql", self.started]

    def get_connection(self, *arguments):
        return ["get_connection", self.started]

    def get_connections(self, *arguments):
        return ["get_connections", self.started]

    def name(self):  # type: ignore[override]
        return ["name", self.started]

    def party_fetch(self, *arguments):  # type: ignore[override]
        return ["party_fetch", self.started]

    def transaction(self, *arguments):  # type: ignore[override]
        return ["transaction", self.started]

    def on_connect(self, connection, ctx):
        connection.send_json([connection.server, *map(list, super().get_connection("a").tags)])

    def on_message(self, connection, message):
        super().broadcast(message)

    def on_request(self, request):
        raise ValueError("to be reported")


class NamedSleepy(Named):
    options = {"hibernate": True}


class Plain(Server):
    """Every default."""


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        tell_of_rejections()
        path = "/" + request.url.split("/", 3)[3]
        if path.startswith("/routed/"):
            return await self.routed(path.split("/")[2], request)
        if path.startswith("/starting/"):
            return Response.from_json(await starting.look(self, path.split("/")[2]))
        if path.startswith("/keeping/"):
            return Response.from_json(await keeping.call(self, path.split("/")[2]))
        if path == "/json":
            return await keeping.answer(request)
        if path.startswith("/without/"):
            return {
                "none": None,
                "text": "text",
                "await": path.endswith("await") and route_partykit_request(request, self.env),
            }[path.split("/")[2]]
        if path.startswith("/waiting/"):
            return await waiting.request(*path.split("/")[2:])
        if path.startswith("/calls/"):
            return Response.from_json(await calls.look(path))
        if path.startswith("/check/"):
            return Response.from_json(await checks.run(path.split("/")[2], self))
        if path.startswith("/acting/"):
            return await places.route(self, path, request)
        if path.startswith("/guests/"):
            return await guests.route(self, path, request)
        if path.startswith("/storing/"):
            return Response.from_json(await storing.call(self, *path.split("/")[2:]))
        if path.startswith("/migrating/"):
            return Response.from_json(await migrating.call(self, *path.split("/")[2:]))
        if path.startswith("/rpc/"):
            return await self.rpc(*path.split("?")[0].split("/")[2:])
        if path.startswith("/props/"):
            binding, header = path.removeprefix("/props/").split("?")
            return await self.with_bad_props(binding, header, request)
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)

    async def with_bad_props(self, binding, header, request):
        """`/props/<binding>?<header>`: straight to a room, with that header for its props."""
        namespace = getattr(self.env, binding)._binding
        headers = [*request.headers.items(), ("x-partykit-props", unquote(header))]
        stub = namespace.get(namespace.idFromName("props"))
        return Response(await stub.fetch(Request(request, headers=headers).js_object))

    async def routed(self, how, request):
        """`/routed/<how>/parties/...`: routing with the options of that name."""
        answer = await route_partykit_request(
            request, None, prefix=f"routed/{how}/parties", **getattr(self, "with_" + how)()
        )
        return answer or Response("no party URL", status=404)

    def with_nothing(self):
        return {}

    def with_props(self):
        return {"props": {"greeting": "grüß dich", "n": [1, None]}}

    def with_cors(self):
        return {"cors": True}

    def with_own_cors(self):
        return {"cors": {"Access-Control-Allow-Origin": "https://example.com"}}

    def with_origins(self):
        return {"allowed_origins": ["https://example.com"]}

    def with_hooks(self):
        def before(request, lobby):
            if "refuse" in request.url:
                where = f"{lobby.party} {lobby.class_name} {lobby.name}"
                return Response(f"refused {where}", status=401)
            if "wrong" in request.url:
                return "not a response"
            if "raise" in request.url:
                raise ValueError("a secret of the hook")
            if "replace" in request.url:
                headers = [("x-added", "by the hook"), *request.headers.items()]
                return Request(request, headers=headers)
            return None

        async def before_async(request, lobby):
            await asyncio.sleep(0)
            return before(request, lobby)

        return {"on_before_request": before, "on_before_connect": before_async}

    def with_json(self):
        return {"on_before_request": lambda request, lobby: keeping.answer(request)}

    def with_reading(self):
        return {"on_before_request": bodies.before}

    def with_jurisdiction(self):
        return {"jurisdiction": "eu", "location_hint": "weur"}

    async def rpc(self, binding, name, method, *arguments):
        stub = await get_server_by_name(
            getattr(self.env, binding), name, routing_retry=RoutingRetry(max_attempts=2)
        )
        return Response.from_json(await getattr(stub, method)(*arguments))
