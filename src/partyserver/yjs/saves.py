"""`on_save`: some time after an edit, and not for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

#: Seconds after the last edit, and after the first one that has not been saved.
WAIT, MAX_WAIT = 2.0, 10.0


class Saves:
    """When a document is to be saved, in one life of its room.

    What waits keeps the room in memory: it does not sleep with an edit that is not saved.
    """

    __slots__ = ("_at_once", "_first", "_last", "_max_wait", "_saving", "_wait")

    def __init__(self, wait: float, max_wait: float) -> None:
        self._wait = wait
        self._max_wait = max_wait
        self._first = self._last = 0.0
        #: One after the other: else an older copy could come last.
        self._saving = asyncio.Lock()
        #: Done when it shall be saved without waiting any longer; None if all is saved.
        self._at_once: asyncio.Future[None] | None = None

    @property
    def is_pending(self) -> bool:
        return self._at_once is not None

    def edited(self) -> bool:
        """Count an edit, and tell whether it is the first since all was saved: then `run`."""
        loop = asyncio.get_event_loop()
        self._last = loop.time()
        if self._at_once is not None:
            return False
        self._first = self._last
        self._at_once = loop.create_future()
        return True

    def hurry(self) -> None:
        if self._at_once is not None and not self._at_once.done():
            self._at_once.set_result(None)

    async def run(self, save: Callable[[], Awaitable[None]]) -> None:
        """Wait until nobody has edited for a while, but not for ever; then save."""
        at_once = self._at_once
        assert at_once is not None
        time = asyncio.get_event_loop().time
        while not at_once.done():
            pause = min(self._last + self._wait, self._first + self._max_wait) - time()
            if pause <= 0:
                break
            await asyncio.wait([at_once], timeout=pause)
        async with self._saving:
            self._at_once = None  # what is edited from here on is another save's
            await save()
