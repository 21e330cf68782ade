"""Who is here: what is taken, whom it belongs to, and what is told when somebody leaves."""

from __future__ import annotations

import pytest
from partyserver.yjs.awareness import (
    MAX_AHEAD,
    MAX_CLIENTS,
    MAX_CLOCK,
    MAX_OF_CONNECTION,
    MAX_OF_ROOM,
    Awareness,
    Entry,
    decode,
    encode,
    in_frames,
)
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
    assert awareness.take(A, [Entry(1, 2, "{}")]).changed == {A}
    assert awareness.take(A, [Entry(1, 1, '{"old":1}'), Entry(1, 2, '{"same":1}')]).changed == set()
    assert awareness.present() == awareness.held(A) == [Entry(1, 2, "{}")]
    assert awareness.take(A, [Entry(1, 3, '{"new":1}')]).changed == {A}
    assert awareness.present() == [Entry(1, 3, '{"new":1}')]


def test_of_a_client_that_nobody_knows_the_clock_0_is_not_taken(awareness):
    assert (
        awareness.take(A, [Entry(1, 0, "{}"), Entry(2, 0, None), Entry(3, 4, None)]).changed
        == set()
    )
    assert awareness.present() == []


def test_a_client_takes_its_state_back_also_by_the_same_clock(awareness):
    awareness.take(A, [Entry(1, 2, "{}"), Entry(2, 1, "{}")])
    assert awareness.take(A, [Entry(1, 1, None)]).changed == set()
    assert awareness.take(A, [Entry(1, 2, None)]).changed == {A}
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
    assert awareness.take(B, [Entry(1, clock, '{"new":1}')]).changed == {A, B}
    assert awareness.leave(A) == [Entry(2, 1, None)]
    assert [entry.client for entry in awareness.present()] == [1]
    assert awareness.leave(B) == [Entry(1, clock, None)]


def test_somebody_else_may_take_a_state_back(awareness):
    awareness.take(A, [Entry(1, 2, "{}")])
    assert awareness.take(B, [Entry(1, 3, None)]).changed == {A}
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
    assert awareness.take(A, [Entry(1, 2, "{}")]).changed == {A}


def test_what_is_told_is_what_was_new_once_for_each_client(awareness):
    awareness.take(A, [Entry(1, 2, "{}")])
    said = [Entry(1, 2, "{}"), Entry(2, 1, "{}"), Entry(2, 2, '{"n":1}'), Entry(3, 1, None)]
    assert awareness.take(A, said).news == [Entry(2, 2, '{"n":1}')]
    # Another state with the same clock is nobody's: that of somebody else has been taken.
    assert awareness.take(B, [Entry(1, 2, '{"n":2}')]).news == [Entry(1, 2, "{}")]
    assert awareness.take(B, [Entry(1, 2, None)]).news == [Entry(1, 2, None)]
    repeated = [Entry(2, 2, '{"n":1}'), Entry(2, 3, "{}"), Entry(1, 1, "{}")]
    assert awareness.repeated(A, repeated) == repeated[:1]
    assert awareness.repeated(B, repeated) == []


def test_clocks_far_above_the_last_one_are_passed_over(awareness):
    assert awareness.take(A, [Entry(1, MAX_CLOCK + 1, "{}")]) == (set(), [])
    last = 5
    awareness.take(A, [Entry(1, last, "{}")])
    for state in ("{}", None):
        assert awareness.take(B, [Entry(1, last + MAX_AHEAD + 1, state)]) == (set(), [])
    assert awareness.take(A, [Entry(1, last + MAX_AHEAD, "{}")]).changed == {A}
    awareness.leave(A)
    assert awareness.take(A, [Entry(1, 2**53 - 1, "{}")]) == (set(), [])
    assert awareness.take(A, [Entry(2, MAX_CLOCK, "{}")]).changed == {A}
    assert awareness.take(A, [Entry(2, MAX_CLOCK + 1, "{}")]).changed == set()


def state(size):
    return '{"a":"%s"}' % ("x" * (size - 8))


def test_one_connection_has_room_for_so_much(awareness):
    half = MAX_OF_CONNECTION // 2
    said = [Entry(client, 1, state(half)) for client in (1, 2, 3)]
    assert awareness.take(A, said).news == said[:2]
    assert awareness.size_of(A) == MAX_OF_CONNECTION
    # Who has much may say less, and then something else.
    assert awareness.take(A, [Entry(1, 2, state(half + 1))]).news == []
    less = [Entry(1, 2, state(half - 100)), Entry(3, 1, state(100))]
    assert awareness.take(A, less).news == less
    # What another has said counts where it is taken over.
    assert awareness.take(B, said).news == [Entry(2, 1, state(half)), Entry(3, 1, state(100))]
    assert awareness.size_of(A) + awareness.size_of(B) == 2 * half
    assert awareness.take(B, [Entry(2, 2, None), Entry(4, 1, state(half))]).news != []
    awareness.leave(A)
    awareness.leave(B)
    assert awareness.size_of(A) == awareness._size == 0


def test_a_room_has_room_for_so_much(awareness):
    many = MAX_OF_ROOM // 50_000
    for number in range(1, many + 1):
        assert awareness.take(number, [Entry(number, 1, state(50_000))]).changed == {number}
    late = Entry(1000, 1, state(50_000))
    assert awareness.take(1000, [late]).news == []
    assert awareness.take(1, [Entry(1, 2, state(49_000))]).changed == {1}
    assert awareness.take(1, [Entry(1, 3, state(60_000))]).changed == set()
    assert awareness.take(1000, [Entry(1000, 2, state(900))]).changed == {1000}
    awareness.leave(2)
    assert awareness.take(1000, [Entry(1000, 3, state(50_000))]).changed == {1000}


def test_a_frame_has_no_more_than_a_room():
    many = [Entry(number, 1, state(50_000)) for number in range(MAX_OF_ROOM // 50_000 + 1)]
    assert decode(encode(many[:-1])) == many[:-1]
    with pytest.raises(MalformedError, match="states have more than"):
        decode(encode(many))


def test_many_are_told_in_frames_that_are_not_long():
    assert list(in_frames([])) == []
    few = [Entry(1, 1, "{}"), Entry(2, 1, None)]
    assert list(in_frames(few)) == [few]
    many = [Entry(number, 1, state(50_000)) for number in range(5)]
    assert list(in_frames(many)) == [many[:2], many[2:4], many[4:]]
