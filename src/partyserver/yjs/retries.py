"""`on_save` has failed, and nothing else may ever happen in the room: an alarm makes up for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import time_ns
from typing import TYPE_CHECKING, Any

from .. import tasks
from ..rules.timers import is_own_alarm
from ..runtime import values
from ..runtime.advice import named
from ..tables import Table

if TYPE_CHECKING:
    from ..life import Life
    from ..schedule.timers import Timers

#: By which the timers of `Schedule` call it.
_NAME = "on_save"
#: Milliseconds. The pauses double, from `debounce_max_wait` on, and from this at least.
_SHORTEST, _LONGEST = 1_000, 60 * 60 * 1000

# One row at most: how many saves have failed in a row; what the platform's alarm has been set to
# from here, 0 if it is not; and when the next attempt is due, whatever wakes the room.
_TABLE = Table("yjs_retry", "failed integer not null, time integer not null, due integer not null")


class Retries:
    """When a save that has failed is tried again, also if the room has left memory.

    It takes the platform's alarm only where that is free: where it is not, the room is going to
    wake, and then its document is saved if that is due. The room's own code does not see that it is
    set.
    """

    def __init__(self, life: Life, storage: Any, pause: float) -> None:
        self._life = life
        self._pause = max(int(pause * 1000), _SHORTEST)
        #: How often the room's own code has set the alarm.
        self._set = 0
        self._scheduled = next((part for part in life.parts.all if part.name == "schedule"), None)
        if self._scheduled is None:
            self._share(storage)

    def _timers(self) -> Timers | None:
        if self._scheduled is None:
            return None
        timers: Timers = self._life.kept_by_parts[self._scheduled]
        return timers

    def starting(self, wake: Callable[[], Any]) -> None:
        """Have this called when it is time."""
        if timers := self._timers():
            timers.runs.own[_NAME] = wake

    async def failed(self) -> None:
        """Have the room woken, later each time."""
        failed, time, _ = self._row()
        due = _now() + min(self._pause << min(failed, 30), _LONGEST)
        if timers := self._timers():
            self._keep(failed + 1, 0, due)
            await timers.run_at(_NAME, due)
            return
        self._keep(failed + 1, time, due)
        count, storage = self._set, self._life.ctx.storage
        pending = values.python_value(await storage.getAlarm())
        if self._set == count and (pending is None or is_own_alarm(int(pending), time)):
            done = storage.setAlarm(due)
            self._keep(failed + 1, due, due)
            await done

    def succeeded(self) -> None:
        failed, time, _ = self._row()
        if failed:
            self._keep(0, time, 0)  # the alarm is still to come
            if timers := self._timers():
                timers.run_no_more(_NAME)

    def fired(self, scheduled: Any) -> tuple[int, bool]:
        """What the alarm was set to from here, or 0; and whether a save is to be tried again now.

        `ended` is called with the first when what it is for has been done.
        """
        failed, time, due = self._row()
        now = _now()
        if not isinstance(scheduled, int | float):
            scheduled = now
        is_own = time > 0 and is_own_alarm(int(scheduled), time)
        return time if is_own else 0, failed > 0 and (is_own or now >= due)

    def ended(self, time: int) -> None:
        """The alarm that was set to a time has come, and need not come again."""
        failed, newest, due = self._row()
        if newest == time:  # else it has been set anew meanwhile
            self._keep(failed, 0, due)

    # --- what is kept -----------------------------------------------------------------

    def _row(self) -> tuple[int, int, int]:
        rows = _TABLE.read(self._life.ctx, "select failed, time, due from {table}")
        return (rows[0]["failed"], rows[0]["time"], rows[0]["due"]) if rows else (0, 0, 0)

    def _keep(self, failed: int, time: int, due: int) -> None:
        _TABLE.read(self._life.ctx, "delete from {table}")
        if failed or time:
            _TABLE.write(self._life.ctx, "insert into {table} values (?, ?, ?)", failed, time, due)

    # --- the room's own alarm ---------------------------------------------------------

    def _share(self, storage: Any) -> None:
        """Have the room's own code not see the alarm, and take it as if it were free."""
        set_alarm, get_alarm, delete_alarm = (
            storage.setAlarm,
            storage.getAlarm,
            storage.deleteAlarm,
        )

        def set_and_count(*arguments: Any) -> Any:
            self._set += 1
            failed, time, due = self._row()
            if time:  # it is set anew: the room is going to wake anyway
                self._keep(failed, 0, due)
            return set_alarm(*arguments)

        def get(*arguments: Any) -> Any:
            return named(self._hidden(get_alarm(*arguments), self._row()[1]), "getAlarm")

        def delete(*arguments: Any) -> Any:
            own = self._row()[1]
            if not own:
                return delete_alarm(*arguments)
            # As the SDK's, it acts when it is called.
            task = tasks.run(delete_others(own, arguments))
            return named(_result(task), "deleteAlarm")

        async def delete_others(own: int, arguments: Any) -> None:
            # A transaction's `setAlarm` is not seen from here: it may not be ours any more.
            count = self._set
            pending = values.python_value(await get_alarm())
            is_others = pending is not None and not is_own_alarm(int(pending), own)
            if is_others and self._set == count:
                await delete_alarm(*arguments)

        storage.setAlarm, storage.getAlarm, storage.deleteAlarm = set_and_count, get, delete

    async def _hidden(self, asked: Coroutine[Any, Any, Any], own: int) -> Any:
        pending = await asked
        return None if own and pending is not None and is_own_alarm(int(pending), own) else pending


def _now() -> int:
    """Milliseconds since 1970."""
    return time_ns() // 1_000_000


async def _result(task: asyncio.Task[None]) -> None:
    await asyncio.shield(task)
