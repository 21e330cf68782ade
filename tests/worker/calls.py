"""How requests, RPC calls and messages come into Python, and what works there."""

import asyncio
import gc
import sys
from contextvars import ContextVar
from types import MethodType, SimpleNamespace
from typing import Any

from partyserver import Server
from partyserver.shortcuts import requests, switch
from pyodide.ffi import can_run_sync, run_sync
from workers import Response

marked: ContextVar[Any] = ContextVar("marked", default=None)
closed_generators = []


def way_in():
    """Whether this event came by a shortcut; and how the event loop and tasks look from here."""
    modules, frame = set(), sys._getframe()
    while frame is not None:
        modules.add(frame.f_globals["__name__"])
        frame = frame.f_back
    return {
        "shortcut": "partyserver.shortcuts.requests" in modules,
        "enabled": switch.enabled,
        "can suspend": can_run_sync(),
        "loop runs": asyncio.get_running_loop() is asyncio.get_event_loop(),
        "in a task": asyncio.current_task() is not None,
    }


def on_a_method(name):
    """Whether a message came through a method of this name."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == name:
            return True
        frame = frame.f_back
    return False


async def numbers(name):
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        closed_generators.append(name)


async def look(path):
    return await globals()[path.rpartition("/")[2].replace("-", "_")]()


async def now():
    return way_in()


async def later():
    await asyncio.sleep(0)
    return way_in()


async def blocking():
    run_sync(asyncio.sleep(0))
    await asyncio.sleep(0)
    run_sync(asyncio.sleep(0))
    return "blocked twice"


async def timing_out():
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError:
        return "timed out"


async def grouping():
    async def square(number):
        await asyncio.sleep(0)
        return number * number

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(square(number)) for number in range(4)]
    return [task.result() for task in tasks]


async def breaking():
    name = len(closed_generators)
    async for _ in numbers(name):
        break
    gc.collect()
    async with asyncio.timeout(60):
        while name not in closed_generators:
            await asyncio.sleep(0.001)
    return "closed"


async def leaving():
    """What is answered to a client that has left, whose task is collected."""
    answers = SimpleNamespace(given=[])
    answers.resolve = answers.given.append
    waiting = requests._deliver(asyncio.sleep(60), [answers])
    waiting.send(None)
    waiting.close()
    return answers.given


async def marking():
    before = marked.get()
    marked.set("by a request")
    return before


async def marking_later():
    await asyncio.sleep(0)
    return await marking()


class Calls(Server):
    async def on_request(self, request):
        return Response.from_json(await look(request.url))

    async def look(self, how):
        return await look(how)

    def look_plainly(self):
        return way_in()

    async def caught(self, method):
        """What this object's own caller gets when `method` raises."""
        stub = self.env.Calls.get(self.env.Calls.idFromName("failing"))
        try:
            return await getattr(stub, method)()
        except Exception as error:
            return [type(error).__name__, str(error).strip().splitlines()[-1]]

    async def constructed(self):
        """What a server is that this one makes by itself, of a raw context."""
        inner = Calls(self.ctx._ctx, self.env)
        return [isinstance(inner, Calls), inner.name]

    async def leave(self):
        raise SystemExit("at once")

    async def leave_late(self):
        await asyncio.sleep(0)
        raise SystemExit("late")

    async def interrupt(self):
        raise KeyboardInterrupt

    async def fail(self):
        raise LookupError("at once")

    async def fail_late(self):
        await asyncio.sleep(0)
        raise LookupError("late")

    def length(self):
        return "a method, and not a function's length"

    def call(self):
        return "a method, and not a function's call"

    def mark(self):
        before = marked.get()
        marked.set("by a call")
        return before


class Overriding(Calls):
    """Has a `fetch` of its own, with what the platform adds to a request."""

    options = {"hibernate": True}

    async def fetch(self, request, *more):
        if request.url.endswith("/fail"):
            raise LookupError("in fetch")
        if request.url.endswith("/fail-late"):
            await asyncio.sleep(0)
            raise LookupError("late in fetch")
        if request.url.endswith("/raw"):
            return Response("of fetch").js_object
        response = await super().fetch(request)
        return response.replace_body(f"{response.status}: {await response.text()}")


class Relaying(Server):
    """Sends binary messages on, at once and later, as they came and changed."""

    async def on_message(self, connection, message):
        if message == "later":
            await asyncio.sleep(0)
            connection.send(str(marked.get()))
            return
        if message == "breaking":
            connection.send(await breaking())
            return
        connection.send(message)
        self.broadcast(message, exclude=[connection.id])
        assert isinstance(message, bytes)
        connection.send(message[:1])
        connection.send(bytes(bytearray(message)))
        await asyncio.sleep(0)
        connection.send(message)
        self.broadcast(message + b"!")


class RelayingSleepy(Relaying):
    options = {"hibernate": True}


class Marking(Server):
    """Marks the context in a plain hook."""

    def on_message(self, connection, message):
        before = marked.get("nothing")
        marked.set("by a message")
        connection.send(before)

    def on_request(self, request):
        return Response(marked.get("nothing"))


class MarkingSleepy(Marking):
    options = {"hibernate": True}


class Mixed(Server):
    """A plain hook that sometimes gives a coroutine to await."""

    def on_message(self, connection, message):
        if message == "breaking":
            return self.breaking(connection)
        if message == "forget":  # as where Python has been entered for the first time
            sys.set_asyncgen_hooks(firstiter=None, finalizer=None)
        connection.send(message)
        return None

    async def breaking(self, connection):
        connection.send(await breaking())


class MixedSleepy(Mixed):
    options = {"hibernate": True}


class Patched(Server):
    """Replaces its async hook by a plain one that marks the context."""

    def on_start(self, props=None):
        self.on_message = MethodType(Marking.on_message, self)  # type: ignore[method-assign]

    async def on_message(self, connection, message):
        raise AssertionError("replaced")


def traced(cls):
    """Wraps a hook in a plain function that marks the context, as tracing does."""
    hook = cls.on_message

    def on_message(self, connection, message):
        Marking.on_message(self, connection, message)
        return hook(self, connection, message)

    cls.on_message = on_message
    return cls


@traced
class Traced(Server):
    async def on_message(self, connection, message):
        marked.set("by a coroutine")


class Own(Calls):
    """Has a `fetch` for each instance."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)

        async def fetch(self, request):
            return Response("of the instance")

        self.fetch = MethodType(fetch, self)  # type: ignore[method-assign]
