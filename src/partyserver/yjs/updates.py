"""Updates and state vectors, as they go over the wire: Yjs' version 1.

An update is structs, by the clients that have made them, and then what has been deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from . import structs
from .coding import (
    CLIENT_COST,
    MAX_SAFE_INTEGER,
    PIECE_COST,
    MalformedError,
    Reader,
    integer,
)
from .structs import Struct

#: An update without anything in it.
EMPTY_UPDATE = b"\0\0"
#: The state vector of somebody who has nothing.
EMPTY_VECTOR = b"\0"


@dataclass(slots=True)
class Update:
    """What an update holds.

    Attributes:
        structs: each client's, in the order of their clocks, without the gaps.
        deleted: each client's deleted clocks, as ranges whose end is not in them.
    """

    structs: dict[int, list[Struct]] = field(default_factory=dict)
    deleted: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it, not even a client."""
        return not self.structs and not self.deleted

    def encode(self) -> bytes:
        """Write it. Each client in it has some structs, or deletions."""
        return encode({c: (own[0].clock, own) for c, own in self.structs.items()}, self.deleted)


def decode(update: bytes, *, bounded: bool = True) -> Update:
    """Read all of an update.

    Args:
        bounded: whether to refuse what takes long to read, however small it is. What has been
            merged here may have become so.

    Raises:
        MalformedError: it is none, or one that some client could not use.
    """
    reader = Reader(update, bounded=bounded)
    found: dict[int, list[Struct]] = {}
    for _ in range(reader.count(CLIENT_COST)):
        count = reader.count(PIECE_COST)
        start = reader.position
        client = reader.integer()
        if client in found:
            raise MalformedError(f"client {client} comes twice")
        written = update[start : reader.position]
        found[client] = structs.read_run(reader, client, written, reader.integer(), count)
    decoded = Update(found, read_ranges(reader))
    check_end(reader)
    return decoded


def read_ranges(reader: Reader) -> dict[int, list[tuple[int, int]]]:
    """By client, ranges of clocks: the second half of an update.

    Raises:
        MalformedError: it is none.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    integer = reader.integer
    for _ in range(reader.count(CLIENT_COST)):
        client, count = integer(), reader.count(PIECE_COST)
        ranges = found.setdefault(client, [])
        for _ in range(count):
            start, length = integer(), integer()
            # Some clients fail at ranges without a length.
            if not 0 < length <= MAX_SAFE_INTEGER - start:
                raise MalformedError(f"a range of {length} clocks begins at {start}")
            ranges.append((start, start + length))
    return found


def check_end(reader: Reader) -> None:
    if not reader.is_at_end:
        raise MalformedError("something follows after its end")


def encode(
    sections: Mapping[int, tuple[int, Sequence[Struct]]],
    deleted: Mapping[int, Iterable[tuple[int, int]]],
) -> bytes:
    """Write an update.

    Args:
        sections: for each client a clock, and structs that reach behind it: what a first one has
            before the clock is left out.
        deleted: each client's deleted ranges.
    """
    out = [integer(len(sections))]
    # Clients descend, as Yjs writes them: the same document has the same bytes.
    for client in sorted(sections, reverse=True):
        clock, own = sections[client]
        first = own[0]
        if first.clock < clock:
            first = structs.cut(first, client, [clock])[-1]
        encoded = [first.encode()]
        reached = first.end
        for struct in own[1:]:
            if reached < struct.clock:
                encoded.append(structs.skip(struct.clock - reached))
            encoded.append(struct.encode())
            reached = struct.end
        out += (integer(len(encoded)), integer(client), integer(first.clock), *encoded)
    return b"".join(out) + encode_ranges(deleted)


def encode_ranges(by_client: Mapping[int, Iterable[tuple[int, int]]]) -> bytes:
    """What `read_ranges` reads."""
    out = [integer(len(by_client))]
    for client in sorted(by_client, reverse=True):
        ranges = list(by_client[client])
        out += (integer(client), integer(len(ranges)))
        for start, end in ranges:
            out += (integer(start), integer(end - start))
    return b"".join(out)


# --- state vectors ----------------------------------------------------------------------


def decode_vector(vector: bytes, *, bounded: bool = True) -> dict[int, int]:
    """By client, the next clock that somebody lacks.

    Args:
        bounded: whether to refuse one that takes long to read.

    Raises:
        MalformedError: it is no state vector.
    """
    reader = Reader(vector, bounded=bounded)
    clocks: dict[int, int] = {}
    for _ in range(reader.count(CLIENT_COST)):
        client = reader.integer()
        clocks[client] = reader.integer()
    check_end(reader)
    return clocks


def encode_vector(clocks: Mapping[int, int]) -> bytes:
    out = [integer(len(clocks))]
    for client in sorted(clocks, reverse=True):
        out += (integer(client), integer(clocks[client]))
    return b"".join(out)
