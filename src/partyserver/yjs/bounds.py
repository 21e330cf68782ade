"""How large a document may become: what a room has stored it has to be able to load again.

One number says what a document costs to hold and to load: its weight, in bytes of memory. What
costs time rather than memory is counted so, too. It is an upper bound, and a sum over what is new
in each update, until all is written anew and weighed again.
"""

from __future__ import annotations

from itertools import pairwise

from ..errors import PartyServerError
from .coding import MAX_COST, PIECE_COST
from .structs import ANY, DOCUMENT, EMBED, FORMAT, JSON, Struct
from .updates import Update

#: What a document may weigh. All rooms of a process have 128 MB, with Python and the worker in it:
#: https://developers.cloudflare.com/durable-objects/platform/limits/
MOST = 48_000_000
#: What only deletes may go on for so much longer: it is how a document becomes smaller.
MOST_DELETING = MOST + MOST // 4

# Measured by tests/yjs/test_bounds.py, in CPython with 64 bits, when all is loaded and written:
# bytes for each byte of the content, for each struct and each range that is deleted, and for each
# client that has some of either. What is deleted is no smaller than what has a short content.
_OF_BYTE, _OF_PIECE, OF_CLIENT = 4, 400, 1000
#: For each end of a deletion within a struct, which is to be cut there: one more, with its head.
_OF_CUT = _OF_PIECE + 150
#: For each value within a struct. So what a room has is never more than is read at once: a copy of
#: it can be loaded as one update.
_OF_VALUE = MOST_DELETING // MAX_COST
#: The tags of values. Other bytes may be the same, so what is counted is no less.
_TAGS = bytes(range(116, 128))
_TEXT_OR_BYTES = (b"\x77", b"\x74")


class DocumentFullError(PartyServerError):
    """An edit would make a document larger than its room could load. It is not stored."""

    def __init__(self, weight: int, most: int) -> None:
        super().__init__(
            f"the document would take {weight:,} bytes while its room loads it, of {most:,}: the "
            "edit is refused. What only deletes is taken for some time longer. Where "
            "collect_garbage is on, that frees the content, but a piece remains for each place, "
            "and for each value that a key of a map has had. Let large things, as pictures, be "
            "files elsewhere, and other documents other rooms"
        )


def weight(update: Update, size: int, *, collect: bool) -> int:
    """Of what an update has, without its clients.

    Args:
        size: its bytes.
        collect: whether structs are cut where a deletion begins or ends within them.
    """
    pieces = cuts = values = 0
    for own in update.structs.values():
        pieces += len(own) + sum(left.end != right.clock for left, right in pairwise(own))
        values += sum(map(_values, own))
    for client, ranges in update.deleted.items():
        pieces += len(ranges)
        if collect:
            own = update.structs.get(client, [])
            ends = {one.clock for one in own} | {one.end for one in own}
            cuts += sum((start not in ends) + (end not in ends) for start, end in ranges)
    return size * _OF_BYTE + pieces * _OF_PIECE + cuts * _OF_CUT + values * _OF_VALUE


def _values(struct: Struct) -> int:
    """What reading them costs, at most, as `Reader` counts it."""
    kind, content = struct.kind, struct.content
    if kind in (ANY, DOCUMENT):
        if struct.length == 1 and content.startswith(_TEXT_OR_BYTES):
            return 1
        return len(content) - len(content.translate(None, _TAGS))
    if kind in (JSON, EMBED, FORMAT):
        inner = content.count(b",") + content.count(b"[") + content.count(b"{")
        return inner + (PIECE_COST * struct.length if kind == JSON else 0)
    return 0


def most(update: Update, *, is_first: bool) -> int:
    """What a document may weigh with an update.

    Args:
        is_first: whether there is nothing else. It may be a copy of a document in which much had
            been deleted.
    """
    return MOST if update.structs and not is_first else MOST_DELETING
