"""A room's storage: transactions, and rows that stay in JavaScript."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import copy_context
from math import inf
from typing import Any, TypeVar

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from .. import tasks
from ..errors import SQLError
from ..usercode import settled
from .events import promise_of
from .io_context import Gate
from .values import builtin

T = TypeVar("T")


# --- transactions ---------------------------------------------------------------------


async def transact(storage: JsProxy, work: Callable[[JsProxy], Awaitable[T]]) -> T:
    """The result of `work(transaction)`, whose writes are undone if it raises."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    async def attempt(transaction: JsProxy) -> None:
        try:
            with Gate():
                outcome.append(await settled(work(transaction)))
        except BaseException as error:
            failure.append(error)
            transaction.rollback()

    # JavaScript calls it, which knows nothing of Python's context.
    context = copy_context()
    callback = create_proxy(
        lambda transaction: promise_of(tasks.run(attempt(transaction), context.copy()))
    )
    try:
        await storage.transaction(callback)
    finally:
        callback.destroy()
    if failure:
        raise failure[-1]
    return outcome[-1]  # type: ignore[no-any-return]


class _Undone(Exception):
    """Passes through JavaScript, which undoes a transaction for it."""


#: Transactions inside of transactions. Each one takes some of JavaScript's stack, whose end Python
#: does not see coming: the process would end, with the rooms of others.
MOST_NESTED = 64

#: How many are running. Nothing else runs meanwhile, in whatever room: all happens at once.
_nested = 0


def transact_at_once(storage: JsProxy, work: Callable[[], T]) -> T:
    """The result of `work()`, whose writes are undone if it raises."""
    global _nested
    if _nested >= MOST_NESTED:
        raise RecursionError(
            f"a transaction has at most {MOST_NESTED - 1} others around it: does it call itself?"
        )
    outcome: list[T] = []
    failure: list[BaseException] = []

    def attempt() -> None:
        try:
            outcome.append(work())
            return
        except BaseException as error:
            failure.append(error)
        # The failure itself stays here: JavaScript would keep it, and an exit would end all.
        raise _Undone

    callback = create_proxy(attempt)
    _nested += 1
    try:
        storage.transactionSync(callback)
    except (_Undone, JsException) as error:
        if not failure:  # the platform's own, or one of the outer transaction's
            raise SQLError(str(error), "transaction") from error
    finally:
        _nested -= 1
        callback.destroy()
    if failure:  # raised out here, so that its own cause and context stay as they are
        raise failure.pop()
    return outcome.pop()


# --- rows -----------------------------------------------------------------------------


def json_of(rows: JsProxy) -> str:
    """The JSON of rows. What it has not, becomes something else: see `not_in_json`."""
    return builtin("JSON.stringify")(rows)  # type: ignore[no-any-return]


def not_in_json(rows: JsProxy) -> tuple[str, str] | None:
    """A column of rows that holds what JSON has not, and what that is."""
    values: Any = rows.flatMap(builtin("Object.values"))
    found = [
        ("a BLOB", values.findIndex(_is_buffer())),
        ("an infinite number", values.indexOf(inf)),
        ("an infinite number", values.indexOf(-inf)),
    ]
    for what, index in found:
        if index >= 0:
            names = builtin("Object.keys")(rows[0])
            return names[index % names.length], what
    return None


def _is_buffer() -> Any:
    has_instance = builtin("Reflect.get")(js.Function.prototype, builtin("Symbol.hasInstance"))
    return has_instance.bind(js.ArrayBuffer)
