"""Rooms with timers. A POST tells one what to do: a JSON list of a command and its arguments."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from partyserver import Server, parse_json, partykit
from partyserver.reserved import life_of
from partyserver.runtime import can_run_sync
from partyserver.schedule import Retry, Schedule
from partyserver.schedule.mixin import _SCHEDULE
from workers import Response


def shown(timer):
    """A timer as JSON."""
    if timer is None:
        return None
    names = ("id", "callback", "payload", "type", "delay", "cron", "interval")
    return {name: getattr(timer, name) for name in names} | {
        "time": timer.time.isoformat(),
        "attempts": timer.retry.max_attempts,
    }


class Later:
    """An awaitable that is no coroutine."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        return self.coroutine.__await__()


class Timed(Schedule, Server):
    """Does what it is told, and writes down what its timers do, in `ran`."""

    async def on_start(self):
        self.sql("create table if not exists ran (what text, at real, started integer)")
        self.sql("create table if not exists kept (name text primary key, value integer)")
        self.started = False
        if self.name.startswith("fails-to-start"):
            starts = self.count("starts")
            if self.kept("failures") >= starts:
                armed = isinstance(await self.ctx._ctx.storage.getAlarm(), int)
                raise RuntimeError(f"start {starts} fails, {'' if armed else 'not '}armed")
        if self.name.startswith("schedules"):
            await self.schedule(3600, "note", "once", idempotent=True)
            await self.schedule_every(60, "note", "every")
            await self.schedule("0 9 * * 1", "note", "Monday")
            if self.name == "schedules-and-piles-up":
                await self.schedule(3600, self.note, "one more")
                await self.schedule(3600, self.note, "one more")
                await self.schedule(3600, "plain", idempotent=False)
        self.started = True

    def kept(self, name):
        rows = self.sql("select value from kept where name = ?", name)
        return rows[0]["value"] if rows else 0

    def keep(self, name, value):
        self.sql("insert or replace into kept values (?, ?)", name, value)

    def count(self, name):
        self.keep(name, self.kept(name) + 1)
        return self.kept(name)

    def write(self, what):
        self.sql("insert into ran values (?, ?, ?)", str(what), time.time(), self.started)

    # --- callbacks --------------------------------------------------------------------

    def note(self, payload):
        self.write(payload)

    def plain(self):
        self.write("plain")

    async def later(self, payload=None):
        await asyncio.sleep(0.01)
        self.write(payload)

    def fail(self, payload):
        """Fail as often as the payload says."""
        failures = self.count(f"fail {payload}")
        self.write(f"attempt {failures}")
        if failures <= payload:
            raise ValueError(f"attempt {failures} fails")

    async def hang(self, payload):
        """The first call of it."""
        self.write("begins")
        if self.count("hang") == 1:
            await asyncio.Event().wait()
        self.write("ends")

    async def slow(self):
        self.write("slow begins")
        self.released = asyncio.Event()
        await self.released.wait()
        self.write("slow ends")

    async def writes_often(self):
        """How often the platform's alarm is set while this runs, and what it is then."""
        before = await self.platform_alarm()
        timer = await self.schedule(0, self.plain)
        await self.schedule_every(60, self.plain)
        await self.schedule_every(60, self.plain)
        await self.ctx.storage.setAlarm(4 * 10**12)
        await self.cancel_schedule(timer.id)
        self.write(await self.platform_alarm() == before)

    async def platform_alarm(self):
        return await self.ctx._ctx.storage.getAlarm()

    async def do_break_outcomes(self):
        """Have the library fail to store what has come of a callback."""
        rows = life_of(self).kept_by_parts[_SCHEDULE].rows
        ended = rows.ended

        def fail(*arguments):
            rows.ended = ended
            raise RuntimeError("nothing can be stored")

        rows.ended = fail

    async def do_began_before(self, seconds):
        """Have what runs seem to have begun earlier."""
        for run in life_of(self).kept_by_parts[_SCHEDULE].runs._running.values():
            run.began -= seconds * 1000

    async def do_transaction(self, fails):
        seen = []

        async def work(transaction):
            await transaction.put("fails", fails)
            await transaction.setAlarm(int(time.time() * 1000) + 1_800_000)
            seen.append(await transaction.getAlarm() == await self.ctx.storage.getAlarm())
            if fails == "rollback":
                transaction.rollback()
            elif fails:
                raise ValueError("undone")

        try:
            await self.ctx.storage.transaction(work)
        except Exception as error:
            self.failure = str(error)
        return [*seen, await self.ctx.storage.getAlarm() is not None]

    async def do_asked_at_once(self):
        asked = self.ctx.storage.getAlarm()
        await self.ctx.storage.setAlarm(4 * 10**12)
        return await asked

    async def do_release(self, seconds):
        """Have it end, in so many seconds."""
        asyncio.get_event_loop().call_later(seconds, self.released.set)

    async def abort(self, times):
        self.write("abort")
        if self.count("abort") <= times:
            await self.ctx.storage.sync()
            self.ctx.abort("in a callback")

    async def cancel(self, ids):
        self.write([await self.cancel_schedule(id) for id in ids])

    async def again(self, left):
        self.write(f"{left} left")
        if left:
            await self.schedule(10, self.again, left - 1, idempotent=True)

    async def same_again(self):
        """With the payload that it has itself: it is not the one to come."""
        self.write("same")
        if self.count("same") < 3:
            await self.schedule(0.01, self.same_again, idempotent=True)

    async def delete_all(self):
        await self.ctx.storage.deleteAll()

    def tell(self, payload):
        self.broadcast_json({"told": payload, "at": time.time(), "sync": can_run_sync()})

    def act(self, how):
        """What user code may do in all places where the library calls it."""
        self.write("began")
        match how:
            case "exit":
                sys.exit("acted")
            case "exit_later":
                return self.exit_later()
            case "cancelled":
                return self.await_cancelled_task()
            case "coroutine":
                return self.in_two_steps()
            case "awaitable":
                return Later(self.in_one_step())

    async def exit_later(self):
        await asyncio.sleep(0)
        sys.exit("acted")

    async def await_cancelled_task(self):
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    async def in_two_steps(self):
        await asyncio.sleep(0)
        return self.in_one_step()

    async def in_one_step(self):
        await asyncio.sleep(0)
        self.write("done")

    @staticmethod
    def static(payload): ...

    def takes_two(self, one, two): ...

    def yields(self):
        yield

    @property
    def asked(self):
        raise AssertionError("properties are not evaluated")

    # --- hooks, without super() ---------------------------------------------------------

    async def on_alarm(self):
        self.write(f"on_alarm, {await self.ctx.storage.getAlarm()} pending")
        if self.kept("alarm overlaps"):
            self.keep("alarm overlaps", 0)
            await self.ctx.storage.setAlarm(int(time.time() * 1000))
            await self.slow()
        if self.kept("alarm fails"):
            self.keep("alarm fails", self.kept("alarm fails") - 1)
            if self.kept("alarm sets"):
                await self.ctx.storage.setAlarm(self.kept("alarm sets"))
            raise ValueError("on_alarm fails")

    def on_exception(self, error):
        super().on_exception(error)
        self.sql("insert into ran values (?, 0, 1)", f"on_exception: {error}")

    async def on_message(self, connection, message):
        await self.schedule(float(message), self.tell, message)
        connection.send("set")

    async def on_request(self, request):
        command, *arguments = parse_json(await request.text())
        try:
            result = await getattr(self, "do_" + command)(*arguments)
        except (TypeError, ValueError) as error:
            result = f"{type(error).__name__}: {error}"
        return Response.from_json(result)

    # --- commands -----------------------------------------------------------------------

    async def do_schedule(self, when, callback, payload=None, retry=None, **options):
        if isinstance(when, dict):
            when = MOMENTS[when["moment"]]()
        if retry is not None:
            options["retry"] = Retry(**retry)
        return shown(await self.schedule(when, callback, payload, **options))

    async def do_in(self, seconds, callback, payload=None, idempotent=None, **retry):
        return await self.do_schedule(
            seconds, callback, payload, retry=retry or None, idempotent=idempotent
        )

    async def do_every(self, seconds, callback, payload=None):
        return shown(await self.schedule_every(seconds, callback, payload))

    async def do_many(self, count):
        for number in range(count):
            await self.schedule(3600, self.note, number)
        return len(self.list_schedules())

    async def do_filters(self, filters):
        return await self.do_list(**filters)

    async def do_get(self, id):
        return shown(self.get_schedule(id))

    async def do_list(self, **filters):
        for name in ("before", "after"):
            if name in filters:
                filters[name] = datetime.fromisoformat(filters[name])
        return [shown(timer) for timer in self.list_schedules(**filters)]

    async def do_cancel(self, id):
        return await self.cancel_schedule(id)

    async def do_refused(self):
        """What each of these says, as the class of its error and its text."""
        itself = {}
        itself["self"] = itself
        deep = []
        for _ in range(3000):
            deep = [deep]
        tries: dict[str, tuple[Any, ...]] = {
            "bool": (True, "note"),
            "negative": (-1, "note"),
            "NaN": (float("nan"), "note"),
            "infinite": (float("inf"), "note"),
            "huge": (10**400, "note"),
            "after 2189": (1e11, "note"),
            "naive": (datetime(2030, 1, 1), "note"),
            "a date": (datetime(2030, 1, 1).date(), "note"),
            "no cron": ("tomorrow", "note"),
            "a cron that never comes": ("0 0 30 2 *", "note"),
            "a long cron": ("0," * 100_000 + "0 * * * *", "note"),
            "no method": (1, "nothing"),
            "a property": (1, "asked"),
            "an attribute": (1, "started"),
            "of two": (1, "takes_two"),
            "a generator": (1, "yields"),
            "a function": (1, shown),
            "a lambda": (1, lambda _: None),
            "another's method": (1, itself.get),
            "a set": (1, "note", {1}),
            "an int key": (1, "note", {1: 2}),
            "not finite": (1, "note", [float("nan")]),
            "itself": (1, "note", itself),
            "deep": (1, "note", deep),
            "large": (1, "note", "x" * 1_000_001),
        }
        said = {}
        for name, arguments in tries.items():
            try:
                await self.schedule(*arguments)
            except (TypeError, ValueError) as error:
                said[name] = f"{type(error).__name__}: {error}"
        intervals: dict[str, Any] = {"never": 0, "too long": 31 * 86_400, "no number": "60"}
        for name, seconds in intervals.items():
            try:
                await self.schedule_every(seconds, "note")
            except (TypeError, ValueError) as error:
                said[name] = f"{type(error).__name__}: {error}"
        return said

    async def do_accepted(self):
        """As many timers as there are lines here."""
        await self.schedule(timedelta(minutes=1), self.static)
        await self.schedule(0, self.note, {"a": (1, 2.5, None)}, retry=Retry(max_attempts=1))
        await self.schedule(datetime.now(UTC) - timedelta(days=1), "in_one_step")
        await self.schedule("*/5 * * * * *", self.plain)
        await self.schedule_every(timedelta(days=30), self.plain)
        return await self.do_list()

    async def do_alarm(self, method, *arguments):
        return await getattr(self.ctx.storage, method + "Alarm")(*arguments)

    def do_forget_alarm(self):
        storage: Any = self.ctx.storage  # else type checkers tell it
        storage.setAlarm(4 * 10**12)  # forgotten

    async def do_raw(self, method, *arguments):
        """Past what stands before the storage; JavaScript's null is None here."""
        result = await getattr(self.ctx._ctx.storage, method)(*arguments)
        return result if isinstance(result, int) else None

    async def do_delete_all(self):
        await self.ctx.storage.deleteAll()
        left = await self.do_raw("getAlarm")
        await self.on_start()
        return left

    async def do_sql(self, query):
        return self.sql(query)

    async def do_keep(self, name, value):
        self.keep(name, value)

    async def do_call(self, name, method, *arguments):
        """Over RPC, of another room."""
        try:
            return await getattr(self.env.Timed.getByName(name), method)(*arguments)
        except Exception as error:
            return f"refused: {error}"

    async def do_ran(self):
        return [json.loads(json.dumps(row["what"])) for row in self.sql("select * from ran")]

    async def do_rows(self):
        return self.sql("select * from ran")


MOMENTS = {
    "in an hour": lambda: datetime.now(UTC) + timedelta(hours=1),
    "in the past": lambda: datetime(1960, 1, 1, tzinfo=UTC),
}


class TimedSleepy(Timed):
    options = {"hibernate": True}


class TimedParty(Schedule, partykit.Server[Any]):
    """In PartyKit's style: the party stands behind a host, which the platform knows."""

    options = {"hibernate": True}

    def __init__(self, room: partykit.Room):
        self.its_room = room

    async def on_start(self):
        self.ran = await self.its_room.storage.get("ran") or []
        await self.schedule(3600, self.write, "timer", idempotent=True)

    async def write(self, what):
        self.ran.append(what)
        await self.its_room.storage.put("ran", self.ran)

    async def on_alarm(self):
        await self.write(f"alarm, {await self.its_room.storage.get_alarm()} pending")

    async def on_request(self, request):
        storage = self.its_room.storage
        match request.url.rpartition("/")[2]:
            case "set":
                await storage.set_alarm(int(time.time() * 1000) + 1_800_000)
            case "delete":
                await storage.delete_all()
        timers = [shown(timer) for timer in self.list_schedules()]
        return Response.from_json([self.ran, len(timers), await storage.get_alarm() is not None])
