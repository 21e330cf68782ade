"""Structs: what a client has inserted, as a run of its clocks. They are read, cut and joined.

Nothing here knows what a text is at a place: who is left of whom decides a client's Yjs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..rules.messages import parse_json
from .coding import (
    MAX_SAFE_INTEGER,
    PIECE_COST,
    MalformedError,
    Reader,
    integer,
    text_of,
)

# The low five bits of a struct's first byte. Those of items say what its content is.
GC, DELETED, JSON, BINARY, TEXT, EMBED, FORMAT, TYPE, ANY, DOCUMENT, SKIP = range(11)
_KIND = 0b11111
_HAS_ORIGIN, _HAS_RIGHT, _HAS_KEY = 0x80, 0x40, 0x20

#: Types that have a name of their own: XML elements and hooks.
_NAMED_TYPES = (3, 5)
_LAST_TYPE = 6
#: Undefined and null, as a document's options.
_NO_OPTIONS = (b"\x7f", b"\x7e")
#: The values of most formats.
_USUAL_JSON = (b"true", b"null", b"false", b'""')

#: Those that are one and the same, however often they are cut. They have no content but a length.
EMPTY = (GC, DELETED)
#: Those that are a length and nothing else.
_BARE = (GC, SKIP)
#: Those that hold values, one after the other.
_LISTS = (JSON, ANY)
#: Those whose pieces may be joined again.
_JOINED = (DELETED, JSON, TEXT, ANY)


class Struct:
    """A run of one client's clocks.

    Attributes:
        clock: the first of them.
        length: how many they are: UTF-16 units of a text, values of a list, 1 of what is one thing.
        kind: what it is.
        head: the bytes before the content.
        content: that of a text is its UTF-8, and that of a list its values, both without their
            number.
    """

    __slots__ = ("clock", "content", "head", "kind", "length")

    def __init__(self, clock: int, length: int, kind: int, head: bytes, content: bytes) -> None:
        self.clock = clock
        self.length = length
        self.kind = kind
        self.head = head
        self.content = content

    @property
    def end(self) -> int:
        return self.clock + self.length

    def encode(self) -> bytes:
        kind = self.kind
        if kind == TEXT:
            return self.head + integer(len(self.content)) + self.content
        if kind in EMPTY:
            return self.head + integer(self.length)
        if kind in _LISTS:
            return self.head + integer(self.length) + self.content
        return self.head + self.content

    def __repr__(self) -> str:
        return f"Struct({self.clock}, {self.length}, kind={self.kind}, {self.content!r})"


def skip(length: int) -> bytes:
    """What stands for clocks that are missing."""
    return bytes((SKIP,)) + integer(length)


# --- reading ----------------------------------------------------------------------------


def read_run(reader: Reader, client: int, written: bytes, clock: int, count: int) -> list[Struct]:
    """A client's structs, without those that stand for what is missing.

    Args:
        written: the client as it has been read, which most ids in its structs begin with.
        clock: that of the first struct.
        count: how many there are, those for what is missing as well.

    Raises:
        MalformedError: they are none, or none that each client of Yjs could use.
    """
    data = reader.data
    run = []
    for _ in range(count):
        start = reader.position
        info = reader.byte()
        kind = info & _KIND
        if kind in _BARE:
            if info != kind:
                raise MalformedError(f"a struct begins with {info:#04x}")
            head, length, content = data[start : start + 1], reader.integer(), b""
        else:
            if info & _HAS_ORIGIN:
                _skip_id(reader, client, written, clock)
            if info & _HAS_RIGHT:
                _skip_id(reader, client, written, clock)
            if not info & (_HAS_ORIGIN | _HAS_RIGHT):
                _skip_parent(reader, client, written, clock, has_key=bool(info & _HAS_KEY))
            head = data[start : reader.position]
            if kind == TEXT:
                content = reader.bytes()
                length = len(content) if content.isascii() else utf16_length(content)
            else:
                length, content = _read_content(reader, kind)
        if not 0 < length <= MAX_SAFE_INTEGER - clock:
            raise MalformedError(f"a struct at clock {clock} has the length {length}")
        if kind != SKIP:
            run.append(Struct(clock, length, kind, head, content))
        clock += length
    return run


def _skip_id(reader: Reader, client: int, written: bytes, clock: int) -> None:
    """The id of another struct, which its own client must have made before."""
    if reader.data.startswith(written, reader.position):
        reader.position += len(written)
        is_own = True
    else:
        is_own = reader.integer() == client
    if reader.integer() >= clock and is_own:
        raise MalformedError("a struct refers to one that comes after it")


def _skip_parent(reader: Reader, client: int, written: bytes, clock: int, *, has_key: bool) -> None:
    is_root = reader.integer()
    if is_root == 1:
        reader.text()
    elif is_root == 0:
        _skip_id(reader, client, written, clock)
    else:
        raise MalformedError("a parent is neither a root nor an item")
    if has_key:
        reader.text()


def _read_content(reader: Reader, kind: int) -> tuple[int, bytes]:
    """The length in clocks, and the bytes."""
    if kind == DELETED:
        return reader.integer(), b""
    if kind in _LISTS:
        length = reader.count(1 if kind == ANY else PIECE_COST)
        start = reader.position
        for _ in range(length):
            _skip_value(reader, kind)
        return length, reader.data[start : reader.position]
    start = reader.position
    if kind == BINARY:
        reader.bytes()
    elif kind == EMBED:
        _skip_json(reader)
    elif kind == FORMAT:
        reader.text()
        _skip_json(reader)
    elif kind == TYPE:
        type = reader.integer()
        if type > _LAST_TYPE:
            raise MalformedError(f"there is no type {type}")
        if type in _NAMED_TYPES:
            reader.text()
    elif kind == DOCUMENT:
        reader.text()
        if reader.data[reader.position : reader.position + 1] in _NO_OPTIONS:
            raise MalformedError("a document's options are null")  # clients look into them
        reader.skip_value()
    else:
        raise MalformedError(f"there is no content of the kind {kind}")
    return 1, reader.data[start : reader.position]


def _skip_value(reader: Reader, kind: int) -> None:
    if kind == ANY:
        reader.skip_value()
    else:
        _skip_json(reader, or_undefined=True)


def _skip_json(reader: Reader, *, or_undefined: bool = False) -> None:
    """JSON, which clients decode at once: what is none would break each that gets it."""
    data = reader.bytes()
    if data in _USUAL_JSON or (or_undefined and data == b"undefined"):
        return
    # As many values as it may have, before they are made.
    reader.pay(data.count(b",") + data.count(b"[") + data.count(b"{"))
    try:
        parse_json(text_of(data))
    except ValueError as error:
        raise MalformedError(f"what should be JSON is not: {error}") from None


def utf16_length(data: bytes) -> int:
    """How many UTF-16 units a text in UTF-8 has.

    Raises:
        MalformedError: it is no UTF-8.
    """
    # One for each character, and another where UTF-8 has four bytes, of which these are the first.
    return len(text_of(data)) + sum(data.count(first) for first in range(0xF0, 0xF5))


def references(struct: Struct) -> list[tuple[int, int]]:
    """What has to be there before it: the client and clock of its neighbours, or of its parent."""
    if struct.kind == GC:
        return []
    reader = Reader(struct.head)
    info = reader.byte()
    count = bool(info & _HAS_ORIGIN) + bool(info & _HAS_RIGHT)
    if not count and not reader.integer():  # no root
        count = 1
    return [(reader.integer(), reader.integer()) for _ in range(count)]


# --- cutting ----------------------------------------------------------------------------


def cut(struct: Struct, client: int, clocks: Sequence[int]) -> list[Struct]:
    """The parts of a client's struct, cut before clocks within it.

    Half of a pair of surrogates becomes U+FFFD, as in Yjs.
    """
    bounds = [struct.clock, *clocks, struct.end]
    contents = _contents(struct, [clock - struct.clock for clock in bounds])
    head, right = struct.head, None
    parts = []
    for index, content in enumerate(contents):
        clock = bounds[index]
        if index and struct.kind != GC:
            # What has an origin has no parent, nor key: it is where its origin is.
            right = _right(struct.head) if right is None else right
            info = struct.head[0] | _HAS_ORIGIN
            head = bytes((info,)) + integer(client) + integer(clock - 1) + right
        parts.append(Struct(clock, bounds[index + 1] - clock, struct.kind, head, content))
    return parts


def _contents(struct: Struct, bounds: list[int]) -> list[bytes]:
    """The content from each bound to the next one."""
    content = struct.content
    if struct.kind in EMPTY:
        return [b""] * (len(bounds) - 1)
    if struct.kind == TEXT and not content.isascii():
        units = content.decode().encode("utf-16-le")
        return [
            units[2 * start : 2 * end].decode("utf-16-le", "replace").encode()
            for start, end in pairwise(bounds)
        ]
    if struct.kind in _LISTS:
        bounds = _places(struct, bounds)
    return [content[start:end] for start, end in pairwise(bounds)]


def _places(struct: Struct, bounds: list[int]) -> list[int]:
    """Where in a content each of its values begins, and where it ends."""
    reader = Reader(struct.content, bounded=False)
    places = [0]
    for start, end in pairwise(bounds):
        for _ in range(start, end):
            _skip_value(reader, struct.kind)
        places.append(reader.position)
    return places


def _right(head: bytes) -> bytes:
    """An item's right origin, as it stands in its head; nothing if it has none."""
    if not head[0] & _HAS_RIGHT:
        return b""
    reader = Reader(head)
    reader.skip(1)
    if head[0] & _HAS_ORIGIN:
        reader.integer()
        reader.integer()
    start = reader.position
    reader.integer()
    reader.integer()
    return head[start : reader.position]


# --- joining and collecting -------------------------------------------------------------


def goes_on(left: Struct, right: Struct, client: int) -> bool:
    """Whether two structs of a client, the second right behind the first, may be one.

    It is so if one has been inserted behind the other, at the same place, as by typing.
    """
    if left.kind != right.kind:
        return False
    if left.kind == GC:
        return True
    if left.kind not in _JOINED or not right.head[0] & _HAS_ORIGIN:
        return False
    origin = bytes((right.head[0],)) + integer(client) + integer(right.clock - 1)
    return right.head.startswith(origin) and _right(left.head) == right.head[len(origin) :]


def joined(structs: list[Struct]) -> Struct:
    """One struct of those that go on from each other."""
    first, last = structs[0], structs[-1]
    if first is last:
        return first
    content = b"".join([struct.content for struct in structs])
    return Struct(first.clock, last.end - first.clock, first.kind, first.head, content)


def collected(struct: Struct) -> Struct:
    """A struct without what has been deleted: that it was there is all that remains."""
    head = bytes((struct.head[0] & ~_KIND | DELETED,)) + struct.head[1:]
    return Struct(struct.clock, struct.length, DELETED, head, b"")
