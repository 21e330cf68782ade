"""`Schedule`: the mixin, and how it attaches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..parts import Part, attach
from ..rules.retry import Retry
from ..rules.timers import TimerType, plan, plan_interval
from .alarm import OwnAlarm
from .clock import now_in_ms
from .scheduled import Scheduled
from .timers import Timers


def _construct(server: Any) -> Timers:
    timers = Timers(server)
    OwnAlarm(timers, server.ctx.storage)
    return timers


async def _alarm(server: Any, info: Any) -> None:
    await _of(server).alarm_fired(info)


def _started(server: Any) -> None:
    _of(server).look_for_lost()


_SCHEDULE = Part(
    name="schedule",
    rank=600,
    options=("retry",),
    construct=_construct,
    started=_started,
    alarm=_alarm,
)


def _of(server: Any) -> Timers:
    timers: Timers = _SCHEDULE.of(server)
    return timers


def timers_of(server: Any) -> Timers | None:
    """For the testing kit: None for a room without."""
    return _of(server) if isinstance(server, Schedule) else None


@attach(_SCHEDULE)
class Schedule:
    """A room with any number of timers, which outlive its time in memory.

        class Poll(Schedule, Server):
            async def on_start(self):
                if "closes_at" not in self.kv:  # once in all, and not at each wake
                    timer = await self.schedule(
                        30, self.close_poll, {"why": "time is up"}, idempotent=True
                    )
                    self.kv["closes_at"] = timer.time
                await self.schedule("0 9 * * 1", "remind")   # Mondays at 9:00, UTC
                await self.schedule_every(60, "tick")

            def close_poll(self, payload):
                self.broadcast_json({"closed": payload["why"]})

            async def remind(self): ...

            def tick(self): ...

    A callback is a method of the room, plain or `async`, which takes the payload or nothing. It
    runs after `on_start`, at least once, and never before its time. One that fails is tried again,
    and `on_exception` gets the error after the last attempt.

    `schedule`, `schedule_every` and `cancel_schedule` must be awaited: without it, nothing happens.

    Timers are rows in the room's SQLite. The platform's one alarm belongs to them: `on_alarm`
    and `ctx.storage.setAlarm` work as ever, beside them.
    https://developers.cloudflare.com/durable-objects/api/alarms/
    """

    async def schedule(
        self,
        when: float | timedelta | datetime | str,
        callback: str | Callable[..., Any],
        payload: Any = None,
        *,
        idempotent: bool | None = None,
        retry: Retry | None = None,
    ) -> Scheduled:
        """Have a method called at a time, once, or again and again with a cron.

            await self.schedule(30, self.close_poll, {"why": "time is up"})
            await self.schedule(datetime(2027, 1, 1, tzinfo=UTC), "happy_new_year")
            await self.schedule("0 9 * * 1", "remind")

        Args:
            when: seconds from now (or a `timedelta`), a `datetime` with a timezone, or a cron in
                UTC with five fields (six with seconds first). What is in the past runs at once.
            callback: a method of this room, or its name.
            payload: what it is called with: JSON of at most 1,000,000 bytes.
            idempotent: return the timer that is there, if there is one with the same callback and
                payload (and cron), instead of making another one. A timer whose callback is
                running, and runs once, does not count, and one that has run is no longer there: in
                `on_start`, which runs again whenever the room wakes, it would be made again. Keep
                in `kv` that it was made. Default: True for crons, else False.
            retry: how often the callback is tried if it fails. Default: `options["retry"]`, or else
                `Retry()`.

        Raises:
            TypeError, ValueError: what is given cannot be a timer; the message says what can.
            ImportError: crons need the extra `partyserver[schedule]`.
        """
        return await _of(self).add(plan(when, now_in_ms()), callback, payload, idempotent, retry)

    async def schedule_every(
        self,
        seconds: float | timedelta,
        callback: str | Callable[..., Any],
        payload: Any = None,
        *,
        idempotent: bool | None = None,
        retry: Retry | None = None,
    ) -> Scheduled:
        """Have a method called every so many seconds: more than 0, at most 30 days.

        It is called for the first time after one interval, and keeps the beat: what the room
        has missed, say by a deployment, is made up for by one call. While a callback runs it is not
        called again. One that has not ended after 30 seconds, nor when its next time has come, is
        taken as hung, and called anew.

        The other arguments are those of `schedule`. `idempotent` is True by default, for the same
        callback, payload and seconds: calling this in `on_start` makes one timer.
        """
        return await _of(self).add(
            plan_interval(seconds, now_in_ms()), callback, payload, idempotent, retry
        )

    def get_schedule(self, id: str) -> Scheduled | None:
        """The timer with this id; None if there is none, or it has run and does not run again."""
        return _of(self).get(id)

    def list_schedules(
        self,
        *,
        type: TimerType | None = None,
        callback: str | Callable[..., Any] | None = None,
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> list[Scheduled]:
        """The room's timers in the order of their times: all, or those that are asked for.

        Args:
            type: "delayed", "scheduled", "cron" or "interval".
            callback: a method, or its name.
            before: a time, with a timezone, before which they run.
            after: one after which they run.
        """
        return _of(self).select(type, callback, before, after)

    async def cancel_schedule(self, id: str) -> bool:
        """Remove a timer, and tell whether there was one.

        A callback that is running ends; whatever comes of it, it does not run again.
        """
        return await _of(self).cancel(id)
