"""The timers of one room, in one life of it: they are made, and the alarm is kept."""

from __future__ import annotations

from asyncio import get_event_loop
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..reserved import life_of
from ..rules import callbacks, failures, timers
from ..rules.messages import parse_json
from ..rules.timers import HUNG, Plan
from ..runtime import platform, values
from ..usercode import FAILURES
from .clock import now_in_ms
from .rows import OWN, Row, Rows, is_timer
from .runs import Runs
from .scheduled import Scheduled, of_row

if TYPE_CHECKING:
    from ..life import Life
    from ..server import Server

#: Milliseconds. A room whose `on_start` fails is woken again after as long as its first timer is
#: overdue: so the pauses double.
_FIRST_PAUSE = 2_000
_LONGEST_PAUSE = 10 * 60 * 1000
#: Milliseconds after which a timer that is due is taken for one whose alarm is lost.
_LOST = 60_000
#: Milliseconds by which the alarm may come earlier while callbacks run, so that each batch of them
#: does not set it again.
_SOON = 5_000


class Timers:
    """What the methods of `Schedule` and the alarm come to.

    The platform's alarm is set to when the first row is due. While its handler runs it is set to
    when the callbacks are to have ended, whatever they change: an eviction, or a crash, in the
    middle of one wakes the room again, and not at once.
    """

    def __init__(self, server: Server) -> None:
        self._life: Life = life_of(server)
        self.rows = Rows(self._life.ctx)
        self.runs = Runs(self._life, self.rows, self.arm, self.arm_for_run)
        #: Whether an alarm that was not set from here has been looked for, in this life.
        self._adopted = False
        #: How many run timers now, and set the alarm when they have.
        self._running = 0
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
                    await self.heal()
                    return self._scheduled(row)
        row = self.rows.insert(plan, name, text, kept_retry, same, now_in_ms())
        if self.rows.earliest() == row["due"]:
            await self.arm()
        return self._scheduled(row)

    def get(self, id: Any) -> Scheduled | None:
        number = timers.number_of(id)
        row = None if number is None else self.rows.get(number)
        return None if row is None or not is_timer(row) else self._scheduled(row)

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
        return [self._scheduled(row) for row in self.rows.select(type, callback, *limits)]

    async def cancel(self, id: Any) -> bool:
        number = timers.number_of(id)
        if number is None or (row := self.rows.get(number)) is None or not is_timer(row):
            return False
        await self._adopt()
        if self.rows.delete(number) is None:  # somebody else has meanwhile
            return False
        earliest = self.rows.earliest()
        if earliest is None or row["due"] < earliest:
            await self.arm()
        return True

    async def run_soon(self, name: str) -> None:
        """Have the alarm call what stands in `runs.own` under a name, if it is not about to.

        It is called at least once, in this life of the room or in the next.
        """
        await self._adopt()
        row, now = self.rows.own(name), now_in_ms()
        if row is None:
            self.rows.insert_own(name, now, now)
        elif self.runs.has(row["id"]):
            return
        elif row["due"] > now:  # it was cut off in another life
            self.rows.postpone(row["id"], now)
        armed = self.rows.armed()
        if armed is None or armed > now:
            await self.arm()

    async def run_at(self, name: str, time: int) -> None:
        """Have the alarm call what stands in `runs.own` under a name, once, at a time.

        That takes the place of an earlier time, also of one that another life has left.
        """
        await self._adopt()
        self.rows.delete_own(name)
        self.rows.insert_own(name, now_in_ms(), time)
        if self.rows.earliest() == time:
            await self.arm()

    def run_no_more(self, name: str) -> None:
        """Take that back. A run that has begun ends."""
        if self.rows.delete_own(name):  # else there may be an alarm that has not been adopted yet
            self._life.wait_until(self.arm())

    def goes_on(self, name: str) -> None:
        """What is called by that name has come further: what cuts it off now, it has not done."""
        row = self.rows.own(name)
        if row is not None:
            self.rows.forget_starts(row["id"])

    def _scheduled(self, row: Row) -> Scheduled:
        return of_row(row, self._life.options.get("retry"))

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
        """Set the platform's alarm, at once, to when the first row is due.

        While its handler runs that has only to look again: the rows that it runs are due, and the
        alarm would be set to now.
        """
        self.runs.wake()
        if self._running:
            return _done()
        due = self.rows.earliest()
        return self.arm_at(None if due is None else max(due, now_in_ms()))

    def arm_at(self, time: int | None) -> Awaitable[Any]:
        self.rows.set_armed(time)
        storage = self._life.ctx.storage
        return storage.deleteAlarm() if time is None else storage.setAlarm(time)  # type: ignore[no-any-return]

    def arm_for_run(self) -> Awaitable[Any]:
        """Have the room woken again in about `HUNG`, if that is not so yet."""
        armed, latest = self.rows.armed(), now_in_ms() + HUNG
        if armed is not None and latest - _SOON <= armed <= latest:
            return self.ask_platform()  # awaited as well, in which time things are stored
        return self.arm_at(latest)

    @contextmanager
    def _run(self) -> Iterator[None]:
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def ask_platform(self) -> Awaitable[Any]:
        return self._life.ctx.storage.getAlarm()  # type: ignore[no-any-return]

    def foreign_alarm(self) -> Coroutine[Any, Any, int | None]:
        """The platform's, as it is now, if it was not set from here."""
        return self._foreign(None if self._adopted else self.ask_platform(), self.rows.armed())

    async def _foreign(self, asked: Awaitable[Any] | None, armed: int | None) -> int | None:
        pending = None if asked is None else values.python_value(await asked)
        return None if pending is None or timers.is_own_alarm(pending, armed) else pending

    async def _adopt(self) -> None:
        """Keep an alarm of the user's that was set while the class had no timers."""
        if self._adopted:
            return
        armed = self.rows.armed()
        pending = await self.foreign_alarm()
        if self._adopted or self.rows.armed() != armed:
            return  # somebody else has set it meanwhile
        self._adopted = True
        if pending is not None:
            self.rows.set_alarm(pending, now_in_ms())
            await self.arm()

    async def heal(self) -> None:
        """Set the alarm again if it has been lost, as past `ctx.storage` it may be."""
        await self._adopt()
        if self._running:
            return
        armed, asked = self.rows.armed(), self.ask_platform()
        pending = values.python_value(await asked)
        due = self.rows.earliest()
        if self.rows.armed() != armed or due is None:
            return
        if pending is None or pending > max(due, now_in_ms()):
            await self.arm()

    def look_for_lost(self) -> None:
        """Heal the alarm if a timer has long been due, and it is not the alarm that has come.

        It was lost, as where a rollback had taken the timers from the class: it fired for nobody.
        """
        due = self.rows.earliest()
        if due is not None and due < now_in_ms() - _LOST and not self._running:
            self._life.wait_until(self.heal())

    async def transaction_has_ended(self) -> None:
        """It may have undone what has been stored of the alarm."""
        self._adopted = False
        await self.heal()

    async def alarm_fired(self, info: Any) -> None:
        now = now_in_ms()
        self._adopt_fired(info, now)
        with self._run():
            if not self._life.startup.started:
                # If the start fails, or the object is reset, the room is woken again, also after
                # the platform's six retries.
                await self.arm_at(now + HUNG)
            try:
                await self._life.until_started()
            except FAILURES:
                overdue = now_in_ms() - (self.rows.earliest() or now)
                pause = min(max(overdue, _FIRST_PAUSE), _LONGEST_PAUSE)
                await self.arm_at(now_in_ms() + pause)
                raise
            try:
                await self.runs.run_for_alarm()
            except FAILURES:
                await self.arm_at(now_in_ms() + HUNG)
                raise
        await self.arm()

    def _adopt_fired(self, info: Any, now: int) -> None:
        """Have `on_alarm` run for an alarm that has fired, and was not set from here."""
        armed = self.rows.armed()
        time = getattr(info, "scheduledTime", None)
        if not isinstance(time, int | float):
            time = now if armed is None else min(now, armed)
        # What is tried again has been looked at before, and the alarm been set since.
        if not getattr(info, "isRetry", False) and not timers.is_own_alarm(int(time), armed):
            self.rows.set_alarm(now, now)
        self._adopted = True

    # --- for the testing kit ----------------------------------------------------------

    async def run_due(self, at: int | None, last_id: int | None) -> dict[str, Any]:
        """Run what is due at a time, as the alarm would then; not all of it, if that is much."""
        await self._life.until_started()
        await self._adopt()
        last = self.rows.last_id() if last_id is None else last_id
        with self._run():
            runs, more = await self.runs.run(now_in_ms() if at is None else at, last)
        await self.runs.all_ended()
        await self.arm()
        errors = [failures.traceback_text(run.error) for run in runs if run.error is not None]
        ran = sum(run.row["type"] != OWN for run in runs)
        return {"ran": ran, "errors": errors, "more": more, "last_id": last}

    async def run_next(self) -> dict[str, Any] | None:
        """Run what is due first, whenever that is; None if there is nothing."""
        await self.runs.all_ended()
        due = self.rows.earliest()
        return None if due is None else await self.run_due(due, None)


def _done() -> Awaitable[None]:
    future = get_event_loop().create_future()
    future.set_result(None)
    return future
