"""Ratios between servers, with how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """The median over the rounds, and the interval that holds it with 95% (bootstrap)."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def ratio(of: Sequence[float], to: Sequence[float]) -> Ratio:
    """`of` and `to` are paired: each round measured both, in the same moments."""
    rounds = np.asarray(of) / np.asarray(to)
    generator = np.random.default_rng(0)
    medians = np.median(generator.choice(rounds, (2000, len(rounds))), axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return Ratio(float(np.median(rounds)), float(low), float(high))


def verdict(found: Ratio, target: float) -> str:
    if found.high <= target:
        return "yes"
    if found.low > target:
        return "no"
    return "about"
