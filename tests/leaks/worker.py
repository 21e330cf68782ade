"""The worker of the leak tests: rooms under load, and one that makes every mess on purpose."""

import asyncio
import ctypes
import gc
from collections import Counter
from contextvars import ContextVar
from functools import cache

import js
from partyserver import Server, route_partykit_request
from partyserver.reserved import life_of
from pyodide.ffi import create_once_callable, create_proxy
from workers import DurableObject, Response, WorkerEntrypoint


@cache
def tell_of_rejections():
    """The runtime itself does not; tests/conftest.py looks for them in the log.

    Not at the import: what that changes in JavaScript is not in a start-up snapshot.
    """
    told = create_proxy(lambda event: js.console.error(f"unhandled rejection: {event.reason}"))
    js.addEventListener("unhandledrejection", told)


current = ContextVar("current")


class _Allocator(ctypes.Structure):
    """C's `struct mallinfo`: ten int fields, of which the eighth counts the bytes in use.

    Python's objects are among them, and so are both sides' proxies of the other's objects.
    """

    _fields_ = [(f"field_{at}", ctypes.c_int) for at in range(7)]
    _fields_ += [("in_use", ctypes.c_int), ("free", ctypes.c_int), ("top", ctypes.c_int)]


async def counters():
    """What Python holds in this isolate, after a collection on both sides."""
    for _ in range(3):  # what one side lets go can set free something of the other
        js.gc()
        await asyncio.sleep(0.01)  # JavaScript tells what it has found dead between its turns
        gc.collect()
    alive = gc.get_objects()
    types = Counter(type(one).__name__ for one in alive)
    mallinfo = ctypes.CDLL(None).mallinfo
    mallinfo.restype = _Allocator
    return {
        "bytes": mallinfo().in_use,
        "objects": len(alive),
        "functions": types["function"],
        "connections": types["Connection"],
        "servers": sum(isinstance(one, DurableObject) for one in alive),
    }


class Busy(Server):
    """Uses what a room uses: state, tags, broadcasts, plain and async hooks."""

    def get_connection_tags(self, connection, ctx):
        return ["tagged"]

    async def on_connect(self, connection, ctx):
        connection.set_state({"messages": 0})
        await asyncio.sleep(0)
        connection.send("welcome")

    def on_message(self, connection, message):
        if message == "all":
            return self.broadcast(message)
        if message == "mark":
            current.set(connection)
        if message == "later":
            return self.echo_later(connection, message)
        connection.send(message)
        return None

    async def echo_later(self, connection, message):
        await asyncio.sleep(0)
        connection.send(message)

    async def on_request(self, request):
        kept = {
            "known": len(life_of(self).connections._by_socket),
            "found": len(list(self.get_connections())),
        }
        return Response.from_json(await counters() | kept)


class BusySleepy(Busy):
    options = {"hibernate": True}


class Bare(DurableObject):
    """The same on the platform alone, as its documentation shows it: what that leaks by itself."""

    hibernate = False

    async def fetch(self, request):
        if request.headers.get("upgrade") != "websocket":
            return Response.from_json(await counters())
        client, socket = js.WebSocketPair.new().object_values()
        if self.hibernate:
            self.ctx.acceptWebSocket(socket)
        else:
            self.listen(socket)
        socket.send("welcome")
        return Response(None, status=101, web_socket=client)

    def listen(self, socket):
        socket.accept()

        def on_message(event):
            socket.send(event.data)

        def on_close(event):
            for proxy in proxies.values():
                proxy.destroy()

        proxies = {"message": create_proxy(on_message), "close": create_proxy(on_close)}
        for event, proxy in proxies.items():
            socket.addEventListener(event, proxy)

    async def webSocketMessage(self, socket, message):
        socket.send(message)

    async def webSocketClose(self, socket, code, reason, was_clean):
        socket.close(code)


class BareSleepy(Bare):
    hibernate = True


class Careless(Server):
    """Makes what tests/conftest.py looks for in the log after every test: `GET /<mess>`."""

    async def on_request(self, request):
        getattr(self, "make_" + request.url.rpartition("/")[2])()
        await asyncio.sleep(0.01)
        gc.collect()
        return Response("made a mess")

    async def fail(self):
        raise ValueError("careless")

    async def wait_for_ever(self):
        await asyncio.get_event_loop().create_future()

    def fail_now(self):
        raise ValueError("careless")

    def make_unawaited_coroutine(self):
        self.fail()  # type: ignore[unused-coroutine]

    def make_unretrieved_exception(self):
        asyncio.ensure_future(self.fail())  # noqa: RUF006 -- that is the mess

    def make_destroyed_task(self):
        asyncio.ensure_future(self.wait_for_ever())  # noqa: RUF006 -- that is the mess

    def make_unretrieved_future(self):
        js.Promise.reject(js.Error.new("careless"))

    def make_unhandled_rejection(self):
        js.Promise.withResolvers().reject(js.Error.new("careless"))

    def make_borrowed_proxy(self):
        js.queueMicrotask(lambda: None)

    def make_destroyed_proxy(self):
        proxy = create_proxy(lambda: None)
        js.queueMicrotask(proxy)
        proxy.destroy()

    def make_uncaught_exception(self):
        js.queueMicrotask(create_once_callable(self.fail_now))


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        tell_of_rejections()
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
