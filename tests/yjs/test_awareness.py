"""Who is here: what is taken, whom it belongs to, and what is told when somebody leaves."""

from __future__ import annotations

import pytest
from partyserver.yjs.awareness import MAX_CLIENTS, Awareness, Entry, decode, encode
from partyserver.yjs.coding import MalformedError

ONE = bytes.fromhex("01 05 01 07 7b 22 6e 22 3a 31 7d")
GONE = bytes.fromhex("01 05 01 04 6e 75 6c 6c")

A, B = "a", "b"


@pytest.fixture
def awareness():
    return Awareness()


def test_the_format():
    assert decode(ONE) == [Entry(5, 1, '{"n":1}')]
    assert decode(GONE) == [Entry(5, 1, None)]
    for update in (ONE, GONE, b"\0"):
        assert encode(decode(update)) == update
    several = [Entry(2**53 - 1, 7, '{"name":"é😀"}'), Entry(0, 1, None)]
    assert decode(encode(several)) == several


@pytest.mark.parametrize(
    ("update", "why"),
    [
        *[(ONE[:length], "end too early") for length in range(len(ONE))],
        (ONE + b"\0", "bytes follow"),
        (bytes.fromhex("01 05 01 02 5b 5d"), "an object, or null"),
        (bytes.fromhex("01 05 01 8a 80 04") + b'{"a":"%s"}' % (b"x" * 65538), "characters"),
        (bytes.fromhex("01 05 01 01 7b"), "not JSON"),
        (bytes.fromhex("01 05 01 02 7b ff"), "not UTF-8"),
        (bytes.fromhex("01 05 01 09") + b'{"a":NaN}', "not JSON"),
        (bytes((MAX_CLIENTS + 1,)), "clients"),
        (bytes.fromhex("ff ff ff ff ff ff ff 7f"), "over"),
    ],
)
def test_what_some_client_could_not_read_is_refused(update, why):
    with pytest.raises(MalformedError, match=why):
        decode(update)


def test_newer_states_are_taken_and_older_ones_are_not(awareness):
    assert awareness.take(A, [Entry(1, 2, "{}")]) == {A}
    assert awareness.take(A, [Entry(1, 1, '{"old":1}'), Entry(1, 2, '{"same":1}')]) == set()
    assert awareness.present() == awareness.held(A) == [Entry(1, 2, "{}")]
    assert awareness.take(A, [Entry(1, 3, '{"new":1}')]) == {A}
    assert awareness.present() == [Entry(1, 3, '{"new":1}')]


def test_of_a_client_that_nobody_knows_the_clock_0_is_not_taken(awareness):
    assert awareness.take(A, [Entry(1, 0, "{}"), Entry(2, 0, None), Entry(3, 4, None)]) == set()
    assert awareness.present() == []


def test_a_client_takes_its_state_back_also_by_the_same_clock(awareness):
    awareness.take(A, [Entry(1, 2, "{}"), Entry(2, 1, "{}")])
    assert awareness.take(A, [Entry(1, 1, None)]) == set()
    assert awareness.take(A, [Entry(1, 2, None)]) == {A}
    assert awareness.held(A) == [Entry(2, 1, "{}")]
    assert awareness.leave(A) == [Entry(2, 1, None)]
    assert awareness.leave(A) == awareness.held(A) == awareness.present() == []


def test_who_leaves_leaves_with_the_clock_that_was_seen_last(awareness):
    awareness.take(A, [Entry(1, 2, "{}")])
    awareness.take(A, [Entry(1, 9, "{}")])
    assert awareness.leave(A) == [Entry(1, 9, None)]


@pytest.mark.parametrize("clock", [2, 3])
def test_a_client_belongs_to_the_connection_that_has_spoken_for_it_last(awareness, clock):
    """So it does not go when its old connection ends, behind its new one's beginning."""
    awareness.take(A, [Entry(1, 2, "{}"), Entry(2, 1, "{}")])
    assert awareness.take(B, [Entry(1, clock, '{"new":1}')]) == {A, B}
    assert awareness.leave(A) == [Entry(2, 1, None)]
    assert [entry.client for entry in awareness.present()] == [1]
    assert awareness.leave(B) == [Entry(1, clock, None)]


def test_somebody_else_may_take_a_state_back(awareness):
    awareness.take(A, [Entry(1, 2, "{}")])
    assert awareness.take(B, [Entry(1, 3, None)]) == {A}
    assert awareness.leave(A) == []


def test_what_was_kept_is_found_again(awareness):
    awareness.find(A, [Entry(1, 2, "{}"), Entry(2, 5, None)])
    awareness.find(B, [Entry(1, 1, "{}"), Entry(3, 1, "{}")])
    assert awareness.present() == [Entry(1, 2, "{}"), Entry(3, 1, "{}")]
    assert awareness.leave(A) == [Entry(1, 2, None), Entry(2, 5, None)]
    # The newer of two wins, whichever is found first.
    awareness.find(A, [Entry(3, 4, '{"newer":1}')])
    assert awareness.held(B) == []
    assert awareness.present() == [Entry(3, 4, '{"newer":1}')]


def test_one_connection_speaks_for_few(awareness):
    many = [Entry(number, 1, "{}") for number in range(1, MAX_CLIENTS + 1)]
    awareness.take(A, many)
    with pytest.raises(MalformedError, match="more than"):
        awareness.take(A, [Entry(1, 2, "{}"), Entry(999, 1, "{}")])
    assert awareness.held(A) == many
    assert awareness.take(A, [Entry(1, 2, "{}")]) == {A}
