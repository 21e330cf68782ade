"""Servers that do what a library must survive."""

import asyncio
import sys
from collections import Counter
from contextlib import suppress
from typing import Any, ClassVar

import js
from partyserver import Server, SQLError
from pyodide.ffi import create_once_callable
from workers import Response


class Ending(Server):
    """Fails once, in the hook that the room is named after, with what is no `Exception`."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.failed = False
        self.told = []

    async def failing(self, hook):
        wanted, _, how = self.name.partition("-")
        if hook != wanted or self.failed:
            return
        self.failed = True
        if how == "exit":
            sys.exit(1)
        task = asyncio.ensure_future(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel()
        await task

    async def on_start(self):
        await self.failing("on_start")

    async def get_connection_tags(self, connection, ctx):
        await self.failing("get_connection_tags")
        return []

    async def on_connect(self, connection, ctx):
        await self.failing("on_connect")

    def on_message(self, connection, message):
        if self.name.startswith("on_message-exit") and not self.failed:
            self.failed = True
            return self.exit_late() if self.name.endswith("late") else sys.exit(1)
        connection.send(message)
        return None

    async def exit_late(self):
        await asyncio.sleep(0)
        sys.exit(1)

    async def on_request(self, request):
        if self.name == "on_exception-exit" and not self.failed:
            self.failed = True
            raise LookupError("to be told of")
        await self.failing("on_request")
        ids = [connection.id for connection in self.get_connections()]
        return Response.from_json([self.told, ids])

    def on_exception(self, error):
        self.told.append(type(error).__name__)
        return self.exit_late() if self.name == "on_exception-exit" else None


class EndingSleepy(Ending):
    options = {"hibernate": True}


class Exiting(Server):
    """Leaves behind what ends the process, or what goes on when the hook is over."""

    async def on_message(self, connection, message):
        loop = asyncio.get_running_loop()
        match message.split():
            case ["task"]:
                self.task = asyncio.create_task(self.exit())
            case ["promise"]:
                self.task = asyncio.create_task(self.exit(js.scheduler.wait(1)))
            case ["later"]:
                loop.call_later(0.01, sys.exit, 1)
            case ["soon"]:
                loop.call_soon(sys.exit, 1)
            case ["interrupt"]:
                loop.call_soon(interrupt)
            case ["group"]:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.exit())
            case ["wait", "until", what]:
                ctx: Any = self.ctx  # one of them is no awaitable
                ctx.waitUntil(self.awaitable(what, connection))
            case _:
                connection.send(message)

    async def exit(self, before=None):
        await (asyncio.sleep(0) if before is None else before)
        sys.exit(1)

    def awaitable(self, what, connection):
        match what:
            case "coroutine":
                return self.done(connection)
            case "task" | "future":
                return asyncio.ensure_future(self.done(connection))
            case "promise":
                return js.Promise.resolve(None).then(
                    create_once_callable(lambda _: connection.send("done"))
                )
            case "failure":
                return self.fail()
        return int(what)

    async def done(self, connection):
        await asyncio.sleep(0.01)
        connection.send("done")

    async def fail(self):
        await asyncio.sleep(0)
        raise ZeroDivisionError

    def on_exception(self, error):
        if not isinstance(error, SystemExit):
            what = f": {error}" if str(error) else ""
            self.broadcast(f"on_exception: {type(error).__name__}{what}")


class ExitingSleepy(Exiting):
    options = {"hibernate": True}


class Aborting(Server):
    """Aborts itself, while tasks of it wait; one named `starting-...`, as it starts."""

    went_on: ClassVar[list[str]] = []
    starts: ClassVar[Counter[str]] = Counter()

    def on_start(self):
        self.starts[self.name] += 1
        if self.name.startswith("starting"):
            return self.abort_later() if self.name.endswith("async") else self.ctx.abort("at once")
        return None

    async def abort_later(self):
        await asyncio.sleep(0)
        self.ctx.abort("at once")

    async def fetch(self, request):
        """All that waits for the start in one event."""
        if self.name.startswith("starting"):
            await asyncio.gather(*(self.until_started() for _ in range(3)), return_exceptions=True)
        return await super().fetch(request)

    async def until_started(self):
        await self.set_name(self.name)

    async def on_request(self, request):
        how = request.url.rpartition("/")[2]
        if how == "went-on":
            return Response.from_json(self.went_on)
        if how == "starts":
            return Response.from_json(self.starts)
        if how == "alive":
            return Response("alive")
        await self.keep_busy()
        self.abort_by(how)
        return Response("has gone on")

    async def on_message(self, connection, message):
        if message == "async":
            await self.keep_busy()
        self.abort_by(message)

    async def keep_busy(self):
        async def busy():
            for _ in range(50):
                await js.Promise.resolve(1)

        self.tasks = [asyncio.create_task(busy()) for _ in range(3)]
        await js.Promise.resolve(1)

    def abort_by(self, how):
        try:
            if how == "unexplained":
                self.ctx.abort()
            self.ctx.abort("by itself")
        except Exception as error:
            self.went_on.append(repr(error))
        self.went_on.append(how)


class AbortingSleepy(Aborting):
    options = {"hibernate": True}


def interrupt():
    raise KeyboardInterrupt


class Helped(Server):
    """Calls its own public methods before it has started."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.seen = []

    async def on_start(self):
        self.seen.append(self.shout("start"))
        await asyncio.sleep(0)
        self.seen.append(self.shout("later"))
        self.seen.append(await self.whisper("LATEST"))

    def shout(self, text):
        return text.upper()

    def seen_so_far(self):
        return self.seen

    async def whisper(self, text):
        return text.lower()

    def may_enter(self, request):
        return "LATER" in self.seen and "secret" in request.url

    async def fetch(self, request):
        if not self.may_enter(request):
            return Response("no entry", status=403)
        return await super().fetch(request)

    def on_request(self, request):
        return Response.from_json(self.seen)


class Renaming(Server):
    """Names itself, and fails in the hook that hears of failures."""

    started = False

    async def on_start(self):
        await self.set_name("chosen by itself")

    async def set_alarm(self):
        await self.ctx.storage.setAlarm(js.Date.now())

    def room_name(self):
        return self.name if self.started else None

    def on_alarm(self):
        self.started = True

    def on_request(self, request):
        raise ValueError("the first")

    def on_exception(self, error):
        self.sql("insert into nowhere values (1)")


class Querying(Server):
    """Catches what its queries raise, wherever they stand."""

    def on_start(self):
        self.transaction(self.try_query)  # of on_start

    async def on_request(self, request):
        await asyncio.sleep(0)
        self.try_query()  # of on_request
        return Response("caught")

    def value(self):
        try:
            return self.sql_value("select nope")  # of value
        except SQLError as error:
            names = []
            trace = error.__traceback__
            while trace is not None:
                names.append(trace.tb_frame.f_code.co_name)
                trace = trace.tb_next
            return names

    def try_query(self):
        with suppress(SQLError):
            self.sql("select nope")  # of try_query
