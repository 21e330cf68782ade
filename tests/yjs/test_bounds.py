"""What a document takes in memory is what `bounds` says, or less."""

from __future__ import annotations

import tracemalloc

import pytest
from partyserver.yjs import bounds, coding
from partyserver.yjs.coding import integer
from partyserver.yjs.coverage import Coverage
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


def cut_up(count: int) -> bytes:
    """A text of which each third sign is deleted."""
    ranges = b"".join(integer(3 * number + 1) + b"\1" for number in range(count))
    whole = text(3 * count)[:-1]
    return whole + b"\1\5" + integer(count) + ranges


def clients(count: int, deleted: bool) -> bytes:
    ids = [integer(2**31 + number) for number in range(count)]
    end = integer(count) + b"".join(one + b"\1\0\1" for one in ids) if deleted else b"\0"
    return integer(count) + b"".join(b"\1" + one + b"\0\0\1" for one in ids) + end


def moved(count: int) -> bytes:
    """Two keys of a map, set in turn: what was deleted cannot be joined."""
    out = [b"\1", integer(count), b"\5\0", b"\x28\1\1m\1x\1\x7d\1", b"\x28\1\1m\1y\1\x7d\1"]
    out += (b"\xa8\5" + integer(number) + b"\1\x7d\1" for number in range(count - 2))
    return b"".join(out) + b"\1\5\1\0" + integer(count - 2)


def values(kind: bytes, value: bytes, count: int = 1000) -> bytes:
    return b"\1\1\5\0" + kind + b"\1\1t" + integer(count) + value * count + b"\0"


def one(kind: bytes, content: bytes) -> bytes:
    return b"\1\1\5\0" + kind + b"\1\1t" + content + b"\0"


def json(content: bytes) -> bytes:
    return integer(len(content)) + content


SHAPES = {
    "apart": apart(2500),
    "holes": holes(5000),
    "text": text(1_000_000),
    "cut up": cut_up(5000),
    "clients": clients(5000, deleted=False),
    "clients with deletions": clients(5000, deleted=True),
    "moved": moved(5000),
    "numbers": values(b"\x08", b"\x7d\7"),
}
#: What is read at once: values of each kind, and all that is counted as more than one is.
READ = SHAPES | {
    "lists": values(b"\x08", b"\x75\2\x7e\x7e"),
    "objects": values(b"\x08", b"\x76\1\1k\x7e"),
    "old lists": values(b"\2", b"\1\x31"),
    "old lists of lists": values(b"\2", b"\5[1,2]"),
    "embedded": one(b"\5", json(b"[" + b"0," * 1000 + b"1]")),
    "format": one(b"\6", b"\1b" + json(b"[" + b"{}," * 1000 + b"1]")),
    "document": one(b"\x09", b"\1d\x75" + integer(1000) + b"\x7e" * 1000),
    "gaps": b"\1" + integer(2000) + b"\5\0" + b"\x0a\1\0\1" * 1000 + b"\0",
}


def weight(update: bytes, *, collect: bool = True) -> int:
    decoded = decode(update)
    own = bounds.weight(decoded, len(update), collect=collect)
    return own + bounds.OF_CLIENT * Coverage().clients(decoded)


@pytest.mark.parametrize("update", SHAPES.values(), ids=SHAPES)
def test_loading_and_writing_a_document_takes_no_more(update):
    tracemalloc.start()
    try:
        known, store = Coverage(), Store()
        decoded = decode(update, bounded=False)
        known.add(decoded)
        store.take(decoded)
        del decoded
        store.compact()
        store.encode()
        known.encode()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= weight(update) + 50_000


@pytest.mark.parametrize("update", SHAPES.values(), ids=SHAPES)
def test_a_document_weighs_no_more_when_it_is_written_anew(update):
    store = Store()
    store.add(update)
    store.compact()
    assert weight(store.encode()) <= weight(update)


@pytest.mark.parametrize("update", READ.values(), ids=READ)
def test_the_most_that_a_document_may_weigh_is_read_at_once(monkeypatch, update):
    """So a copy of it can be loaded again, and whoever has it can send it."""
    paid = weight(update) * coding.MAX_COST // bounds.MOST_DELETING
    monkeypatch.setattr(coding, "MAX_COST", paid)
    assert decode(update)


def test_a_large_value_alone_weighs_what_its_bytes_do():
    """Whatever letters it has, as a picture in a map."""
    for tag in (b"\x77", b"\x74"):
        update = one(b"\x08", b"\1" + tag + json(b"t" * 100_000))
        assert weight(update) < 4 * len(update) + 2000
    two = one(b"\x08", b"\2\x7e\x77" + json(b"t" * 100_000))
    assert weight(two) > 40 * len(two)


def test_a_deletion_weighs_what_it_may_cut():
    part = decode(bytes.fromhex("01 01 05 00 04 01 01 74 03 61 62 63 01 05 01 01 01"))
    whole = decode(bytes.fromhex("01 01 05 00 04 01 01 74 03 61 62 63 01 05 01 00 03"))
    alone = decode(DELETE)
    weights = [bounds.weight(one, 0, collect=True) for one in (part, whole, alone)]
    assert weights == [1900, 800, 1500]
    weights = [bounds.weight(one, 0, collect=False) for one in (part, whole, alone)]
    assert weights == [800, 800, 400]


def test_deletions_may_go_on_for_longer_and_so_may_what_begins_a_document():
    assert bounds.most(decode(HI), is_first=False) == bounds.MOST
    for update, is_first in ((DELETE, False), (DELETE, True), (HI, True)):
        assert bounds.most(decode(update), is_first=is_first) == bounds.MOST_DELETING


def test_what_is_told_says_what_to_do():
    error = bounds.DocumentFullError(50_345_678, 48_000_000)
    assert str(error).startswith(
        "the document would take 50,345,678 bytes while its room loads it, of 48,000,000: the edit"
    )
