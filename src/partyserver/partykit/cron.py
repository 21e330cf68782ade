"""`Cron`: a schedule that is due."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cron:
    """What `on_cron` is told.

    Attributes:
        name: the schedule's name in `partykit.entrypoint(crons=...)`.
        definition: its cron expression.
        scheduled_time: when it was due, in milliseconds since 1970.
    """

    name: str
    definition: str
    scheduled_time: int
