"""Rooms with documents, in both connection modes."""

import asyncio
import json
from functools import partial
from typing import Any

from partyserver import PartyServerError, Server, route_partykit_request
from partyserver.schedule import Schedule
from partyserver.yjs import YMixin, YServer
from partyserver.yjs.mixin import _room
from workers import Response, WorkerEntrypoint

#: Client 5 has inserted "hi" into the text `t`, and "!" behind it.
HI = bytes.fromhex("01 01 05 00 04 01 01 74 02 68 69 00")
MARK = bytes.fromhex("01 01 05 02 84 05 01 01 21 00")
#: What any room of this process has saved.
saved: list[tuple[str, str]] = []
#: What no checker of types would let pass.
NO_BYTES: Any = "text"


class Notes(YServer):
    """What a document does by default. By HTTP it can be read and changed."""

    def is_read_only(self, connection):
        if connection.query.get("readonly") == "fails":
            raise ValueError("who knows")
        return connection.query.get("readonly") == "true"

    def on_custom_message(self, connection, text):
        match text.split(" ", 1):
            case ["all", rest]:
                self.broadcast_custom_message(rest)
            case ["others", rest]:
                self.broadcast_custom_message(rest, [connection])
            case _:
                self.send_custom_message(connection, f"you said {text}")

    def on_message(self, connection, message):
        what, _, size = str(message).partition(" ")
        if what == "state":
            connection.set_state({"filling": "x" * int(size)})
        connection.send(f"on_message: {message}")

    async def on_request(self, request):
        what = request.url.rpartition("/")[2].partition("?")[0]
        body = await request.bytes() if request.method == "POST" else b""
        try:
            return await self.answer(what, body)
        except (TypeError, ValueError, PartyServerError) as error:
            return Response(f"{type(error).__name__}: {error}", status=400)

    async def answer(self, what, body):
        match what:
            case "state":
                return Response(self.encode_state())
            case "vector":
                return Response(self.state_vector())
            case "diff":
                return Response(self.encode_state(body))
            case "apply":
                return Response(str(self.apply_update(body)))
            case "wrong":
                try:
                    self.apply_update(NO_BYTES)
                except TypeError as error:
                    return Response(f"{error}; {self.wrong_vector()}")
            case "undone":
                return Response(self.undone(body))
            case "rolled-back":
                await self.ctx.storage.transaction(partial(self.roll_back, body))
                return Response("rolled back")
            case "raised" | "rolled-back-at-once":
                return Response(await self.raise_in_transaction(what, body))
            case "committed":
                await self.ctx.storage.transaction(partial(self.commit, body))
                return Response("committed")
            case "dropped":
                _dropped = self.ctx.storage.transaction(partial(self.commit, body))
                return Response("not awaited")
            case "marked":
                return Response(await self.mark_in_transaction(body))
            case "alarm-of-a-transaction":
                return Response.from_json(await self.set_alarm_in_transaction(int(body)))
            case "committed-at-once":
                self.ctx.storage.transactionSync(partial(self.commit_at_once, body))
                return Response("committed")
            case "committed-in-both":
                self.transaction(
                    self.ctx.storage.transactionSync, partial(self.commit_at_once, body)
                )
                return Response("committed")
            case "delete":
                await self.ctx.storage.deleteAll()
                return Response("deleted")
            case "structs":  # in memory
                return Response(str(len(_room(self).document._all())))
            case "held":  # likewise
                return Response(str(_room(self).document._store is not None))
            case "alarm":
                pending = await self.ctx.storage.getAlarm()
                await self.ctx.storage.deleteAlarm()
                return Response(str(pending))
            case "set-alarm":
                await self.ctx.storage.setAlarm(int(body))
                return Response(str(await self.ctx.storage.getAlarm()))
            case "connections":
                return Response.from_json(sorted(one.id for one in self.get_connections()))
            case "sql":
                return Response.from_json(self.sql(body.decode()))
            case "log":
                return Response.from_json(self.log())
        return Response("Not Found", status=404)

    def wrong_vector(self):
        try:
            return self.encode_state(NO_BYTES)
        except TypeError as error:
            return error

    async def roll_back(self, update, transaction):
        self.apply_update(update)
        transaction.rollback()

    async def raise_in_transaction(self, way, update):
        async def fail(transaction):
            fail_at_once()

        def fail_at_once():
            self.apply_update(update)
            raise LookupError("undone")

        try:
            if way == "raised":
                await self.ctx.storage.transaction(fail)
            else:
                self.ctx.storage.transactionSync(fail_at_once)
        except Exception:
            return "rolled back"

    async def commit(self, update, transaction):
        self.commit_at_once(update)

    async def mark_in_transaction(self, update):
        marks = []

        async def mark(transaction):
            self.apply_update(update)
            query = "select name from _partyserver_yjs_index where name = 'unsaved'"
            marks.extend(self.sql(query))

        await self.ctx.storage.transaction(mark)
        return str(len(marks))

    async def set_alarm_in_transaction(self, time):
        async def set_alarm(transaction):
            await transaction.setAlarm(time)

        await self.ctx.storage.transaction(set_alarm)
        before = await self.ctx.storage.getAlarm()
        await self.ctx.storage.deleteAlarm()
        return [before, await self.ctx.storage.getAlarm()]

    def commit_at_once(self, update):
        self.apply_update(update)
        self.broadcast("before the end")

    def undone(self, update):
        def fail():
            self.apply_update(update)
            raise LookupError("undone")

        try:
            self.transaction(fail)
        except LookupError as error:
            return f"{error}"

    def record(self, *entry):
        self.sql("create table if not exists log (entry text)")
        self.sql("insert into log values (?)", json.dumps(entry))

    def log(self):
        self.sql("create table if not exists log (entry text)")
        return [json.loads(row["entry"]) for row in self.sql("select entry from log")]

    def on_exception(self, error):
        self.record("exception", f"{type(error).__name__}: {error}")


class NotesSleepy(Notes):
    options = {"hibernate": True}


class Kept(Notes):
    """It keeps what was deleted."""

    options = {"collect_garbage": False}


class Seeded(Notes):
    """A document that begins with something."""

    async def on_load(self):
        self.record("on_load")
        match self.name.partition("-")[0]:
            case "list":
                return [MARK, HI]
            case "none":
                return None
            case "text":
                return "hi"
            case "half":
                return [HI, MARK[:-1]] if len(self.log()) < 2 else HI
            case "malformed":
                return b"\1"
            case "fails" if len(self.log()) < 3:
                raise ValueError("not yet")
        return HI


class SeededSleepy(Seeded):
    options = {"hibernate": True}


class Saved(Notes):
    """A document with a copy elsewhere."""

    options = {"debounce_wait": 0.2, "debounce_max_wait": 0.5}

    async def on_start(self):
        if self.name == "fails-to-start" and self.log() and ["late"] not in self.log():
            self.record("late")
            raise LookupError("the room starts late")

    async def on_save(self, update):
        self.record("on_save", update.hex())
        if self.name.startswith("fails") and len(self.log()) < 3:
            raise ValueError("not yet")
        saved.append((type(self).__name__, update.hex()))

    async def on_alarm(self):
        self.record("on_alarm")


class SavedSleepy(Saved):
    options = {"hibernate": True}


class SavedTimed(Schedule, Saved):
    """It has timers as well."""


class Slow(Saved):
    """Its copy takes a while, or for ever."""

    async def on_save(self, update):
        self.record("begins", update.hex())
        await asyncio.sleep(3600 if self.name == "stuck" else 0.5)
        self.record("ends", update.hex())


class SlowSleepy(Slow):
    options = {"hibernate": True}


class SavedLate(Notes):
    options = {"debounce_wait": 60, "debounce_max_wait": 60}

    def on_save(self, update):
        self.record("on_save", update.hex())
        if self.name == "fails":
            raise ValueError("not yet")

    async def on_alarm(self):
        self.record("on_alarm")


class SavedLateSleepy(SavedLate):
    options = {"hibernate": True}


class Mixed(YMixin, Server):
    """A document beside what a room does with its own binary messages, which it never sees."""

    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.send(f"on_message: {message}")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/definitions"):
            return Response.from_json(definitions())
        if request.url.endswith("/saved"):
            return Response.from_json(saved)
        return await route_partykit_request(request, self.env) or Response("", status=404)


def definitions():
    """What becomes of classes that would not do what their author expects."""
    told = []
    for members in (
        {"is_read_only": _async},
        {"options": {"debounce_wait": 2000}},
        {"options": {"debounce_max_wait": "2"}},
        {"options": {"collect_garbage": None}},
        {"onLoad": _async},
    ):
        try:
            type("Wrong", (YServer,), members)
        except TypeError as error:
            told.append(str(error))
        else:
            told.append(None)
    try:
        type("Plain", (Server,), {"options": {"debounce_wait": 1}})
    except TypeError as error:
        told.append(str(error))
    return told


async def _async(self, *arguments): ...
