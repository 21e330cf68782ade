"""Callbacks that run: at least once, one after the other, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from .. import tasks
from ..errors import PartyServerError
from ..rules import callbacks, failures, timers
from ..rules.messages import parse_json
from ..rules.timers import HUNG, LONGEST_RUN
from ..runtime import events, platform
from ..usercode import FAILURES, call
from .clock import now_in_ms
from .rows import OWN, Row, Rows, is_alarm

if TYPE_CHECKING:
    from ..life import Life

#: Seconds that a callback holds up those that are due after it.
PATIENCE = 1.0
#: How many are marked as started at once.
_BATCH = 50
#: After so many, or so many milliseconds, the rest is left to a further alarm: an event of the
#: platform has 30 seconds of CPU.
_MOST = 1000
_LONGEST = 10_000
#: After so many starts that were cut off within 30 s, as where a callback computes for ever and the
#: platform ends the isolate, or that have hung, it is given up as one that has failed. One that has
#: run for longer when it is cut off, as by a deployment, does not count.
_MAX_STARTS = 6
#: Of the user's own alarm, as the platform's: 2 s, doubled each time.
_ALARM_ATTEMPTS = 7
_ALARM_PAUSE = 2_000
#: Until a timer is looked at again whose next time cannot be had.
_BROKEN = 60 * 60 * 1000


class Run:
    """One call of a callback."""

    __slots__ = ("at", "began", "error", "is_left", "row", "survived", "task")

    def __init__(self, row: Row, at: int | None) -> None:
        self.row = row
        #: The testing kit's own idea of when this is.
        self.at = at
        self.began = now_in_ms()
        self.task: asyncio.Task[None] | None = None
        self.error: BaseException | None = None
        #: Whether it holds up no others any more.
        self.is_left = False
        #: Whether it has gone on for so long that an eviction is nothing that it has done.
        self.survived = False

    @property
    def now(self) -> int:
        return now_in_ms() if self.at is None else self.at


class Runs:
    """The runs of one room's timers."""

    def __init__(
        self,
        life: Life,
        rows: Rows,
        arm: Callable[[], Awaitable[Any]],
        arm_for_run: Callable[[], Awaitable[Any]],
    ) -> None:
        self._life = life
        self._rows = rows
        self._arm = arm
        self._arm_for_run = arm_for_run
        self._running: dict[int, Run] = {}
        #: What capabilities have called, by the names in their rows.
        self.own: dict[str, Callable[[], Any]] = {}
        #: An alarm, and the testing kit, do not run the same rows.
        self._turn = asyncio.Lock()
        #: Ends the wait of the alarm's handler, when there may be more to run.
        self._woken: asyncio.Future[None] | None = None

    def has(self, number: int) -> bool:
        return number in self._running

    async def all_ended(self) -> None:
        while self._running:
            await asyncio.wait([run.task for run in self._running.values() if run.task])

    def wake(self) -> None:
        """Have an alarm's handler look again what is due."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def run_for_alarm(self) -> None:
        """Run what is due; and while a callback takes long, what becomes due meanwhile.

        The platform keeps an object in memory while its alarm's handler runs, and calls it for no
        other alarm.
        """
        began = now_in_ms()
        while True:
            _, more = await self.run()
            now = now_in_ms()
            pending = [
                run.task
                for run in self._running.values()
                if run.task is not None and now - run.began < LONGEST_RUN
            ]
            if more or not pending or now - began >= LONGEST_RUN:
                return
            self._woken = events.new_future()
            due = self._rows.earliest()
            timeout = None if due is None else max(0, due - now) / 1000
            await asyncio.wait(
                [*pending, self._woken], timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )

    async def run(
        self, at: int | None = None, last_id: int | None = None
    ) -> tuple[list[Run], bool]:
        """Run what is due, and tell what that was, and whether there is more.

        The testing kit says `at` which time, and leaves out what is newer than `last_id`.
        """
        done: list[Run] = []
        async with self._turn:
            began = now_in_ms()
            while batch := self._next_batch(at, last_id):
                if len(done) >= _MOST or now_in_ms() - began >= _LONGEST:
                    return done, True
                self._rows.mark_started(batch)
                # What is marked is stored before anything runs: this lets the platform do it.
                await self._arm_for_run()
                for number in batch:
                    # It may have been cancelled, or replaced, by one before it.
                    row = self._rows.get(number)
                    if row is not None:
                        done.append(await self._run_one(Run(row, at)))
        return done, False

    def _next_batch(self, at: int | None, last_id: int | None) -> list[int]:
        """Those that are due next; alone, one that has been started before and has not ended.

        So it does no harm to others, if it is what ends the isolate.
        """
        now = now_in_ms() if at is None else at
        while found := self._rows.due(now, last_id, _BATCH):
            rows = [row for row in found if not self._still_runs(row, now)]
            if rows and rows[0]["starts"]:
                return [rows[0]["id"]]
            if rows:
                return [row["id"] for row in takewhile(lambda row: not row["starts"], rows)]
        return []

    def _still_runs(self, row: Row, now: int) -> bool:
        """Whether a row that is due is still running, and so to be left alone."""
        number = row["id"]
        if is_alarm(row):  # another one, too, that the running hook has set meanwhile
            number = next((n for n, run in self._running.items() if is_alarm(run.row)), number)
        run = self._running.get(number)
        if run is None:
            return False
        is_hung_at = self._hung_at(run)
        # What runs once is hung when so much time has passed, whatever the testing kit says.
        latest = max(now, now_in_ms())
        if (latest if row["type"] in timers.RECURRING else now_in_ms()) < is_hung_at:
            self._rows.postpone(row["id"], latest + HUNG)
            if not run.survived and now_in_ms() - run.began >= HUNG:
                run.survived = True
                self._rows.count_start(number, -1)
            return True
        platform.log_warning(
            f"{self._life.label}: {_where(run.row)} has not ended after "
            f"{(is_hung_at - run.began) // 1000} s. It is taken as hung, and runs again."
        )
        if run.survived:
            self._rows.count_start(number, 1)
        del self._running[number]
        return False

    def _hung_at(self, run: Run) -> int:
        row = run.row
        try:
            return timers.hung_at(row["type"], row["detail"], row["time"], run.began)
        except (ImportError, ValueError):  # a cron that cannot be read any more
            return run.began + _BROKEN

    async def _run_one(self, run: Run) -> Run:
        """Start a callback, and wait for it, but not long."""
        row = run.row
        if row["starts"] > _MAX_STARTS:
            run.error = _never_ended(row)
            self._store(run)
            return run
        self._running[row["id"]] = run
        task = run.task = tasks.run(self._carry_out(run), self._life.context.copy())
        if not task.done():
            await asyncio.wait([task], timeout=PATIENCE)
        if task.done():
            task.result()  # raises what is no failure of the callback's: the object is aborted
        else:
            run.is_left = True
            self._rows.postpone(row["id"], max(run.now, now_in_ms()) + HUNG)
            task.add_done_callback(self._look_at)
        return run

    async def _carry_out(self, run: Run) -> None:
        try:
            await self._call(run.row)
        except FAILURES as error:
            run.error = error
        finally:
            number = run.row["id"]
            is_latest = self._running.get(number) is run
            if is_latest:
                del self._running[number]
        try:
            if is_latest:
                self._store(run)
            elif run.error is not None:
                self._life.report(_where(run.row), run.error)
            else:  # it has ended after all
                self._rows.forget_starts(number)
        finally:
            if run.is_left:
                await self._arm()

    def _store(self, run: Run) -> None:
        """Store what has come of a run; if that fails, it runs again, but not at once."""
        try:
            if run.error is None:
                self._end(run)
            else:
                self._fail(run, run.error)
            if is_alarm(run.row):
                self._rows.alarm_is_due_at_its_time()
        except FAILURES as error:
            run.error = error
            self._life.report(f"the outcome of {_where(run.row)}", error)
            self._rows.postpone(run.row["id"], run.now + HUNG)

    def _look_at(self, task: asyncio.Task[None]) -> None:
        """Else asyncio tells that nobody has, where the object has been aborted."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, FAILURES):
            self._life.report("a timer", error)

    async def _call(self, row: Row) -> None:
        if is_alarm(row):
            await call(self._life.server.on_alarm)
            return
        if row["type"] == OWN:
            if row["callback"] in self.own:  # else a rollback has taken it from the class
                await call(self.own[row["callback"]])
            return
        owner, name = self._life.owner, row["callback"]
        method = callbacks.find(owner, name)
        if method is None:
            platform.log_error(
                f"{self._life.label}: timer {timers.id_of(row['id'])} was to call {name!r}, which "
                f"{type(owner).__name__} no longer has. It is taken as run."
            )
        elif callbacks.takes_payload(method):
            await call(method, parse_json(row["payload"]))
        else:
            await call(method)

    def _fail(self, run: Run, error: BaseException) -> None:
        """Have a callback that has failed tried again, or give it up."""
        row, attempts = run.row, run.row["attempts"] + 1
        if is_alarm(row):
            self._life.report("on_alarm", error)
            retry_after = _ALARM_PAUSE * 2 ** (attempts - 1)
            most = _ALARM_ATTEMPTS
        else:
            retry = timers.stored_retry(row["retry"], self._life.options.get("retry"))
            retry_after = 1 + retry.delay_ms(attempts, platform.random_fraction())
            most = retry.max_attempts
        if attempts < most and row["starts"] <= _MAX_STARTS:
            self._rows.try_again(row["id"], run.now + retry_after, attempts)
            if not is_alarm(row):
                platform.log_warning(
                    f"{self._life.label}: {row['callback']} has failed, attempt {attempts} of "
                    f"{most}; the next is in {retry_after} ms. {failures.summary(error)}"
                )
            return
        self._end(run)
        if not is_alarm(row):
            self._life.report(_where(row), error)

    def _end(self, run: Run) -> None:
        try:
            self._rows.ended(run.row, run.now)
        except (ImportError, ValueError) as error:  # a cron, and its package is there no more
            self._life.report(_where(run.row), error)
            self._rows.postpone(run.row["id"], run.now + _BROKEN)


def _where(row: Row) -> str:
    return "on_alarm" if is_alarm(row) else f"the timer of {row['callback']}"


def _never_ended(row: Row) -> PartyServerError:
    return PartyServerError(
        f"{_where(row)} was started {_MAX_STARTS} times and never ended: each time the object was "
        "evicted or reset soon, or the callback hung. It is given up"
    )
