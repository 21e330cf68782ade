"""Sets of clocks, as ranges."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence


class Ranges:
    """Whole numbers from 0, as sorted ranges that do not touch; the end of each is not in it.

    ranges = Ranges()
    ranges.add(0, 3)   # True: 0, 1 and 2 are new
    ranges.add(1, 3)   # False
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> bool:
        """Add a range that is not empty, and tell whether any of it was missing."""
        starts, ends = self._starts, self._ends
        if ends and start == ends[-1]:  # as when somebody types
            ends[-1] = end
            return True
        first = bisect_left(ends, start)  # the first one that it touches, or that is behind it
        if first < len(starts) and starts[first] <= start and end <= ends[first]:
            return False
        last = bisect_right(starts, end, first)
        if first < last:
            start, end = min(start, starts[first]), max(end, ends[last - 1])
        starts[first:last] = [start]
        ends[first:last] = [end]
        return True

    def update(self, ranges: Sequence[tuple[int, int]]) -> bool:
        """Add ranges, in any order, and tell whether any of them was missing.

        One by one, each would move all that are behind it.
        """
        if len(ranges) == 1:
            return self.add(*ranges[0])
        ranges = sorted(ranges)
        first = bisect_left(self._ends, ranges[0][0])
        last = bisect_right(self._starts, max(end for _, end in ranges), first)
        here = slice(first, last)
        mine = list(zip(self._starts[here], self._ends[here], strict=True))
        starts, ends = _united(sorted([*mine, *ranges]))
        self._starts[here], self._ends[here] = starts, ends
        return sum(ends) - sum(starts) > sum(end - start for start, end in mine)

    def has(self, start: int, end: int) -> bool:
        """Whether all of a range is in it."""
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and end <= self._ends[index]

    def touches(self, start: int, end: int) -> bool:
        """Whether any of a range is in it."""
        index = bisect_right(self._ends, start)
        return index < len(self._starts) and self._starts[index] < end

    def bounds(self, start: int, end: int) -> list[int]:
        """Where a range begins or ends, behind one number and before another."""
        starts, ends = self._starts, self._ends
        found = []
        for index in range(bisect_right(ends, start), bisect_left(starts, end)):
            if starts[index] > start:
                found.append(starts[index])
            if ends[index] < end:
                found.append(ends[index])
        return found

    @property
    def run_from_0(self) -> int:
        """The first number that is missing."""
        return self._ends[0] if self._starts and not self._starts[0] else 0

    @property
    def end(self) -> int:
        """Behind the largest one."""
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def __len__(self) -> int:
        """How many ranges there are."""
        return len(self._starts)

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"


def _united(ranges: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The starts and ends of sorted ranges, those that touch as one."""
    starts, ends = [ranges[0][0]], [ranges[0][1]]
    for start, end in ranges[1:]:
        if start > ends[-1]:
            starts.append(start)
            ends.append(end)
        elif end > ends[-1]:
            ends[-1] = end
    return starts, ends
