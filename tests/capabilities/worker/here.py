"""Rooms that know who is here, and do what a test says: `[name, *arguments]`, as JSON."""

import asyncio
import json
import sys
from inspect import isawaitable
from math import nan
from urllib.parse import parse_qsl, urlsplit

from partyserver import Connection, Server
from partyserver.presence import Presence
from workers import Response


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


#: What JSON does not bring into a room.
VALUES = {
    "bytes": b"\x00",
    "set": {1},
    "nan": nan,
    "deep": nested(600),
    "deeper": nested(100_000),
    "large": "x" * 17_000,
    "half": "\ud83d",
}


class Commanded(Server):
    """Does commands, and keeps what has happened in its storage."""

    def on_start(self):
        self.sql("create table if not exists log (entry text)")

    def record(self, *entry):
        self.sql("insert into log values (?)", json.dumps(entry))

    async def do(self, name, *arguments):
        try:
            result = getattr(self, f"do_{name}")(*arguments)
            return await result if isawaitable(result) else result
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    async def on_message(self, connection, message):
        answer = ["done", await self.do(*json.loads(message))]
        if connection.is_open:
            connection.send_json(answer)

    async def on_request(self, request):
        return Response.from_json(await self.do(*json.loads(await request.text())))

    def do_log(self):
        entries = [json.loads(row["entry"]) for row in self.sql("select entry from log")]
        self.sql("delete from log")
        return entries

    def one(self, id) -> Connection:
        connection = self.get_connection(id)
        if connection is None:
            raise LookupError(id)
        return connection

    def do_kick(self, *ids):
        for id in ids:
            self.one(id).close(4000)
        return self.look()

    def look(self):
        return None


class Here(Presence, Commanded):
    def on_start(self):
        super().on_start()
        if self.ctx.storage.kv.get("broken"):
            self.ctx.storage.kv.delete("broken")
            raise ZeroDivisionError("of on_start")
        if present := self.present():
            self.record("start", present)

    def get_connection_tags(self, connection, ctx):
        if query_of(ctx.request.url).get("then") == "too early":
            self.record("early", self.do_try_to_track(connection, "early"))
        return []

    async def on_connect(self, connection, ctx):
        query = query_of(ctx.request.url)
        if "key" in query:
            self.track(connection, query["key"], json.loads(query.get("meta", "null")))
        match query.get("then"):
            case "fail":
                raise PermissionError("not you")
            case "fail later":
                await asyncio.sleep(0.01)
                raise PermissionError("not you either")
            case "close":
                connection.close(4000)
                self.record("closed", self.do_try_to_track(connection, "late"))

    def on_join(self, key, meta):
        self.record("join", key, meta)
        if key in ("ping", "pong"):
            [connection] = self.get_connections()
            self.track(connection, "pong" if key == "ping" else "ping")
        if key == "joins badly":
            sys.exit("in on_join")

    async def on_leave(self, key):
        self.record("leave", key, self.present())
        if key == "restless":
            self.track(self.one("a"), "home")
        await asyncio.sleep(0)
        if key == "leaves badly":
            sys.exit("in on_leave")
        self.record("left", key)

    def on_close(self, connection, code, reason, was_clean):
        self.record("close", connection.id, self.present())

    def look(self):
        return self.present()

    def do_present(self):
        return self.present()

    def do_track(self, id, key, meta=None):
        self.track(self.one(id), key, meta)

    def do_untrack(self, id):
        self.untrack(self.one(id))

    def do_track_value(self, id, key, value):
        self.track(self.one(id), key, VALUES[value])

    def do_try_to_track(self, connection, key):
        try:
            self.track(connection, key)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def do_track_others(self):
        """What is no connection, and one that is closed."""
        [connection] = self.get_connections()
        connection.close(4000)
        return [self.do_try_to_track(one, "x") for one in (connection, connection.id, None)]

    def do_untrack_closed(self, id):
        connection = self.one(id)
        connection.close(4000)
        self.untrack(connection)
        self.untrack(connection)
        return self.present()

    def do_change(self, id):
        """What `present` and a state have given out is the caller's own."""
        connection = self.one(id)
        connection.set_state({"mine": 1})
        self.present()[id].append("changed")
        return [self.present(), connection.state]

    def do_break(self):
        """The next `on_start` fails."""
        self.ctx.storage.kv.put("broken", True)


class HereSleepy(Here):
    options = {"hibernate": True}


class Replacing(Here):
    options = {"duplicate_ids": "replace"}


class ReplacingSleepy(Replacing):
    options = {"hibernate": True}


class OwnNames(Presence, Commanded):
    """Methods that are called as the mixin's are the author's, and the library calls none."""

    def on_connect(self, connection, ctx):
        Presence.track(self, connection, connection.id)

    def track(self, who):  # type: ignore[override]
        self.record("track", who)
        return f"{who} is on the track"

    def present(self, what):  # type: ignore[override]
        return f"a present: {what}"


class OwnNamesSleepy(OwnNames):
    options = {"hibernate": True}
