"""Long texts come to Python in a way of their own, and nothing else is different for that."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from hashlib import sha256

import pytest
from partyserver.testing import SocketClosedError

#: Where the ways part, and where what a text goes by is full: src/partyserver/shortcuts/box.py.
LONG, MUCH, FULL = 8192, 64 * 1024, 1024 * 1024

TEXTS = {
    "ASCII": "x" * LONG,
    "Latin": "ü" * LONG,
    "Asian": "語" * LONG,
    "emoji": "😀" * LONG,
    "mixed": "aü語😀\0\ufeff\ufffd" * LONG,
    "nearly full": "x" * (FULL - 4),
    "full": "x" * FULL,
    "wide at the end": "x" * (FULL - 5) + "語語",
    "over": "x" * (FULL + 1),
    "very long": "ü語😀x" * 100_000,
    "short": "short",
    "empty": "",
    "like a buffer's name": "[object ArrayBuffer]",
    "buffer of that size": b"[object ArrayBuffer]",
    "binary": bytes(range(256)),
    "no bytes": b"",
    "long binary": b"\xff\0" * LONG,
}


def told(socket, message):
    """Send a message, check what the room says that it got, and return whether it was boxed."""
    socket.send(message)
    kind, length, digest, boxed = json.loads(socket.receive())
    content = message if isinstance(message, bytes) else message.encode()
    assert (kind, length) == (type(message).__name__, len(message))
    assert digest == sha256(content).hexdigest()
    return boxed


def echoed(socket, message):
    boxed = told(socket, message)
    assert socket.receive() == message
    assert socket.receive() == message
    return boxed


def pass_on(socket, how):
    """Say how the next messages are passed on; in a long text, since a short one ends the box."""
    socket.send(f"!{how}".ljust(LONG))


@contextmanager
def boxing(room, id="a"):
    """A connection whose messages come by the box, where they ever do."""
    with room.connect(id=id) as socket:
        for _ in range(4):
            echoed(socket, "x" * LONG)
        yield socket


@pytest.fixture
def may_box(mode, pytestconfig):
    return mode == "hibernating" and "SHORTCUTS=off" not in pytestconfig.getini("party_vars")


@pytest.fixture
def must_box(may_box, pytestconfig):
    """Whether a long text after another has to come by the box; one that wakes a room does not."""
    return may_box and not pytestconfig.getoption("party_chaos")


@pytest.mark.no_party_chaos  # a message that wakes a room comes with its socket
def test_long_texts_come_by_the_box_and_short_ones_do_not(party, binding, may_box):
    """Pins it: if the runtime changes so that they do not, this says so first."""
    long, short = "x" * LONG, "x" * (LONG - 1)
    messages = [long, short, long, long, long, b"binary", short]
    with boxing(party.room(binding("Passing"), "boxing")) as a:
        boxed = [echoed(a, message) for message in messages]
        assert boxed == [one and may_box for one in (1, 0, 0, 0, 1, 0, 0)]


@pytest.mark.no_party_chaos
def test_the_box_is_tried_less_often_while_it_is_in_vain(party, binding, may_box):
    """Long texts that come alone among short ones cost what they cost without it."""
    with boxing(party.room(binding("Passing"), "alone")) as a:
        for pause in (1, 2, 4, 8):
            for _ in range(pause):
                echoed(a, "x" * LONG)
            echoed(a, "short")
        boxed = [echoed(a, "x" * LONG) for _ in range(20)]
        assert boxed == [may_box and at >= 16 for at in range(20)]


def test_no_text_stays_behind(party, binding):
    """A text of 32 MB would stay until the next one."""
    room = party.room(binding("Passing"), "emptied")
    with boxing(room) as a:
        echoed(a, "x" * FULL)
        assert room.fetch("/").json()["held"] <= MUCH
        echoed(a, b"x" * FULL)
        assert room.fetch("/").json()["held"] <= MUCH


@pytest.mark.parametrize("message", TEXTS.values(), ids=TEXTS)
def test_what_comes_by_the_box_is_what_was_sent(party, binding, message, must_box):
    room = party.room(binding("Passing"), "whole")
    with boxing(room) as a:
        assert echoed(a, "x" * LONG) or not must_box
        echoed(a, message)
        echoed(a, "x" * LONG)
        echoed(a, message)


def test_a_long_text_goes_on_to_all(party, binding, must_box):
    room = party.room(binding("Passing"), "all")
    text = "ü語😀" * LONG
    with boxing(room) as a, boxing(room, "b") as b:
        pass_on(a, "to_all")
        assert told(a, text) or not must_box
        assert [a.receive(), b.receive(), b.receive()] == [text] * 3


def test_a_hook_that_suspends_sends_its_own_message_afterwards(party, binding, must_box):
    room = party.room(binding("Passing"), "later")
    with boxing(room) as a, boxing(room, "b") as b:
        pass_on(a, "later")
        for at in range(20):
            ours, others = f"{at} of a " * LONG, f"{at} of b " * LONG
            a.send(ours)
            b.send(others)
            *_, length, _, boxed = json.loads(a.receive())
            assert (length, boxed or not must_box) == (len(ours), True)
            assert [a.receive(), a.receive()] == [ours] * 2
            assert json.loads(b.receive())[1] == len(others)
            assert [b.receive(), b.receive()] == [others] * 2


@pytest.mark.no_party_chaos  # the room remembers what came before
def test_a_message_that_is_kept_stays_what_it_was(party, binding):
    with boxing(party.room(binding("Passing"), "keeping")) as a:
        pass_on(a, "the_one_before")
        before = ""
        for at, message in enumerate(["1" * LONG, "2" * LONG, b"3" * LONG, "4", "5" * LONG]):
            told(a, message)
            assert a.receive() == before, at
            before = message


def test_a_hook_that_fails_leaves_nothing_behind(party, binding, must_box):
    with boxing(party.room(binding("Passing"), "failing")) as a:
        pass_on(a, "fail")
        assert told(a, "x" * LONG) or not must_box
        assert a.receive() == "ZeroDivisionError"
        pass_on(a, "echo")
        echoed(a, "y" * LONG)


@pytest.mark.no_party_chaos  # a room that is evicted does not go on
def test_a_message_whose_hook_blocks_stays_in_its_room(party, binding, must_box):
    with (
        boxing(party.room(binding("Passing"), "going-on")) as a,
        party.room("PassingBlocked", "blocked").connect(id="b") as b,
    ):
        pass_on(a, "to_all")
        pass_on(b, "block")
        told(b, b"of b")
        assert b.receive() == b"of b"
        assert told(a, "x" * LONG) or not must_box
        assert a.receive() == "x" * LONG
        pass_on(a, "unblock")
        told(a, "y" * LONG)
        assert b.receive() == b"of b"


def test_nothing_stays_behind_of_what_came_after_a_close(party, binding):
    room = party.room(binding("Passing"), "closed")
    with boxing(room) as a:
        pass_on(a, "close")
        with suppress(SocketClosedError):  # the close may come between
            for _ in range(4):
                a.send("x" * FULL)
        a.wait_closed()
        assert a.close_code == 4000
    assert room.fetch("/").json()["held"] <= MUCH


def test_a_room_wakes_for_a_long_text(party, binding, evict):
    room = party.room(binding("Passing"), "waking")
    with boxing(room) as a:
        for _ in range(5):
            evict(room)
            echoed(a, "x" * LONG)
            echoed(a, "y" * LONG)


def test_a_connection_that_closes_itself_in_front_of_long_texts(party, binding):
    room = party.room(binding("Passing"), "closing")
    with boxing(room, "b") as b:
        with boxing(room) as a:
            pass_on(a, "to_all")
            for _ in range(3):
                a.send("x" * LONG)
            a.close(4000)
        for _ in range(6):
            assert b.receive() == "x" * LONG
        echoed(b, "y" * LONG)


def test_python_s_memory_may_grow(party, binding, must_box):
    """And JavaScript's view of it is then void."""
    with boxing(party.room(binding("Passing"), "growing")) as a:
        for message in ("", "short", "x" * LONG, b"binary"):
            echoed(a, "x" * LONG)
            pass_on(a, "grow_and_echo")
            assert told(a, "y" * LONG) or not must_box
            assert a.receive() == "y" * LONG
            echoed(a, message)
