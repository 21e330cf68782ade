"""A document as several updates, none of which is larger than a message or a row may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from . import structs, updates
from .structs import Struct

#: What an update has at most around a range, or around structs of one client: their number, the
#: client, and the first clock. And what it has around one struct: lengths, and a gap before it.
_AROUND, _AROUND_STRUCT = 32, 16


def of_structs(runs: Mapping[int, Sequence[Struct]], limit: int) -> Iterator[bytes]:
    """Updates with the structs, in an order in which each can be applied at once."""
    sections: dict[int, list[Struct]] = {}
    size = 0
    for client, struct in _in_order(runs):
        length = len(struct.head) + len(struct.content) + _AROUND_STRUCT
        if client not in sections:
            length += _AROUND
        if sections and size + length > limit:
            yield _update(sections)
            sections, size = {}, 0
        own = sections.setdefault(client, [])
        own.append(struct)
        size += length
    if sections:
        yield _update(sections)


def _update(sections: Mapping[int, list[Struct]]) -> bytes:
    return updates.encode({client: (own[0].clock, own) for client, own in sections.items()}, {})


def _in_order(runs: Mapping[int, Sequence[Struct]]) -> Iterator[tuple[int, Struct]]:
    """Each client's structs, after those that they refer to. What lacks some comes last.

    Clients would keep aside what lacks some, and try it again with each update that comes.
    """
    passed = dict.fromkeys(runs, 0)  # how many structs, and up to which clock
    reached = dict.fromkeys(runs, 0)
    waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)  # the clock needed, who needs it
    ready = sorted(runs)
    while ready:
        client = ready.pop()
        own = runs[client]
        while passed[client] < len(own):
            struct = own[passed[client]]
            if missing := _missing(client, struct, reached):
                other, clock = missing
                heappush(waiting[other], (clock, client))
                break
            yield client, struct
            passed[client] += 1
            reached[client] = struct.end
        while (heap := waiting[client]) and heap[0][0] < reached[client]:
            ready.append(heappop(heap)[1])
    for client, count in passed.items():
        for struct in runs[client][count:]:
            yield client, struct


def _missing(client: int, struct: Struct, reached: Mapping[int, int]) -> tuple[int, int] | None:
    """An id that has to be there before a struct, and is not."""
    if struct.clock > reached[client]:
        return client, struct.clock - 1
    for other, clock in structs.references(struct):
        if clock >= reached.get(other, 0):
            return other, clock
    return None


def of_ranges(by_client: Mapping[int, Iterable[tuple[int, int]]], limit: int) -> Iterator[bytes]:
    """Updates with what has been deleted."""
    most = max(1, limit // _AROUND)
    batch: dict[int, list[tuple[int, int]]] = defaultdict(list)
    count = 0
    for client, ranges in by_client.items():
        for one in ranges:
            if count == most:
                yield updates.encode({}, batch)
                batch, count = defaultdict(list), 0
            batch[client].append(one)
            count += 1
    if batch:
        yield updates.encode({}, batch)
