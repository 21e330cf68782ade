"""Many measured times in few words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """In milliseconds. A percentile is one of the values: so many percent are not above it."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float


def summary(seconds: Iterable[float]) -> Summary | None:
    """None of nothing."""
    found = sorted(seconds)
    if not found:
        return None
    return Summary(len(found), *(_milliseconds(found, percent) for percent in (50, 90, 99, 100)))


def _milliseconds(found: list[float], percent: int) -> float:
    return round(found[math.ceil(len(found) * percent / 100) - 1] * 1000, 3)
