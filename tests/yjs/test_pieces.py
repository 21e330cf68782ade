"""A document as several updates, each with what those that follow need."""

from partyserver.yjs import pieces
from partyserver.yjs.coding import integer
from partyserver.yjs.store import Store, merge
from partyserver.yjs.updates import decode

from .vectors import ALL, EMOJI, HI, MERGED, SET


def store(*all_updates: bytes) -> Store:
    result = Store()
    for update in all_updates:
        assert result.add(update)
    return result


def typed(client: int, clock: int, behind: tuple[int, int]) -> bytes:
    ids = integer(client) + integer(clock) + b"\x84" + integer(behind[0]) + integer(behind[1])
    return b"\x01\x01" + ids + b"\x01a\x00"


def order(updates) -> list[tuple[int, int]]:
    return [
        (client, one.clock)
        for update in updates
        for client, run in decode(update).structs.items()
        for one in run
    ]


def test_together_they_are_the_document():
    mine = store(*ALL, EMOJI)
    for limit in (0, 50, 100, 1000):
        assert merge(mine.pieces(limit)) == mine.encode()
    assert list(store(*ALL).pieces(1000)) == [
        MERGED[:-5] + b"\0",
        MERGED[-5:].replace(b"\1\5\1\1\1", b"\0\1\5\1\1\1"),
    ]


def test_an_empty_document_has_none():
    assert list(Store().pieces(100)) == []


def test_each_is_within_the_limit_but_for_a_struct_that_is_larger():
    mine = store(HI, *(typed(5, n, (5, n - 1)) for n in range(2, 500)))
    many = list(mine.pieces(200))
    assert max(map(len, many)) <= 200
    assert len(many) < 500 / 4
    large = b"\x01\x01\x06\x00\x04\x01\x01t" + integer(1000) + b"x" * 1000 + b"\x00"
    mine.add(large)
    assert [update for update in mine.pieces(200) if len(update) > 200] == [large]


def test_deletions_are_cut_too():
    mine = Store()
    for client in range(5):
        ranges = b"".join(integer(3 * n) + b"\x01" for n in range(100))
        mine.add(b"\x00\x01" + integer(2**32 + client) + integer(100) + ranges)
    many = list(mine.pieces(300))
    assert max(map(len, many)) <= 300
    assert merge(many) == mine.encode()


def test_what_is_referred_to_comes_before():
    # Two clients, each behind the other's last one.
    mine = store(HI)
    last = (5, 1)
    for clock in range(5):
        mine.add(typed(9, clock, last))
        mine.add(typed(5, clock + 2, (9, clock)))
        last = (5, clock + 2)
    found = order(mine.pieces(0))
    assert found == [(5, 0), *((c, n + 2 * (c == 5)) for n in range(5) for c in (9, 5))]


def test_what_lacks_something_comes_last():
    mine = store(
        typed(9, 0, (7, 3)), typed(9, 1, (9, 0)), SET, typed(6, 0, (5, 3)), typed(8, 0, (5, 1)), HI
    )
    found = order(mine.pieces(0))
    assert found[:2] == [(5, 0), (8, 0)]
    assert sorted(found[2:]) == [(5, 3), (6, 0), (9, 0), (9, 1)]
    assert merge(mine.pieces(0)) == mine.encode()


def test_structs_that_need_each_other_come_all_the_same():
    mine = store(typed(5, 0, (9, 0)), typed(9, 0, (5, 0)))
    assert sorted(order(mine.pieces(0))) == [(5, 0), (9, 0)]


def test_no_ranges_are_no_update():
    assert list(pieces.of_ranges({}, 100)) == []
    assert list(pieces.of_structs({}, 100)) == []
