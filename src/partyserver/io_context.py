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
from typing import Any
from weakref import ref

import js
from pyodide.ffi import JsProxy, create_proxy
from workers import WorkerEntrypoint

#: None where it is not known, as in a callback of JavaScript's.
current: ContextVar[IoContext | None] = ContextVar("io_context", default=None)

#: Milliseconds, a day: longer than any client waits.
_LONG = 86_400_000

_call_soon: Callable[..., asyncio.Handle]


class IoContext:
    """That of a room, or of one request to a worker."""

    __slots__ = ("__weakref__", "_due", "_hold", "_proxy", "_resolve", "label", "of_request")

    def __init__(self, label: Callable[[], str], *, of_request: bool = False) -> None:
        #: Whose it is, for the log.
        self.label = label
        self.of_request = of_request
        self._due: list[asyncio.Handle] = []
        self._proxy: JsProxy | None = None
        self._resolve: Callable[[None], None] | None = None
        self._hold: Any = None

    def prepare_return(self) -> None:
        """Make the way back, from inside: before something waits for what others do."""
        if self._resolve is not None or self._due:
            return
        if self._proxy is None:
            # JavaScript holds the function, and lets go of it with this object.
            itself = ref(self)
            self._proxy = create_proxy(lambda _: _come_back(itself))
        resolvers = js.Promise.withResolvers()
        resolvers.promise.then(self._proxy)
        self._resolve = resolvers.resolve
        if self.of_request:
            # A request that waits for nothing the platform knows of is taken for hung.
            self._hold = js.setTimeout(js.Object, _LONG)

    def call_soon(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context
    ) -> asyncio.Handle:
        """Schedule a callback in here, from outside."""
        if self._resolve is None and not self._due:
            _log_lost(self)
            return _call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, asyncio.get_event_loop(), context)
        self._due.append(handle)
        if self._resolve is not None:
            self._resolve(None)
            self._resolve = None
        return handle

    def come_back(self) -> None:
        """Schedule what is due, from inside."""
        due, self._due = self._due, []
        if self._hold is not None:
            js.clearTimeout(self._hold)
            self._hold = None
        if not self.of_request:
            self.prepare_return()
        for handle in due:
            _call_soon(_run, handle)

    def __del__(self) -> None:
        if self._proxy is not None:
            self._proxy.destroy()


def _come_back(itself: ref[IoContext]) -> None:
    io_context = itself()
    if io_context is not None:
        io_context.come_back()


def _run(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()


def _log_lost(theirs: IoContext) -> None:
    js.console.error(
        f"{theirs.label()} waits for a future, a task or an asyncio object of a module, which "
        "another room or request has just set. It goes on where that runs, and there its sockets "
        "and requests do not work. Keep such objects on self, and let rooms call each other's "
        "methods with get_server_by_name."
    )


def enter_request() -> None:
    """From here on this task, and those that it starts, are of one request to a worker."""
    if current.get() is None:
        current.set(request_io_context())


def request_io_context() -> IoContext:
    return IoContext(lambda: "a request to the worker", of_request=True)


def io_context_of(instance: Any) -> IoContext | None:
    """That of a call which the runtime makes to an object; None of a Durable Object not ours."""
    known: IoContext | None = getattr(instance, "_io_context", None)
    if known is None and isinstance(instance, WorkerEntrypoint):
        return request_io_context()
    return known


def prepare_return_of(task: asyncio.Task[Any]) -> None:
    """Have a room's task, which has not ended, go on in its room whoever resumes it."""
    context: Context = task.get_context()  # type: ignore[attr-defined]
    io_context = context.get(current)
    if io_context is not None and not io_context.of_request:
        io_context.prepare_return()


def install(loop: Any) -> None:
    """Have the event loop resume each waiter in its own I/O context."""
    global _call_soon
    usual = _call_soon = loop.call_soon

    def call_soon(
        callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        # A future, and a task, schedule their waiters with the waiters' contexts.
        theirs = None if context is None else context.get(current)
        if theirs is not None and context is not None:
            ours = current.get()
            if ours is not None and ours is not theirs:
                return theirs.call_soon(callback, args, context)
        handle: asyncio.Handle = usual(callback, *args, context=context)
        return handle

    loop.call_soon = call_soon
    mixin: Any = mixins._LoopBoundMixin
    get_loop = mixin._get_loop

    def _get_loop(self: Any) -> Any:
        """What a `Lock`, an `Event`, a `Queue` asks for when somebody has to wait for it."""
        ours = current.get()
        if ours is not None:
            ours.prepare_return()
        return get_loop(self)

    mixin._get_loop = _get_loop
