"""Which clocks a document has, and which of them are deleted: enough to tell what is new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .coding import Reader
from .ranges import Ranges
from .structs import Struct
from .updates import Update, check_end, encode_ranges, encode_vector, read_ranges

_NOTHING, _EMPTY = Ranges(), Update()


class Coverage:
    """What a document has of each client, without the content.

    It is small: one range for each client, as a rule, and those that are deleted.
    """

    __slots__ = ("clocks", "deleted")

    def __init__(self) -> None:
        self.clocks: dict[int, Ranges] = defaultdict(Ranges)
        self.deleted: dict[int, Ranges] = defaultdict(Ranges)

    def add(self, update: Update) -> bool:
        """Take what an update has, and tell whether any of it is new."""
        is_new = False
        for client, structs in update.structs.items():
            if spans := _spans(structs):
                is_new |= self.clocks[client].update(spans)
        for client, ranges in update.deleted.items():
            if ranges:
                is_new |= self.deleted[client].update(ranges)
        return is_new

    def has_all_of(self, update: Update) -> bool:
        """Whether an update has nothing new."""
        return self.lacking(update).is_empty

    def lacking(self, update: Update) -> Update:
        """What is new in an update: ranges, and structs from the first new one to the last.

        Each is whole, though some of it may be known.
        """
        missing = Update()
        for client, found in update.structs.items():
            if own := _news(found, self.clocks.get(client, _NOTHING)):
                missing.structs[client] = own
        for client, ranges in update.deleted.items():
            deleted = self.deleted.get(client, _NOTHING)
            if new := [one for one in ranges if not deleted.has(*one)]:
                missing.deleted[client] = new
        return missing

    def clients(self, update: Update = _EMPTY) -> int:
        """How many clients it has with an update: those with structs, and those with deletions."""
        return (
            len(self.clocks)
            + len(self.deleted)
            + len(update.structs.keys() - self.clocks.keys())
            + len(update.deleted.keys() - self.deleted.keys())
        )

    def lacks_what_is_before(self, update: Update) -> bool:
        """Whether some structs of an update begin behind clocks that are missing."""
        return any(
            first.clock and not self.clocks[client].has(first.clock - 1, first.clock)
            for client, structs in update.structs.items()
            for first in structs[:1]
        )

    def vector(self) -> bytes:
        """The state vector: for each client, up to where nothing is missing.

        It promises that the structs are there, and so asks for what others have beyond them.
        """
        return encode_vector(self.reached())

    def reached(self) -> dict[int, int]:
        """For each client, the first clock that is missing, where that is not 0."""
        return {
            client: ranges.run_from_0 for client, ranges in self.clocks.items() if ranges.run_from_0
        }

    def is_known_by(self, vector: Mapping[int, int]) -> bool:
        """Whether somebody with this state vector has all clocks.

        What of them is deleted for them, a state vector does not say.
        """
        return all(ranges.end <= vector.get(client, 0) for client, ranges in self.clocks.items())

    def encode(self) -> bytes:
        """All of it, to be kept."""
        return encode_ranges(self.clocks) + encode_ranges(self.deleted)

    @classmethod
    def decode(cls, kept: bytes) -> Coverage:
        """What `encode` has made.

        Raises:
            MalformedError: it is something else.
        """
        coverage = cls()
        reader = Reader(kept, bounded=False)
        for taken in (coverage.clocks, coverage.deleted):
            for client, ranges in read_ranges(reader).items():
                taken[client].update(ranges)
        check_end(reader)
        return coverage


def _spans(structs: Sequence[Struct]) -> list[tuple[int, int]]:
    """The clocks of structs, as ranges: one, where there is no gap."""
    spans: list[tuple[int, int]] = []
    if not structs:
        return spans
    start, reached = structs[0].clock, structs[0].end
    for struct in structs[1:]:
        if struct.clock != reached:
            spans.append((start, reached))
            start = struct.clock
        reached = struct.end
    spans.append((start, reached))
    return spans


def _news(found: list[Struct], clocks: Ranges) -> list[Struct]:
    """Structs from the first one that has something new to the last."""
    first, last = 0, len(found)
    while first < last and clocks.has(found[first].clock, found[first].end):
        first += 1
    while first < last and clocks.has(found[last - 1].clock, found[last - 1].end):
        last -= 1
    return found[first:last]
