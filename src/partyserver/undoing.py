"""What may undo what a room has stored, and tells nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .runtime.advice import named


def follow(storage: Any, *, deleting: Callable[[], None], ended: Callable[[], None]) -> None:
    """Hear of what `ctx.storage` does to what a capability keeps there, and in memory.

    Args:
        storage: the SDK's, which an object has for itself.
        deleting: called before all is deleted.
        ended: called when a transaction of the storage's own has ended: it may have been undone.
    """
    delete_all, at_once, later = storage.deleteAll, storage.transactionSync, storage.transaction

    def delete_all_and_tell(*arguments: Any) -> Any:
        deleting()
        return delete_all(*arguments)

    def transaction_sync(*arguments: Any) -> Any:
        try:
            return at_once(*arguments)
        finally:
            ended()

    async def finish_transaction(done: Any) -> Any:
        try:
            return await done
        finally:
            ended()

    def transaction(*arguments: Any) -> Any:
        # As the SDK's, it acts when it is called, and not when it is awaited.
        return named(finish_transaction(later(*arguments)), "transaction")

    storage.deleteAll = delete_all_and_tell
    storage.transactionSync, storage.transaction = transaction_sync, transaction
