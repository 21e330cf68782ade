"""Ratios between servers, how sure they are, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles

_RESAMPLES = 2000


@dataclass(frozen=True)
class Ratio:
    """The median over the rounds, and the interval that holds it with 95% (bootstrap)."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def ratio(of: Sequence[float], to: Sequence[float], *, processes: int = 1) -> Ratio:
    """`of` and `to` are paired: each round measured both, in the same moments.

    With `processes` the rounds are those of so many processes of each server, one after the other,
    and the interval allows for how these differ by chance.
    """
    rounds = [one / other for one, other in zip(of, to, strict=True)]
    size = len(rounds) // processes
    blocks = [rounds[start : start + size] for start in range(0, len(rounds), size)]
    chance = Random(0)
    medians = [
        median(
            one
            for block in chance.choices(blocks, k=len(blocks))
            for one in chance.choices(block, k=len(block))
        )
        for _ in range(_RESAMPLES)
    ]
    low, *_, high = quantiles(medians, n=40)
    return Ratio(median(rounds), low, high)


def verdict(found: Ratio, target: float) -> str:
    if found.high <= target:
        return "yes"
    if found.low > target:
        return "no"
    return "about"


def difference(found: Ratio, control: Ratio, *, less: str = "faster", more: str = "slower") -> str:
    """By how much, or that it is noise. `control` is the ratio of two servers that are the same."""
    # Which of the two stands above the line is chance, so the noise reaches as far on both sides.
    low, high = min(control.low, 1 / control.high), max(control.high, 1 / control.low)
    if found.low <= high and low <= found.high:
        return "within noise"
    return f"{abs(found.median - 1):.1%} {more if found.median > 1 else less}"
