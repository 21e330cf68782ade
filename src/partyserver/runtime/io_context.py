"""The I/O context that Python runs in, and the way back into it.

The platform ties sockets, streams and timers to the Durable Object, or to the request to a worker,
that they were made for. The rooms of one isolate share one Python, and asyncio knows nothing of
that: who releases a `Lock`, sets an `Event` or puts into a `Queue` resumes the waiter in its own
context, where the waiter's sockets do not work ("Cannot perform I/O on behalf of a different
Durable Object").

So each room, and each request to a worker, has an `IoContext`, in a context variable that its tasks
inherit. What is scheduled for another one goes there by a JavaScript promise that was made there,
since the platform runs a promise's continuations where the promise was made:
https://developers.cloudflare.com/workers/configuration/compatibility-flags/#handling-cross-request-promise-resolution
"""

from __future__ import annotations

import asyncio
from asyncio import mixins
from collections.abc import Callable
from contextvars import Context, ContextVar
from functools import cache
from typing import Any

import js
from pyodide.ffi import JsProxy, create_proxy
from workers import WorkerEntrypoint

from ..reserved import LifeHolder, life_of
from ..tasks import AtOnce
from . import platform
from .values import builtin

#: None where it is not known, as in a callback of JavaScript's.
current: ContextVar[IoContext | None] = ContextVar("io_context", default=None)

#: Milliseconds, a day: longer than any client waits.
_LONG = 86_400_000

CallSoon = Callable[..., asyncio.Handle]

#: The event loop's own, or what stands for it.
_call_soon: CallSoon


class Hold:
    """Tells the platform that a request waits for something that may come from outside.

    A request that waits for nothing the platform knows of, such as the client's leaving, is
    taken for hung and cancelled.
    """

    def __init__(self) -> None:
        self._timer = js.setTimeout(js.Object, _LONG)

    def release(self) -> None:
        js.clearTimeout(self._timer)


class IoContext:
    """That of a room, or of one request to a worker."""

    __slots__ = (
        "__weakref__", "_due", "_hold", "_resolve", "_waiting", "label", "of_request", "owner"
    )  # fmt: skip

    def __init__(
        self,
        label: Callable[[], str],
        *,
        owner: Callable[[], Any] | None = None,
        of_request: bool = False,
    ) -> None:
        #: Whose it is, for the log.
        self.label = label
        #: A weak reference to a room's life.
        self.owner = owner
        self.of_request = of_request
        self._due: list[asyncio.Handle] = []
        self._resolve: Callable[[JsProxy], None] | None = None
        #: How many wait for an asyncio object, and what tells the platform so.
        self._waiting = 0
        self._hold: Hold | None = None

    def waiter(self, loop: Any) -> asyncio.Future[Any]:
        """A future for what waits in here until others go on: for a `Lock`, a `Queue`, ..."""
        self.prepare_return()
        waiter = _Waiter(loop=loop)
        if self.of_request:
            if self._hold is None:
                self._hold = Hold()
            self._waiting += 1
            waiter.add_done_callback(self._no_longer_waits)
        return waiter

    def _no_longer_waits(self, _: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        if not self._waiting and self._hold is not None:
            self._hold.release()
            self._hold = None

    def prepare_return(self) -> None:
        """Make the way back, from inside: before something waits for what others do."""
        if self._resolve is not None or self._due:
            return
        resolvers: Any = builtin("Promise.withResolvers")()
        resolvers.promise.then(_continuation())
        self._resolve = resolvers.resolve

    def call_soon(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context
    ) -> asyncio.Handle:
        """Schedule a callback in here, from outside."""
        if self._resolve is None and not self._due:
            _log_lost(self, callback)
            return _call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, asyncio.get_event_loop(), context)
        self._due.append(handle)
        if self._resolve is not None:
            # The promise holds this, and so the task that waits, until it has come back: nothing
            # else may. If the request is over, the platform drops it all.
            self._resolve(create_proxy(self, roundtrip=True))
            self._resolve = None
        return handle

    @property
    def is_due(self) -> bool:
        return bool(self._due)

    def come_back(self) -> None:
        """Schedule what is due, from inside."""
        due, self._due = self._due, []
        self.prepare_return()
        for handle in due:
            _call_soon(run_handle, handle)


class _Waiter(asyncio.Future[Any]):
    """Of an asyncio object: who waits for it goes on in its own I/O context, whatever ends it."""


class Gate:
    """The time in which the platform delivers nothing to a room, not even a way back.

    That is while `on_start` awaits, and a transaction.
    https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
    So whoever waits in there looks by itself, now and then, whether it may go on.
    """

    def __enter__(self) -> None:
        self._io_context = current.get()
        self._milliseconds = 20.0
        self._proxy = create_proxy(self._look)
        self._timer = js.setTimeout(self._proxy, self._milliseconds)

    def _look(self) -> None:
        if self._io_context is not None and self._io_context.is_due:
            self._io_context.come_back()
        self._milliseconds = min(self._milliseconds * 1.5, 100)
        self._timer = js.setTimeout(self._proxy, self._milliseconds)

    def __exit__(self, *_: Any) -> None:
        js.clearTimeout(self._timer)
        self._proxy.destroy()


@cache
def _continuation() -> JsProxy:
    return create_proxy(_come_back)


def _come_back(carrier: Any) -> None:
    io_context = carrier.unwrap()
    carrier.destroy()
    io_context.come_back()


def run_handle(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()


def schedule_by(change: Callable[[CallSoon], CallSoon]) -> None:
    """Have something else schedule what stays in its I/O context."""
    global _call_soon
    _call_soon = change(_call_soon)


def _log_lost(theirs: IoContext, callback: Callable[..., Any]) -> None:
    waiting = getattr(getattr(callback, "__self__", None), "get_coro", lambda: None)()
    name = getattr(waiting, "__qualname__", "something")
    instead = (
        "Wait for an asyncio.Event or Queue, or keep what several requests wait for in a room"
        if theirs.of_request
        else "Keep such objects on self, and let rooms call each other's methods with "
        "get_server_by_name"
    )
    platform.log_error(
        f"{name} of {theirs.label()} waits for a future or a task of a module, which another room "
        "or request has just ended. It goes on where that runs, and there its sockets and requests "
        f"do not work. {instead}."
    )


def enter_request() -> None:
    """From here on this task, and those that it starts, are of one request to a worker."""
    if current.get() is None:
        current.set(request_io_context())


def request_io_context() -> IoContext:
    return IoContext(lambda: "a request to the worker", of_request=True)


def io_context_of(instance: Any) -> IoContext | None:
    """That of a call which the runtime makes to an object; None of a Durable Object not ours."""
    if isinstance(instance, LifeHolder):
        return life_of(instance).io_context
    return request_io_context() if isinstance(instance, WorkerEntrypoint) else None


def prepare_return_of(task: asyncio.Task[Any]) -> None:
    """Have a room's task, which has not ended, go on in its room whoever resumes it."""
    context: Context = task.get_context()  # type: ignore[attr-defined]
    io_context = context.get(current)
    if io_context is not None and not io_context.of_request:
        io_context.prepare_return()


def install(loop: Any) -> None:
    """Have the event loop resume each waiter in its own I/O context."""
    global _call_soon
    _call_soon = loop.call_soon

    def call_soon(
        callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if type(callback) is AtOnce:
            callback(*args)
            return None  # type: ignore[return-value]  # asyncio does not look at it
        # A future, and a task, schedule their waiters with the waiters' contexts, and themselves.
        theirs = None if context is None else context.get(current)
        if theirs is not None and context is not None:
            ours = current.get()
            # What JavaScript calls may not know where it runs. For its promises it is right.
            is_known = ours is not None or (args and type(args[0]) is _Waiter)
            if ours is not theirs and is_known:
                return theirs.call_soon(callback, args, context)
            if ours is theirs and not args:  # a task begins, and may wait for anything
                theirs.prepare_return()
        return _call_soon(callback, *args, context=context)

    loop.call_soon = call_soon
    mixin: Any = mixins._LoopBoundMixin
    get_loop = mixin._get_loop

    def _get_loop(self: Any) -> Any:
        """What a `Lock`, an `Event`, a `Queue` asks for when somebody has to wait for it."""
        ours = current.get()
        return get_loop(self) if ours is None else _Futures(ours, get_loop(self))

    mixin._get_loop = _get_loop


class _Futures:
    """A loop, as far as asyncio's objects use it."""

    __slots__ = ("_io_context", "_loop")

    def __init__(self, io_context: IoContext, loop: Any) -> None:
        self._io_context = io_context
        self._loop = loop

    def create_future(self) -> asyncio.Future[Any]:
        return self._io_context.waiter(self._loop)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)
