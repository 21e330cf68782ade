"""User code, called in one way everywhere: hooks, listeners, callbacks, methods.

It may be plain or async, may return a coroutine or another awaitable, and that may give a
coroutine, a task or a future. It may fail in each way that Python has. None of that may end more
than its own event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import CoroutineType
from typing import Any, TypeGuard

#: What counts as a failure of user code. `CancelledError` comes from awaiting a task that the
#: code has cancelled; the others would end the process, with the rooms of others, or a task group
#: has put them into its own.
FAILURES = (
    Exception,
    asyncio.CancelledError,
    SystemExit,
    KeyboardInterrupt,
    BaseExceptionGroup,
)


#: What is awaited after a first await. Other awaitables may give themselves, as connections to
#: databases do, or may be awaited only once.
_MORE = (CoroutineType, asyncio.Future)


def is_pending(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Whether user code has returned something that is to be awaited."""
    # In this order, since the last question takes long.
    return value is not None and (type(value) is CoroutineType or isawaitable(value))


async def settled(value: Any) -> Any:
    """What user code has returned, once it is there."""
    if is_pending(value):
        value = await value
        while isinstance(value, _MORE):
            value = await value
    return value


async def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a plain or an async function."""
    value = function(*arguments)
    if is_pending(value):
        value = await value
        while isinstance(value, _MORE):
            value = await value
    return value


async def finish(value: Any, report: Callable[[str, BaseException], None], where: str) -> None:
    """Await what user code has returned, which is pending, and report its failure.

    It raises nothing: asyncio passes a `SystemExit` on to the process.
    """
    try:
        value = await value
        while isinstance(value, _MORE):
            value = await value
    except FAILURES as error:
        report(where, error)


def as_exception(error: BaseException, where: str) -> Exception:
    """The failure as an `Exception`: others would end the process of whoever has to raise it."""
    if isinstance(error, Exception):
        return error
    try:
        text = repr(error)
    except Exception:
        text = type(error).__name__
    failure = RuntimeError(f"{where} raised {text}")
    failure.__cause__ = error
    return failure
