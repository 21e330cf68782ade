"""User code, called in one way everywhere: hooks, listeners, callbacks, methods.

It may be plain or async, may return a coroutine or another awaitable, and an awaitable may give
one more. It may fail in each way that Python has. None of that may end more than its own event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

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


async def settled(value: Any) -> Any:
    """What user code has returned, once it is there."""
    while isawaitable(value):
        value = await value
    return value


async def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a plain or an async function."""
    value = function(*arguments)
    return value if value is None else await settled(value)


async def finish(value: Any, report: Callable[[str, BaseException], None], where: str) -> None:
    """See what user code has returned to its end, and report its failure.

    Nothing may get out of it: asyncio hands a `SystemExit` on to the process.
    """
    try:
        await settled(value)
    except FAILURES as error:
        report(where, error)


def as_exception(error: BaseException, where: str) -> Exception:
    """The failure as an `Exception`: others would end the process of whoever has to raise it."""
    if isinstance(error, Exception):
        return error
    failure = RuntimeError(f"{where} raised {error!r}")
    failure.__cause__ = error
    return failure
