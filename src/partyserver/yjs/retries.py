"""`on_save` has failed, and nothing else may ever happen in the room: an alarm makes up for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import time_ns
from typing import TYPE_CHECKING, Any

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

# One row at most: how many saves have failed in a row, and what the platform's alarm has been set
# to from here; 0 if it is not.
_TABLE = Table("yjs_retry", "failed integer not null, time integer not null")


class Retries:
    """When a save that has failed is tried again, also if the room has left memory.

    It takes the platform's alarm only where that is free: where it is not, the room is going to
    wake, and then its document is saved. The room's own code does not see that it is set.
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
        failed, time = self._row()
        due = _now() + min(self._pause << min(failed, 30), _LONGEST)
        if timers := self._timers():
            self._keep(failed + 1, 0)
            await timers.run_at(_NAME, due)
            return
        self._keep(failed + 1, time)
        count, storage = self._set, self._life.ctx.storage
        pending = values.python_value(await storage.getAlarm())
        if self._set == count and (pending is None or is_own_alarm(int(pending), time)):
            done = storage.setAlarm(due)
            self._keep(failed + 1, due)
            await done

    def succeeded(self) -> None:
        failed, time = self._row()
        if failed:
            self._keep(0, time)  # the alarm is still to come
            if timers := self._timers():
                timers.run_no_more(_NAME)

    def fired(self, scheduled: Any) -> tuple[bool, bool]:
        """Whether an alarm was set from here, and whether a save is to be tried again."""
        failed, time = self._row()
        if not isinstance(scheduled, int | float):
            scheduled = _now()
        is_own = time > 0 and is_own_alarm(int(scheduled), time)
        if is_own:
            self._keep(failed, 0)
        return is_own, failed > 0

    # --- what is kept -----------------------------------------------------------------

    def _row(self) -> tuple[int, int]:
        rows = _TABLE.read(self._life.ctx, "select failed, time from {table}")
        return (rows[0]["failed"], rows[0]["time"]) if rows else (0, 0)

    def _keep(self, failed: int, time: int) -> None:
        _TABLE.read(self._life.ctx, "delete from {table}")
        if failed or time:
            _TABLE.write(self._life.ctx, "insert into {table} values (?, ?)", failed, time)

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
            failed, time = self._row()
            if time:  # it is set anew: the room is going to wake anyway
                self._keep(failed, 0)
            return set_alarm(*arguments)

        def get(*arguments: Any) -> Any:
            return named(self._hidden(get_alarm(*arguments), self._row()[1]), "getAlarm")

        def delete(*arguments: Any) -> Any:
            if self._row()[1]:
                return named(_nothing(), "deleteAlarm")
            return delete_alarm(*arguments)

        storage.setAlarm, storage.getAlarm, storage.deleteAlarm = set_and_count, get, delete

    async def _hidden(self, asked: Coroutine[Any, Any, Any], own: int) -> Any:
        pending = await asked
        return None if own and pending is not None and is_own_alarm(int(pending), own) else pending


def _now() -> int:
    """Milliseconds since 1970."""
    return time_ns() // 1_000_000


async def _nothing() -> None:
    return None
