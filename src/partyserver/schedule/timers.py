"""The timers of one room, in one life of it: they are made, and the alarm is kept."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..reserved import life_of
from ..rules import callbacks, failures, timers
from ..rules.messages import parse_json
from ..rules.timers import Plan
from ..runtime import platform, values
from ..usercode import FAILURES
from .clock import now_in_ms
from .rows import Rows, is_alarm
from .runs import HUNG, Runs
from .scheduled import Scheduled, of_row

if TYPE_CHECKING:
    from ..life import Life
    from ..server import Server

#: Milliseconds. A room whose `on_start` fails is woken again after as long as its first timer is
#: overdue: so the pauses double.
_FIRST_PAUSE = 2_000
_LONGEST_PAUSE = 10 * 60 * 1000


class Timers:
    """What the methods of `Schedule` and the alarm come to.

    The platform's alarm is always set to when the first row is due. While callbacks run it is set
    to when they are to have ended: an eviction, or a crash, in the middle of one wakes the room
    again.
    """

    def __init__(self, server: Server) -> None:
        self._life: Life = life_of(server)
        self.rows = Rows(self._life.ctx)
        self.runs = Runs(self._life, self.rows, self.arm)
        #: Whether an alarm from before the class had timers has been looked for, in this life.
        self._adopted = False
        self._warned: set[str] = set()

    # --- making and finding -----------------------------------------------------------

    async def add(
        self, plan: Plan, callback: Any, payload: Any, idempotent: Any, retry: Any
    ) -> Scheduled:
        if idempotent is not None and not isinstance(idempotent, bool):
            raise TypeError(f"idempotent is True, False or None, not {idempotent!r}")
        name = callbacks.name_of(self._life.owner, callback)
        text, kept_retry = timers.payload_json(payload), timers.retry_json(retry)
        if plan.type not in timers.RECURRING:
            self._warn_of_piling_up(name, idempotent)
        await self._adopt()
        stored = parse_json(text)
        same = timers.identity(plan.type, name, plan.detail, stored)
        if plan.type in timers.RECURRING if idempotent is None else idempotent:
            for row in self.rows.same(same, name):
                known = timers.is_same(plan.type, plan.detail, stored, row)
                # One that runs now, and is then gone, is not the one to come.
                if known and (plan.type in timers.RECURRING or not self.runs.has(row["id"])):
                    await self._heal()
                    return of_row(row)
        row = self.rows.insert(plan, name, text, kept_retry, same, now_in_ms())
        if self.rows.earliest() == row["due"]:
            await self.arm()
        return of_row(row)

    def get(self, id: Any) -> Scheduled | None:
        number = timers.number_of(id)
        row = None if number is None else self.rows.get(number)
        return None if row is None or is_alarm(row) else of_row(row)

    def select(
        self, type: Any, callback: Any, before: datetime | None, after: datetime | None
    ) -> list[Scheduled]:
        if type is not None and type not in timers.TYPES:
            raise ValueError(f"type is one of {', '.join(timers.TYPES)}, not {type!r}")
        if callback is not None and not isinstance(callback, str):
            callback = callbacks.name_of(self._life.owner, callback)
        limits = [
            None if moment is None else timers.milliseconds_of(moment, name)
            for moment, name in ((before, "before"), (after, "after"))
        ]
        return [of_row(row) for row in self.rows.select(type, callback, *limits)]

    async def cancel(self, id: Any) -> bool:
        number = timers.number_of(id)
        if number is None or (row := self.rows.get(number)) is None or is_alarm(row):
            return False
        self.rows.delete(number)
        earliest = self.rows.earliest()
        if earliest is None or row["due"] < earliest:
            await self.arm()
        return True

    def _warn_of_piling_up(self, name: str, idempotent: bool | None) -> None:
        if idempotent is not None or self._life.startup.started or name in self._warned:
            return
        self._warned.add(name)
        platform.log_warning(
            f"{self._life.label}: schedule(..., {name!r}) in on_start makes one more timer each "
            "time the room wakes. Pass idempotent=True to make it once, or idempotent=False if "
            "that is what you want."
        )

    # --- the alarm --------------------------------------------------------------------

    def arm(self) -> Awaitable[Any]:
        """Set the platform's alarm, at once, to when the first row is due."""
        self.runs.wake()
        due = self.rows.earliest()
        if due is None:
            return self._life.ctx.storage.deleteAlarm()  # type: ignore[no-any-return]
        return self.arm_at(max(due, now_in_ms()))

    def arm_at(self, time: int) -> Awaitable[Any]:
        return self._life.ctx.storage.setAlarm(time)  # type: ignore[no-any-return]

    async def _heal(self) -> None:
        """Set the alarm again if it has been lost, as past `ctx.storage` it may be."""
        pending = await self.platform_alarm()
        due = self.rows.earliest()
        if due is not None and (pending is None or pending > max(due, now_in_ms())):
            await self.arm()

    def ask_platform(self) -> Awaitable[Any]:
        return self._life.ctx.storage.getAlarm()  # type: ignore[no-any-return]

    async def platform_alarm(self) -> int | None:
        return values.python_value(await self.ask_platform())  # type: ignore[no-any-return]

    async def _adopt(self) -> None:
        """Keep the alarm of a room whose class had no timers until now."""
        if self._adopted:
            return
        if not self.rows.are_there:
            pending = await self.platform_alarm()
            if pending is not None and not self.rows.are_there:
                self.rows.set_alarm(pending, now_in_ms())
        self._adopted = True

    async def alarm_fired(self) -> None:
        now = now_in_ms()
        if not self.rows.are_there:
            self.rows.set_alarm(now, now)
        # Before the start: if that fails, or the object is reset, the room is woken again, also
        # after the platform's six retries.
        await self.arm_at(now + HUNG)
        try:
            await self._life.until_started()
        except FAILURES:
            overdue = now_in_ms() - (self.rows.earliest() or now)
            pause = min(max(overdue, _FIRST_PAUSE), _LONGEST_PAUSE)
            await self.arm_at(now_in_ms() + pause)
            raise
        await self.runs.run_for_alarm()
        await self.arm()

    # --- for the testing kit ----------------------------------------------------------

    async def run_due(self, at: int | None, last_id: int | None) -> dict[str, Any]:
        """Run what is due at a time, as the alarm would then; not all of it, if that is much."""
        await self._life.until_started()
        last = self.rows.last_id() if last_id is None else last_id
        runs, more = await self.runs.run(now_in_ms() if at is None else at, last)
        await self.runs.all_ended()
        await self.arm()
        errors = [failures.traceback_text(run.error) for run in runs if run.error is not None]
        return {"ran": len(runs), "errors": errors, "more": more, "last_id": last}

    async def run_next(self) -> dict[str, Any] | None:
        """Run what is due first, whenever that is; None if there is nothing."""
        await self.runs.all_ended()
        due = self.rows.earliest()
        return None if due is None else await self.run_due(due, None)
