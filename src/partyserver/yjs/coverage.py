"""Which clocks a document has, and which of them are deleted: enough to tell what is new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .coding import Reader
from .ranges import Ranges
from .structs import Struct
from .updates import Update, check_end, encode_ranges, encode_vector, read_ranges


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
        return all(
            client in self.clocks and self.clocks[client].has(start, end)
            for client, structs in update.structs.items()
            for start, end in _spans(structs)
        ) and all(
            client in self.deleted and self.deleted[client].has(start, end)
            for client, ranges in update.deleted.items()
            for start, end in ranges
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
        return encode_vector(_without_0({c: r.run_from_0 for c, r in self.clocks.items()}))

    def ends(self) -> dict[int, int]:
        """For each client, the clock behind all that there is."""
        return {client: ranges.end for client, ranges in self.clocks.items()}

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


def _without_0(clocks: Mapping[int, int]) -> dict[int, int]:
    return {client: clock for client, clock in clocks.items() if clock}
