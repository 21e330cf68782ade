"""What a room's code sees of a timer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..rules import timers
from ..rules.messages import parse_json
from ..rules.retry import Retry
from ..rules.timers import TimerType

__all__ = ["Retry", "Scheduled", "TimerType", "of_row"]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A timer of a room, as it was when it was asked for.

    Attributes:
        id: what `get_schedule` and `cancel_schedule` take. No other timer of the room gets it.
        callback: the name of the method that it calls.
        payload: what that is called with, as JSON keeps it: a tuple is a list.
        type: "delayed" and "scheduled" run once, "cron" and "interval" again and again.
        time: when it runs (next), with a timezone: UTC. While its callback is running, or waits
            to be tried again, this is the time that it was to run at.
        delay: the seconds of a "delayed" one, else None.
        cron: the expression of a "cron", else None.
        interval: the seconds of an "interval", else None.
        retry: how often its callback is tried if it fails.
    """

    id: str
    callback: str
    payload: Any
    type: TimerType
    time: datetime
    delay: float | None = None
    cron: str | None = None
    interval: float | None = None
    retry: Retry = field(default_factory=Retry)


def of_row(row: Mapping[str, Any], retry: Retry | None) -> Scheduled:
    """`retry` is what holds where the timer was given none."""
    type: TimerType = row["type"]
    return Scheduled(
        id=timers.id_of(row["id"]),
        callback=row["callback"],
        payload=parse_json(row["payload"]),
        type=type,
        time=timers.moment_of(row["time"]),
        delay=row["detail"] if type == "delayed" else None,
        cron=row["detail"] if type == "cron" else None,
        interval=row["detail"] if type == "interval" else None,
        retry=timers.stored_retry(row["retry"], retry),
    )
