"""A shared document as Yjs' structs: it is kept, merged, and told to those who lack some of it.

    store = Store()
    store.add(update)                 # from a client; True if something in it was new
    answer = store.encode(vector)     # for one who has said what it has

It is plain Python, and no engine of Yjs: it does not know what the document says. Whoever applies
what it encodes has the same document as whoever has applied all that was added.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import attrgetter

from . import pieces, structs, updates
from .coding import MalformedError
from .coverage import Coverage
from .ranges import Ranges
from .structs import EMPTY, Struct
from .updates import EMPTY_VECTOR, Update

__all__ = ["MalformedError", "Store", "merge"]


class _Run:
    """What there is of one client: structs that do not overlap, in the order of their clocks."""

    __slots__ = ("structs",)

    def __init__(self) -> None:
        self.structs: list[Struct] = []

    def add(self, client: int, found: list[Struct]) -> None:
        """Add what is missing of structs that are in the order of their clocks."""
        mine = self.structs
        if not mine or mine[-1].end <= found[0].clock:  # as when somebody types
            mine.extend(found)
            return
        first = bisect_right(mine, found[0].clock, key=_end)
        last = bisect_left(mine, found[-1].end, first, key=_clock)
        mine[first:last] = _merged(client, mine[first:last] + found)

    def since(self, clock: int) -> list[Struct]:
        """Those that reach behind a clock."""
        return self.structs[bisect_right(self.structs, clock, key=_end) :]


_clock, _end = attrgetter("clock"), attrgetter("end")


def _merged(client: int, overlapping: list[Struct]) -> list[Struct]:
    """Structs of which each clock is in one only.

    Where it is in two, these are the same thing, or what has been deleted in one of them: which of
    them remains makes no difference.
    """
    result = []
    reached = 0
    for struct in sorted(overlapping, key=_clock):
        if struct.end <= reached:
            continue
        if struct.clock < reached:
            struct = structs.cut(struct, client, [reached])[-1]
        result.append(struct)
        reached = struct.end
    return result


class Store:
    """One document."""

    def __init__(self) -> None:
        self._runs: dict[int, _Run] = {}
        self._coverage = Coverage()

    def add(self, update: bytes, *, bounded: bool = True) -> bool:
        """Take an update, and tell whether anything in it was new.

        Args:
            bounded: whether to refuse what takes long to read, as some 250,000 structs do. What a
                store has encoded may have become so.

        Raises:
            MalformedError: it is none. Nothing of it has been taken.
        """
        return self.take(updates.decode(update, bounded=bounded))

    def take(self, update: Update) -> bool:
        """The same with one that has been decoded."""
        if not self._coverage.add(update):
            return False
        for client, found in update.structs.items():
            if not found:
                continue
            run = self._runs.get(client)
            if run is None:
                run = self._runs[client] = _Run()
            run.add(client, found)
        return True

    def __len__(self) -> int:
        """How many structs there are: each takes memory, however little is in it."""
        return sum(len(run.structs) for run in self._runs.values())

    def vector(self) -> bytes:
        """The state vector: what somebody has to be asked with who may have more."""
        return self._coverage.vector()

    def encode(self, vector: bytes = EMPTY_VECTOR) -> bytes:
        """What somebody lacks, as one update: all structs beyond a state vector, all deletions.

        Raises:
            MalformedError: it is no state vector.
        """
        known = updates.decode_vector(vector)
        sections = {}
        for client, run in self._runs.items():
            clock = known.get(client, 0)
            if missing := run.since(clock):
                sections[client] = (clock, missing)
        return updates.encode(sections, self._coverage.deleted)

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The whole document as updates that are to be applied one after the other.

        None needs what comes after it, as far as the document is complete.

        Args:
            limit: how many bytes each has at most; a struct that is larger comes alone.
        """
        runs = {client: run.structs for client, run in self._runs.items()}
        yield from pieces.of_structs(runs, limit)
        yield from pieces.of_ranges(self._coverage.deleted, limit)

    def behind_gaps(self, limit: int) -> Iterator[bytes]:
        """What is behind clocks that are missing, as updates: no state vector tells of it."""
        reached = self._coverage.reached()
        runs = {client: run.since(reached.get(client, 0)) for client, run in self._runs.items()}
        yield from pieces.of_structs(runs, limit)

    def contents(self) -> Update:
        """What there is. The structs are those of the store itself."""
        return Update(
            {client: run.structs for client, run in self._runs.items()},
            {client: list(ranges) for client, ranges in self._coverage.deleted.items()},
        )

    def compact(self, *, collect: bool = True) -> None:
        """Join what was typed in one go, and drop what is deleted.

        Args:
            collect: whether to drop the content that is deleted, as Yjs does by itself. Without
                it, those who have turned that off find it.
        """
        nothing = Ranges()
        for client, run in self._runs.items():
            deleted = self._coverage.deleted.get(client, nothing)
            found = run.structs
            if collect:
                found = _collected(client, found, deleted)
            run.structs = _joined(client, found, deleted)


def _collected(client: int, mine: list[Struct], deleted: Ranges) -> list[Struct]:
    """Structs, cut where a deletion begins or ends, and empty where they are deleted."""
    result: list[Struct] = []
    for struct in mine:
        if struct.kind in EMPTY or not deleted.touches(struct.clock, struct.end):
            result.append(struct)
            continue
        for part in structs.cut(struct, client, deleted.bounds(struct.clock, struct.end)):
            is_deleted = deleted.has(part.clock, part.end)
            result.append(structs.collected(part) if is_deleted else part)
    return result


def _joined(client: int, found: Iterable[Struct], deleted: Ranges) -> list[Struct]:
    """Structs, those that go on from each other as one."""
    groups: list[list[Struct]] = []
    last: Struct | None = None
    was_deleted: bool | None = None
    for struct in found:
        is_deleted = _is_deleted(struct, deleted)
        if (
            last is not None
            and last.end == struct.clock
            and is_deleted is not None
            and is_deleted == was_deleted
            and structs.goes_on(last, struct, client)
        ):
            groups[-1].append(struct)
        else:
            groups.append([struct])
        last, was_deleted = struct, is_deleted
    return [structs.joined(group) for group in groups]


def _is_deleted(struct: Struct, deleted: Ranges) -> bool | None:
    """None where only a part is."""
    if deleted.has(struct.clock, struct.end):
        return True
    return None if deleted.touches(struct.clock, struct.end) else False


def merge(all_updates: Iterable[bytes]) -> bytes:
    """One update in the place of many.

    Raises:
        MalformedError: one is none.
    """
    store = Store()
    for update in all_updates:
        store.add(update)
    return store.encode()
