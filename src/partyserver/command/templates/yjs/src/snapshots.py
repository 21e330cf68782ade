"""Which snapshots of a note stay: the older they are, the fewer."""

import math
from collections import Counter
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

#: So many of them are for each span first: a note that is very large for some minutes leaves the
#: old snapshots alone.
RESERVED = 2_500_000

#: A row of the platform has at most 2 MB.
LARGEST = 1_900_000


def outdated(snapshots: Iterable[tuple[int, int]], now: int) -> list[int]:
    """The times of those that may go, of the times and the sizes of all."""
    filled: set[tuple[int, int]] = set()
    size = 0
    reserved: Counter[int] = Counter()
    left = sorted(snapshots, reverse=True)
    for is_reserve in (True, False):
        go: list[tuple[int, int]] = []
        for at, length in left:
            span = next(span for age, span in SPANS if now - at < age)
            slot = span, at // span
            used, most = (reserved[span], RESERVED) if is_reserve else (size, MOST_BYTES)
            if slot in filled or len(filled) == MOST or used + length > most:
                go.append((at, length))
            else:
                filled.add(slot)
                size += length
                reserved[span] += length
        left = go
    return [at for at, _ in left]
