"""A document as its structs: added, told, compacted."""

import random
import time
from itertools import permutations

import pytest
from partyserver.yjs import coding
from partyserver.yjs.coding import MalformedError, integer
from partyserver.yjs.store import Store, merge
from partyserver.yjs.updates import EMPTY_UPDATE, EMPTY_VECTOR, decode, encode_vector

from .vectors import ALL, DELETE, EMOJI, HI, MARK, MERGED, SET, WITH_GAP


def store(*all_updates: bytes) -> Store:
    result = Store()
    for update in all_updates:
        assert result.add(update)
    return result


def typed(client: int, clock: int, text: str, *, behind: int | None = None) -> bytes:
    """Text of one client, behind one of its clocks; or else at the begin of the text `t`."""
    data = text.encode()
    place = b"\x04\x01\x01t" if behind is None else b"\x84" + integer(client) + integer(behind)
    item = place + integer(len(data)) + data
    return b"\x01\x01" + integer(client) + integer(clock) + item + b"\x00"


def deleted(client: int, *ranges: tuple[int, int]) -> bytes:
    pairs = b"".join(integer(start) + integer(end - start) for start, end in ranges)
    return b"\x00\x01" + integer(client) + integer(len(ranges)) + pairs


def test_updates_in_any_order_are_one_document():
    for order in permutations(ALL):
        assert store(*order).encode() == MERGED
        assert merge(order) == MERGED


def test_an_update_is_taken_once():
    mine = store(*ALL)
    assert not any(mine.add(update) for update in [*ALL, MERGED, WITH_GAP, EMPTY_UPDATE])
    assert mine.encode() == MERGED
    assert mine.add(EMOJI)


def test_nothing_is_an_empty_update_and_an_empty_vector():
    assert (Store().encode(), Store().vector()) == (EMPTY_UPDATE, EMPTY_VECTOR)
    assert merge([]) == EMPTY_UPDATE
    # Clients that have no structs are none.
    mine = Store()
    assert mine.add(bytes.fromhex("02 00 06 00 01 05 00 00 01 00"))
    assert mine.encode().hex() == "010105000001" + "00"


def test_what_a_store_has_made_is_read_whatever_it_costs(monkeypatch):
    monkeypatch.setattr(coding, "MAX_COST", 1)
    mine = Store()
    with pytest.raises(MalformedError, match="read at once"):
        mine.add(MERGED)
    assert mine.add(MERGED, bounded=False)


def test_a_gap_is_told_as_one_and_filled():
    mine = store(HI, SET)
    assert (mine.encode(), mine.vector().hex()) == (WITH_GAP, "010502")
    assert mine.add(MARK)
    assert mine.vector().hex() == "010504"


def test_a_gap_at_the_begin_is_none_in_an_update():
    assert store(SET).encode() == SET
    assert store(SET).vector() == EMPTY_VECTOR


@pytest.mark.parametrize(
    ("clock", "missing"),
    [
        (0, MERGED),
        (1, "01 03 05 01 84 05 00 01 69 84 05 01 01 21 28 01 01 6d 01 6b 01 7d 07 01 05 01 01 01"),
        (2, "01 02 05 02 84 05 01 01 21 28 01 01 6d 01 6b 01 7d 07 01 05 01 01 01"),
        (4, DELETE),
        (9, DELETE),
    ],
)
def test_somebody_is_told_what_they_lack_and_all_deletions(clock, missing):
    wanted = bytes.fromhex(missing) if isinstance(missing, str) else missing
    assert store(*ALL).encode(encode_vector({5: clock, 6: 1})) == wanted


def test_what_is_no_update_and_no_vector_changes_nothing():
    mine = store(HI)
    for end in range(len(MERGED)):
        with pytest.raises(MalformedError):
            mine.add(MERGED[:end])
    with pytest.raises(MalformedError):
        mine.encode(b"\x01")
    with pytest.raises(MalformedError):
        merge([HI, b"\x01"])
    assert mine.encode() == HI


def test_an_update_that_has_been_decoded_is_taken_as_well():
    mine = Store()
    assert mine.take(decode(MERGED))
    assert not mine.take(decode(HI))
    assert mine.encode() == MERGED


@pytest.mark.parametrize("seed", range(20))
def test_pieces_that_overlap_anyhow_are_one_text(seed):
    chance = random.Random(seed)
    text = "".join(chance.choice("abé漢") for _ in range(60))
    whole = store(typed(7, 0, text)).encode()
    mine = Store()
    known: set[int] = set()
    for _ in range(30):
        start = chance.randrange(60)
        end = chance.randrange(start, 60) + 1
        piece = typed(7, start, text[start:end], behind=start - 1 if start else None)
        assert mine.add(piece) == (not known.issuperset(range(start, end)))
        known |= set(range(start, end))
        run = decode(mine.encode()).structs[7]
        assert {n for one in run for n in range(one.clock, one.end)} == known
    mine.add(whole)
    mine.compact()
    assert mine.encode() == whole


def test_in_pieces_it_is_the_same_document():
    mine = store(*ALL, EMOJI)
    assert len(list(mine.pieces(1))) == 5
    assert merge(mine.pieces(1)) == mine.encode()


# --- compaction -------------------------------------------------------------------------


def test_its_length_is_how_many_structs_it_has():
    assert [len(store()), len(store(HI, MARK, SET)), len(store(MERGED))] == [0, 3, 3]


def test_what_was_typed_in_one_go_is_one_struct():
    mine = store(typed(7, 0, "a"), *(typed(7, n, "b", behind=n - 1) for n in range(1, 50)))
    mine.compact()
    assert mine.encode() == typed(7, 0, "a" + "b" * 49)


def test_what_is_deleted_is_dropped_or_kept():
    mine = store(typed(7, 0, "hello"), deleted(7, (1, 2), (3, 9)))
    mine.compact(collect=False)
    assert [one.content for one in decode(mine.encode()).structs[7]] == [b"hello"]
    before = mine.vector()
    mine.compact()
    assert [(one.length, one.content) for one in decode(mine.encode()).structs[7]] == [
        (1, b"h"),
        (1, b""),
        (1, b"l"),
        (2, b""),
    ]
    assert mine.vector() == before
    assert list(decode(mine.encode()).deleted[7]) == [(1, 2), (3, 9)]
    once = mine.encode()
    mine.compact()
    assert mine.encode() == once


def test_what_is_partly_deleted_stays_apart():
    mine = store(typed(7, 0, "ab"), typed(7, 2, "cd", behind=1), deleted(7, (1, 3)))
    mine.compact(collect=False)
    assert [one.content for one in decode(mine.encode()).structs[7]] == [b"ab", b"cd"]
    mine.compact()
    assert [(one.length, one.content) for one in decode(mine.encode()).structs[7]] == [
        (1, b"a"),
        (2, b""),
        (1, b"d"),
    ]


def test_deleted_and_not_deleted_are_not_joined():
    mine = store(typed(7, 0, "ab"), typed(7, 2, "cd", behind=1), deleted(7, (2, 4)))
    mine.compact(collect=False)
    assert [one.content for one in decode(mine.encode()).structs[7]] == [b"ab", b"cd"]


def test_what_is_not_behind_each_other_is_not_joined():
    mine = store(typed(7, 0, "ab"), typed(7, 3, "d", behind=1))
    mine.compact()
    assert [one.content for one in decode(mine.encode()).structs[7]] == [b"ab", b"d"]


def test_one_client_is_compacted_whatever_the_others_have():
    mine = store(
        typed(7, 0, "a"),
        typed(8, 0, "x"),
        deleted(9, (0, 4)),
        bytes.fromhex("010109000001") + b"\0",
    )
    mine.compact()
    assert set(decode(mine.encode()).structs) == {7, 8, 9}


def test_what_is_behind_gaps_comes_alone():
    assert list(store(HI, MARK).behind_gaps(1000)) == []
    assert list(store(WITH_GAP, deleted(5, (0, 1))).behind_gaps(1000)) == [SET]
    assert list(store(SET, EMOJI).behind_gaps(10)) == [SET, EMOJI]


def test_the_contents_are_what_is_written():
    mine = store(HI, MARK, deleted(5, (0, 1)))
    mine.compact()
    assert mine.contents().encode() == mine.encode()


# --- work that must not grow with the square ---------------------------------------------


def test_a_long_text_with_many_holes_is_collected_in_no_square_of_the_time():
    count = 20_000
    mine = store(
        typed(7, 0, "é" + "ab" * count), deleted(7, *((2 * n + 1, 2 * n + 2) for n in range(count)))
    )
    start = time.process_time()
    mine.compact()
    # A tenth of a second; cut by cut it would be minutes.
    assert time.process_time() - start < 10
    assert len(decode(mine.encode()).structs[7]) == 2 * count + 1


def test_many_pieces_among_many_are_taken_in_no_square_of_the_time():
    count = 30_000

    def every_other(first: int) -> bytes:
        parts = [b"\x00\x01\x0a\x01"] * count
        return b"\x01" + integer(2 * count) + b"\x07" + integer(first) + b"".join(parts) + b"\x00"

    mine = Store()
    start = time.process_time()
    assert mine.add(every_other(0))
    assert mine.add(every_other(1))
    # Half a second; one by one, each moves all that are behind it.
    assert time.process_time() - start < 10
    assert mine.vector() == encode_vector({7: 2 * count})
    mine.compact()
    assert mine.encode() == b"\x01\x01\x07\x00\x00" + integer(2 * count) + b"\x00"
