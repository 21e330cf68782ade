"""User code, called in one way everywhere: hooks, listeners, callbacks, methods.

It may be plain or async, may return a coroutine or another awaitable, and that may give a
coroutine, a task or a future. It may fail in each way that Python has. None of that may end more
than its own event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import (
    CORO_CREATED,
    getcoroutinestate,
    isasyncgenfunction,
    isawaitable,
    iscoroutinefunction,
    isgeneratorfunction,
)
from types import CoroutineType
from typing import Any, TypeGuard, TypeVar

T = TypeVar("T")

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


#: Exact types of what hooks return most, which nobody has to ask about. The runtime's are added.
NEVER_PENDING: set[type] = {type(None), bool, int, float, str, bytes, list, dict, tuple}


def is_pending(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Whether user code has returned something that is to be awaited."""
    # In this order, since the last question takes long.
    kind = type(value)
    return kind is CoroutineType or (kind not in NEVER_PENDING and isawaitable(value))


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


def call_plain(what: str, function: Callable[..., T], *arguments: Any) -> T:
    """The result of a function that has to act at once, in `what`; `TypeError` for any other."""
    plain: Any = function
    while isinstance(plain, partial):
        plain = plain.func
    if not callable(plain):
        _never_mind(plain)
        raise TypeError(
            f"{what} takes a function, and its arguments after it, not {type(plain).__name__}"
        )
    for one in (plain, type(plain).__call__):
        if iscoroutinefunction(one) or isasyncgenfunction(one) or isgeneratorfunction(one):
            raise TypeError(f"{what} takes a plain function, not one with `async` or `yield`")
    value = function(*arguments)
    if is_pending(value):
        _never_mind(value)
        raise TypeError(
            f"{what} takes a plain function, whose work is done when it returns: this one has "
            f"returned something to be awaited, {type(value).__name__}"
        )
    return value


def _never_mind(value: Any) -> None:
    """Spare the log that a coroutine, which nobody has begun, was never awaited."""
    if type(value) is CoroutineType and getcoroutinestate(value) == CORO_CREATED:
        value.close()


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
