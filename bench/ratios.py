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
    """By how much, or that it is noise. `control` is the ratio of two servers that are the same.

    Each of the two ratios has to lie outside of the other's interval. That the intervals are apart
    would be too much to ask: a change of a tenth would mostly go unseen.
    """
    # Which of the two that are the same is above the line is chance: noise goes both ways.
    noise = max(control.median, 1 / control.median)
    most = max(control.high, 1 / control.low)
    if found.median > most and found.low > noise:
        return f"{found.median - 1:.1%} {more}"
    if found.median < 1 / most and found.high < 1 / noise:
        return f"{1 - found.median:.1%} {less}"
    return "within noise"
