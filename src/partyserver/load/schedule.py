"""When connections open, and when messages are due: known before the load begins.

A schedule does not wait for a server that is slow: a message that goes out late, because those
before it were held up, has its latency counted from the moment at which it was due. Else a server
that stops for a second would have one slow message, and not all those of that second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Schedule:
    """Messages at even distances, of one connection after the other.

    Attributes:
        connections: so many take turns, in an order that `seed` decides.
        rate: messages a second, of all connections together.
        duration: seconds.
    """

    connections: int
    rate: float
    duration: float
    seed: int = 0

    def due(self) -> list[Iterator[float]]:
        """For each connection, the seconds after the beginning at which its messages are due."""
        order = list(range(self.connections))
        Random(self.seed).shuffle(order)
        return [self._of(place) for place in order]

    def _of(self, place: int) -> Iterator[float]:
        for number in range(place, self.count(), self.connections):
            yield number / self.rate

    def count(self, seconds: float = math.inf) -> int:
        """How many messages are due in so many seconds, by default in all."""
        # Rounded: 0.1 * 30 is a little over 3.
        return math.ceil(round(self.rate * min(seconds, self.duration), 6))


def opening(connection: int, connections: int, ramp: float) -> float:
    """How many seconds after the beginning a connection opens."""
    return ramp * connection / connections


@dataclass(frozen=True)
class Backoff:
    """When a connection that has ended is opened again. In seconds; the defaults are partysocket's.

    Attributes:
        first: before the first attempt.
        growth: each pause is so many times the one before it.
        longest: no pause is longer.
        uptime: a connection that was open for so long begins with the first pause again.
        timeout: an attempt that takes longer has failed.
    """

    first: float = 3.0
    growth: float = 1.3
    longest: float = 10.0
    uptime: float = 5.0
    timeout: float = 4.0

    def pause(self, attempt: int) -> float:
        """Before the first attempt, which is 1, or a later one."""
        # More would be too large for a float, and is longer than any `longest`.
        return min(self.first * self.growth ** min(attempt - 1, 200), self.longest)

    def next_attempt(self, attempt: int, was_open: float) -> int:
        """The one after this, for a connection that was open for so many seconds."""
        return 1 if was_open >= self.uptime else attempt + 1
