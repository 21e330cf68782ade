"""What keeps an agent in memory while it works, and nobody speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..parts import Part, attach
from ..schedule.clock import now_in_ms
from ..schedule.mixin import timers_of

if TYPE_CHECKING:
    from ..schedule.timers import Timers

#: By which the timers call it.
_NAME = "keep_alive"
#: Milliseconds. The platform evicts an object some 70 seconds after its last event, or later,
#: whatever it awaits; an alarm is an event.
#: https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/
_PAUSE = 30_000


class KeepAlive:
    """How many blocks of one agent keep it in memory, and the alarm that does so."""

    __slots__ = ("_blocks", "_timers")

    def __init__(self, timers: Any) -> None:
        self._timers: Timers = timers
        self._blocks = 0
        timers.runs.own[_NAME] = self._beat

    @asynccontextmanager
    async def block(self) -> AsyncIterator[None]:
        self._blocks += 1
        try:
            # Not of the first alone: that may be cancelled before it has set the alarm.
            if self._timers.rows.own(_NAME) is None or self._blocks == 1:
                await self._set_alarm()
            yield
        finally:
            self._blocks -= 1
            if not self._blocks:
                self._timers.run_no_more(_NAME)

    async def _beat(self) -> None:
        """The alarm has come. What an earlier life has left of it ends here."""
        if self._blocks:
            await self._set_alarm()
            if not self._blocks:  # the last one has ended meanwhile
                self._timers.run_no_more(_NAME)

    async def _set_alarm(self) -> None:
        await self._timers.run_at(_NAME, now_in_ms() + _PAUSE)


def _construct(server: Any) -> KeepAlive:
    return KeepAlive(timers_of(server))


#: Behind the timers, which it asks for.
_PART = Part(name="keep_alive", rank=620, construct=_construct)


def _of(server: Any) -> KeepAlive:
    keep_alive: KeepAlive = _PART.of(server)
    return keep_alive


@attach(_PART)
class KeepAliveMethods:
    """How an agent stays in memory."""

    def keep_alive(self) -> AbstractAsyncContextManager[None]:
        """Keep the agent in memory while the block runs, also if it takes minutes.

            async with self.keep_alive():
                answer = await ask_the_model(question)

        Without it the platform evicts an object 70 to 140 seconds after its last event, with all
        that it awaits. Here an alarm is such an event, every 30 seconds; each writes some rows. It
        saves from no deployment and no crash: for what must be done in the end there
        are `queue` and `schedule`, whose callbacks run again.

        https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/
        """
        return _of(self).block()
