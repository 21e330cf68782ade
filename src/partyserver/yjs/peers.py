"""What a room of a document counts of each connection, in one life of it."""

from __future__ import annotations

from time import monotonic

from ..rules.rate import Allowance, Rate
from .budgets import Budget

#: How often a connection is told all, or what all has to be read for. A client asks for that once,
#: and then for what it lacks, some of them every few seconds.
LONG_ANSWERS = Rate({"messages": 20, "per": 60.0, "burst": 20})


class Peer:
    """One connection.

    Attributes:
        is_opening: whether it has not yet answered. An answer comes before any echo of the
            greeting's states.
        malformed: how many of its frames were.
        told: why edits of it are not taken, as far as it has been told.
        budget: what it may still be told.
        long_answers: how often it may still be told all.
        has_lost: whether an edit of it could not be stored.
        asked_at: when it was last asked for what was refused as too much, in seconds; None if
            nothing was.
    """

    __slots__ = (
        "asked_at",
        "budget",
        "has_lost",
        "is_opening",
        "long_answers",
        "malformed",
        "told",
    )

    def __init__(self, *, is_opening: bool = False) -> None:
        now = monotonic()
        self.is_opening = is_opening
        self.malformed = 0
        self.told: set[str] = set()
        self.budget = Budget(now)
        self.long_answers = Allowance(LONG_ANSWERS, now)
        self.has_lost = False
        self.asked_at: float | None = None
