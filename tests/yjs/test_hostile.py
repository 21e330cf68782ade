"""The largest that is read at all, and what is refused: in bounded time."""

import time
from collections.abc import Callable

import pytest
from partyserver.yjs.coding import CLIENT_COST, MAX_COST, PIECE_COST, MalformedError, integer
from partyserver.yjs.store import Store

#: A message has 32 MiB at most.
MESSAGE = 30 * 2**20
#: Of CPU, in seconds. It takes three at most here; the runtime's Python is two to three times as
#: slow, and an event has 30 seconds there. Where other work goes on, CPU time is longer, too.
LIMIT = 20
ROOT = b"\x01\x01t"


def repeated(each: Callable[[int], bytes], count: int) -> bytes:
    """So many; after 300,000 the same ones again, as nobody is to read so far."""
    block = b"".join(map(each, range(min(count, 300_000))))
    return block * -(-count // 300_000)


def collected(count: int) -> bytes:
    return b"\x01" + integer(count) + b"\x07\x00" + b"\x00\x01" * count + b"\x00"


def items(count: int) -> bytes:
    item = b"\xc4" + integer(2**31) + integer(2**20) + integer(2**31) + integer(2**20) + b"\x01a"
    return b"\x01" + integer(count) + b"\x07\x00" + item * count + b"\x00"


def clients(count: int) -> bytes:
    each = repeated(lambda n: b"\x01" + integer(2**31 + n) + b"\x00\x00\x01", count)
    return integer(count) + each + b"\x00"


def empty_clients(count: int) -> bytes:
    return integer(count) + repeated(lambda n: b"\x00" + integer(n) + b"\x00", count) + b"\x00"


def tombstones(count: int) -> bytes:
    return b"\x00\x01\x07" + integer(count) + repeated(lambda n: integer(2 * n) + b"\x01", count)


def values(count: int) -> bytes:
    return b"\x01\x01\x07\x00\x08" + ROOT + integer(count) + b"\x7d\x07" * count + b"\x00"


def lists(count: int) -> bytes:
    return (
        b"\x01\x01\x07\x00\x08"
        + ROOT
        + b"\x01\x75"
        + integer(count)
        + b"\x75\x00" * count
        + b"\x00"
    )


def json_values(count: int) -> bytes:
    json = b"[" + b"0," * (count - 1) + b"1]"
    return b"\x01\x01\x07\x00\x05" + ROOT + integer(len(json)) + json + b"\x00"


def old_lists(count: int) -> bytes:
    return b"\x01\x01\x07\x00\x02" + ROOT + integer(count) + b"\x011" * count + b"\x00"


#: How many of each are read at most, and how many a message may have.
KINDS = [
    (collected, PIECE_COST, MESSAGE // 2),
    (items, PIECE_COST, MESSAGE // 20),
    (clients, CLIENT_COST + PIECE_COST, MESSAGE // 9),
    (empty_clients, CLIENT_COST, MESSAGE // 6),
    (tombstones, PIECE_COST, MESSAGE // 5),
    (values, 1, MESSAGE // 2),
    (lists, 1, MESSAGE // 2),
    (json_values, 1, MESSAGE // 2),
    (old_lists, PIECE_COST, MESSAGE // 2),
]
kinds = pytest.mark.parametrize(
    ("written", "cost", "most"), KINDS, ids=[kind[0].__name__ for kind in KINDS]
)


@kinds
def test_the_most_that_is_read_is_read_in_time(written, cost, most):
    update = written((MAX_COST - 100) // cost)
    store = Store()
    start = time.process_time()
    store.add(update)
    store.encode()
    assert time.process_time() - start < LIMIT


@kinds
def test_a_message_full_of_it_is_refused(written, cost, most):
    update = written(most)
    assert MESSAGE * 0.6 < len(update) < 1.4 * MESSAGE
    store = Store()
    start = time.process_time()
    with pytest.raises(MalformedError, match="read at once"):
        store.add(update)
    assert time.process_time() - start < LIMIT
    assert store.encode() == b"\0\0"


def test_what_is_in_many_clients_is_counted_together():
    each = 10_000
    section = b"\x00\x01" * each
    parts = [integer(each) + integer(client) + b"\x00" + section for client in range(30)]
    store = Store()
    with pytest.raises(MalformedError, match="read at once"):
        store.add(b"\x1e" + b"".join(parts) + b"\x00")
    assert store.add(b"\x14" + b"".join(parts[:20]) + b"\x00")


def test_a_message_full_of_one_text_is_read():
    text = "é".encode() * (MESSAGE // 2)
    store = Store()
    start = time.process_time()
    assert store.add(b"\x01\x01\x07\x00\x04" + ROOT + integer(len(text)) + text + b"\x00")
    assert time.process_time() - start < LIMIT
    assert store.vector() == b"\x01\x07" + integer(MESSAGE // 2)


@pytest.mark.parametrize("level", [b"\x75\x01", b"\x76\x01\x00"], ids=["lists", "objects"])
def test_a_message_full_of_levels_is_refused(level):
    deep = level * (MESSAGE // len(level)) + b"\x7e"
    with pytest.raises(MalformedError, match="500 deep"):
        Store().add(b"\x01\x01\x07\x00\x08" + ROOT + b"\x01" + deep + b"\x00")


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_json_full_of_levels_is_refused(bracket):
    json = bracket * 100_000
    with pytest.raises(MalformedError, match="JSON"):
        Store().add(b"\x01\x01\x07\x00\x05" + ROOT + integer(len(json)) + json + b"\x00")
