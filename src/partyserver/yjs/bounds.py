"""How large a document may become: what a room has stored it has to be able to load again."""

from __future__ import annotations

from ..errors import PartyServerError
from .updates import Update

#: Bytes of memory that a document may take while it is written anew, as it is estimated here. All
#: rooms of a process have 128 MB, with Python and the worker in it:
#: https://developers.cloudflare.com/durable-objects/platform/limits/
MOST = 48_000_000
#: What only deletes may go on for so much longer: it is how a document becomes smaller.
MOST_DELETING = MOST + MOST // 4

# Measured by tests/yjs/test_bounds.py, in CPython with 64 bits: each struct, and each range that
# is deleted, took up to 360 bytes when all is loaded and written, and each byte of the content 4.
_OF_BYTE, _OF_PIECE = 4, 400


class DocumentFullError(PartyServerError):
    """An edit would make a document larger than its room could load. It is not stored."""

    def __init__(self, size: int, pieces: int) -> None:
        super().__init__(
            f"the document would have {size:,} bytes in {pieces:,} pieces, which is more than a "
            "room can load: the edit is refused. Deletions are taken, and what is deleted makes "
            "room again where collect_garbage is on; let large things, as pictures, be files "
            "elsewhere, and other documents other rooms"
        )


def memory(size: int, pieces: int) -> int:
    """Bytes that a document of so many bytes and pieces takes at most, while it is written."""
    return size * _OF_BYTE + pieces * _OF_PIECE


def pieces_of(update: Update) -> int:
    """The structs and the deleted ranges of an update."""
    return sum(map(len, update.structs.values())) + sum(map(len, update.deleted.values()))


def most(update: Update) -> int:
    """What a document may take with an update."""
    return MOST if any(update.structs.values()) else MOST_DELETING
