"""What a document takes in memory is what `bounds` says, or less."""

from __future__ import annotations

import tracemalloc

import pytest
from partyserver.yjs import bounds
from partyserver.yjs.coding import integer
from partyserver.yjs.store import Store
from partyserver.yjs.updates import decode

from .vectors import DELETE, HI

ONE, OTHER = 1_000_000_007, 1_000_000_009


def apart(count: int) -> bytes:
    """Structs of two clients, each before one of the other's: none of them can be joined."""
    out = [b"\2"]
    for client, other in ((ONE, OTHER), (OTHER, ONE)):
        out += (integer(count), integer(client), b"\0", b"\4\1\1t\1a")
        out += (b"\x44" + integer(other) + integer(clock) + b"\1a" for clock in range(1, count))
    return b"".join(out) + b"\0"


def holes(count: int) -> bytes:
    """Ranges that do not touch."""
    ranges = b"".join(integer(3 * number) + b"\1" for number in range(count))
    return b"\0\1" + integer(ONE) + integer(count) + ranges


def text(size: int) -> bytes:
    return b"\1\1\5\0\4\1\1t" + integer(size) + b"a" * size + b"\0"


@pytest.mark.parametrize("update", [apart(5000), holes(10_000), text(1_000_000)])
def test_loading_and_writing_a_document_takes_no_more(update):
    tracemalloc.start()
    try:
        store = Store()
        decoded = decode(update, bounded=False)
        store.take(decoded)
        pieces = bounds.pieces_of(decoded)
        del decoded
        store.compact()
        store.encode()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= bounds.memory(len(update), pieces) + 50_000


def test_deletions_may_go_on_for_longer():
    assert bounds.most(decode(HI)) == bounds.MOST < bounds.most(decode(DELETE))
    assert bounds.pieces_of(decode(HI)) == bounds.pieces_of(decode(DELETE)) == 1


def test_what_is_told_says_what_to_do():
    error = bounds.DocumentFullError(12_345_678, 3)
    assert str(error).startswith("the document would have 12,345,678 bytes in 3 pieces")
