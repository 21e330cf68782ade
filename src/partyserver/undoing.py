"""What may undo what a room has stored, and tells nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from . import tasks
from .runtime.advice import named


def _nothing() -> None:
    return None


def follow(
    storage: Any,
    *,
    deleting: Callable[[], None],
    ended: Callable[[], None],
    began: Callable[[], None] = _nothing,
) -> None:
    """Hear of what `ctx.storage` does to what a capability keeps there, and in memory.

    Args:
        storage: the SDK's, which an object has for itself.
        deleting: called before all is deleted.
        ended: called when a transaction of the storage's own has ended: it may have been undone.
        began: called before such a transaction; once for each time that `ended` is.
    """
    delete_all, at_once, later = storage.deleteAll, storage.transactionSync, storage.transaction

    def delete_all_and_tell(*arguments: Any) -> Any:
        deleting()
        return delete_all(*arguments)

    def transaction_sync(*arguments: Any) -> Any:
        began()
        try:
            return at_once(*arguments)
        finally:
            ended()

    async def finish_transaction(arguments: Any) -> Any:
        began()
        try:
            return await later(*arguments)
        finally:
            ended()

    def transaction(*arguments: Any) -> Any:
        # As the SDK's, it acts when it is called; and it ends also where nobody awaits it.
        task = tasks.run(finish_transaction(arguments))
        return named(_result(task), "transaction")

    storage.deleteAll = delete_all_and_tell
    storage.transactionSync, storage.transaction = transaction_sync, transaction


async def _result(task: asyncio.Task[Any]) -> Any:
    return await asyncio.shield(task)
