"""Which snapshots of a note stay: the older they are, the fewer."""

import math
from collections.abc import Iterable

MINUTE, HOUR, DAY = 60, 3600, 86400

#: Up to this age, in seconds, the last snapshot of each of these spans stays.
SPANS = (
    (HOUR, MINUTE),
    (DAY, HOUR),
    (30 * DAY, DAY),
    (math.inf, 7 * DAY),
)

MOST = 200
MOST_BYTES = 20_000_000

#: A row of the platform has at most 2 MB.
LARGEST = 1_900_000


def outdated(snapshots: Iterable[tuple[int, int]], now: int) -> list[int]:
    """The times of those that may go, of the times and the sizes of all."""
    filled: set[tuple[int, int]] = set()
    size = 0
    go: list[int] = []
    for at, length in sorted(snapshots, reverse=True):
        span = next(span for age, span in SPANS if now - at < age)
        slot = span, at // span
        if slot in filled or len(filled) == MOST or size + length > MOST_BYTES:
            go.append(at)
        else:
            filled.add(slot)
            size += length
    return go
