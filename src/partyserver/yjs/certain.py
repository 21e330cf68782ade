"""What may be undone, nobody hears of: edits in transactions are told when these have ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..undoing import follow
from .document import Document

if TYPE_CHECKING:
    from ..life import Life


class Certain:
    """Which edits stand, in one life of a room.

    Args:
        attempt: calls something, and reports what it raises.
    """

    def __init__(
        self,
        life: Life,
        storage: Any,
        document: Document,
        attempt: Callable[[Callable[[], None]], None],
    ) -> None:
        self._life = life
        self._document = document
        self._attempt = attempt
        #: How many transactions of the storage's own are open, and what waits for their end.
        self._open = 0
        self._held: list[tuple[bytes, Callable[[], None]]] = []
        follow(storage, deleting=document.forget, began=self._began, ended=self._ended)

    @property
    def is_open(self) -> bool:
        """Whether what is stored now may be undone."""
        return self._open > 0 or self._life.transaction is not None

    def when(self, update: bytes, tell: Callable[[], None]) -> None:
        """Tell of an edit that has been stored, once it stands."""
        transaction = self._life.transaction
        if transaction is not None:
            transaction.at_end(partial(self._hold, update, tell), self._document.forget)
        else:
            self._hold(update, tell)

    def _hold(self, update: bytes, tell: Callable[[], None]) -> None:
        if self._open:
            self._held.append((update, tell))
        else:
            tell()

    def _began(self) -> None:
        self._open += 1

    def _ended(self) -> None:
        self._open -= 1
        self._document.forget()
        if not self._open and self._held:
            held, self._held = self._held, []
            for update, tell in held:  # one that fails takes none of the others with it
                self._attempt(partial(self._tell_if_it_stands, update, tell))

    def _tell_if_it_stands(self, update: bytes, tell: Callable[[], None]) -> None:
        if self._document.has_all_of(update):  # it was not undone
            self.when(update, tell)
