"""Rooms, and requests to the worker, that wait for one another by asyncio's objects of a module."""

import asyncio
import gc
from types import SimpleNamespace

import js
from partyserver import Server
from pyodide.ffi import create_once_callable
from workers import Response

#: Made anew for each test, by its name.
shared = {}


def of_test(name):
    if name not in shared:
        shared[name] = SimpleNamespace(
            lock=asyncio.Lock(),
            event=asyncio.Event(),
            queue=asyncio.Queue(),
            small_queue=asyncio.Queue(1),
            semaphore=asyncio.Semaphore(1),
            condition=asyncio.Condition(),
            future=asyncio.get_running_loop().create_future(),
            task=None,
            waiting=0,
        )
    return shared[name]


async def wait(what, ours):
    ours.waiting += 1
    match what:
        case "lock" | "semaphore":
            async with getattr(ours, what):
                await asyncio.sleep(0.05)
        case "event":
            await ours.event.wait()
        case "queue":
            await ours.queue.get()
        case "small_queue":
            await ours.small_queue.put(1)
        case "condition":
            async with ours.condition:
                await ours.condition.wait()
        case "future":
            await ours.future
        case "task":
            ours.task = ours.task or asyncio.create_task(asyncio.sleep(0.2))
            await asyncio.shield(ours.task)
        case "two":
            await asyncio.gather(ours.event.wait(), ours.queue.get())
        case "two-tasks":
            waiting = asyncio.create_task(ours.queue.get())
            await ours.event.wait()
            await waiting
        case "collected":
            await ours.queue.get()
        case "timeout":
            async with asyncio.timeout(0.2):
                await ours.event.wait()


async def go_on(what, ours):
    """End the waiting of one, or of all."""
    match what:
        case "lock" | "semaphore":
            async with getattr(ours, what):
                pass
        case "event":
            ours.event.set()
        case "queue":
            ours.queue.put_nowait(1)
        case "two" | "two-tasks":
            ours.event.set()
            await asyncio.sleep(0.05)
            ours.queue.put_nowait(1)
        case "collected":
            ours.queue.put_nowait(1)
            gc.collect()  # nobody but the platform holds the one who waits
        case "javascript":
            js.setTimeout(create_once_callable(ours.event.set), 1)
        case "small_queue":
            ours.small_queue.get_nowait()
        case "condition":
            async with ours.condition:
                ours.condition.notify()
        case "future":
            if not ours.future.done():
                ours.future.set_result(None)


class Waiting(Server):
    """Its clients say what it is to wait for; it uses its sockets, its storage and timers then."""

    async def on_message(self, connection, message):
        assert isinstance(message, str)
        verb, what, test = message.split(" ")
        ours = of_test(test)
        if verb == "background":
            self.task = asyncio.create_task(self.wait_behind(connection, what, ours))
            if self.options.get("hibernate"):  # else it goes on with the room's next event
                self.ctx.waitUntil(self.task)
            return
        if verb == "wait":
            connection.send("waiting")
            try:
                await wait(what, ours)
            except TimeoutError:
                connection.send("timed out")
        else:
            await go_on(what, ours)
        await self.use_io()
        connection.send(f"{verb} is over in {self.name}")

    async def wait_behind(self, connection, what, ours):
        await wait(what, ours)
        await self.use_io()
        connection.send(f"wait is over in {self.name}")

    async def use_io(self):
        await self.ctx.storage.put("waited", self.name)
        await asyncio.sleep(0.001)
        assert await self.ctx.storage.get("waited") == self.name

    async def on_start(self):
        what, _, test = self.name.partition("-in-start-")
        if test:
            test = test.rstrip("x")  # by which the rooms of one test differ
            await wait(what, of_test(test))
            await self.use_io()
            self.task = asyncio.create_task(self.go_on_later())

    async def go_on_later(self):
        await asyncio.sleep(0.001)
        await self.use_io()

    async def on_close(self, connection, code, reason, was_clean):
        if " " in reason:
            what, test = reason.split(" ")
            await wait(what, of_test(test))
            await self.use_io()
            await self.ctx.storage.put("closed", self.name)

    async def on_alarm(self):
        what, test = await self.ctx.storage.get("alarm")
        await wait(what, of_test(test))
        await self.use_io()
        await self.ctx.storage.put("closed", self.name)

    async def set_alarm(self, what, test):
        await self.ctx.storage.put("alarm", [what, test])
        await self.ctx.storage.setAlarm(js.Date.now())

    async def closed(self):
        return await self.ctx.storage.get("closed")

    async def on_request(self, request):
        _, verb, what, test = request.url.rsplit("/", 3)
        await (wait if verb == "wait" else go_on)(what, of_test(test))
        await self.use_io()
        return Response(f"{verb} is over in {self.name}")

    async def call(self, verb, what, test):
        await (wait if verb == "wait" else go_on)(what, of_test(test))
        await self.use_io()
        return f"{verb} is over in {self.name}"


class WaitingSleepy(Waiting):
    options = {"hibernate": True}


async def request(verb, what, test):
    """The same in a request to the worker."""
    if verb == "count":
        return Response(str(of_test(test).waiting))
    await (wait if verb == "wait" else go_on)(what, of_test(test))
    await asyncio.sleep(0.001)
    return Response(f"{verb} is over in the worker")
