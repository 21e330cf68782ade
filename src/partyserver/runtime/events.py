"""What JavaScript calls later: promises, and work that the platform waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any, Never

import js
from pyodide.ffi import JsProxy, create_once_callable, create_proxy
from workers.entrypoints import DurableObjectAbort

from .. import tasks
from .io_context import prepare_return_of
from .values import builtin


def new_future() -> asyncio.Future[Any]:
    return asyncio.get_event_loop().create_future()


def failed_future(error: Exception) -> asyncio.Future[Any]:
    """What fails with an error as JavaScript awaits it, which gets the message and no traceback."""
    future = new_future()
    error.__cause__ = None  # nor that of what it was raised for
    future.set_exception(error.with_traceback(None))
    return future


def promise_of(task: asyncio.Task[Any]) -> JsProxy:
    """A promise that is fulfilled when `task`, which has not ended, has, however it ends."""
    prepare_return_of(task)
    resolvers: Any = builtin("Promise.withResolvers")()
    task.add_done_callback(tasks.AtOnce(lambda _: resolvers.resolve(None)))
    return resolvers.promise  # type: ignore[no-any-return]


def wait_until(ctx: Any, task: asyncio.Task[Any]) -> None:
    """Have the platform keep the object in memory until `task` has ended."""
    if not task.done():
        ctx.waitUntil(promise_of(task))


def abort(ctx: Any, *reason: str) -> Never:
    """End the object, once Python has let go of it. What has called this does not go on.

    The platform ends JavaScript where it stands. If it stands in a call of Python's, the stack of
    that is never given back, and after some hundred ends the process is over, with the rooms of
    others. So JavaScript alone makes the call; the SDK has a microtask for it, too, but of Python.
    """
    task = asyncio.current_task(asyncio.get_event_loop())
    if task is not None:
        js.queueMicrotask(create_once_callable(partial(_take_note, task)))
    js.queueMicrotask(ctx.abort.bind(ctx, *reason))
    raise DurableObjectAbort(*reason)


def abort_empty_soon(ctx: Any, reason: str) -> None:
    """End the object in 10 ms, when what runs now has been answered, with nothing stored."""

    async def end() -> None:
        storage = ctx.storage
        try:
            await storage.deleteAlarm()
            await storage.deleteAll()  # once more: others may have written in the meantime
            await storage.sync()  # what is not stored yet, an abort takes back
        finally:
            js.queueMicrotask(ctx.abort.bind(ctx, reason))  # as in `abort`

    def begin() -> None:
        tasks.run(end())

    js.setTimeout(create_once_callable(begin), 10)


def _take_note(task: asyncio.Task[Any]) -> None:
    """Spare the log that nobody has: whoever waits for the task goes with the object."""
    if task.done() and not task.cancelled():
        task.exception()


async def block_concurrency(ctx: Any, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` while the platform delivers no other event to this object.

    `work` must not raise: an error inside resets the whole object.
    https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
    """
    context = copy_context()
    callback = create_proxy(lambda: promise_of(tasks.run(work(), context)))
    try:
        # Entered in a way that can suspend: `work` may block on synchronous HTTP.
        await ctx.blockConcurrencyWhile(callback.callPromising.bind(callback))
    finally:
        callback.destroy()
