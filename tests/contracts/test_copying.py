"""Some messages are copied into memory of Python's, and nothing else is different for that."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256

import pytest
from partyserver.testing import SocketClosedError

#: From where on texts are copied, and how much is: src/partyserver/shortcuts/copying.py.
LONG, MUCH, FULL = 3072, 64 * 1024, 1024 * 1024

MESSAGES = {
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
    # What JavaScript would take for a length.
    "number": "32",
    "large number": "1000000000000",
    "largest number": "1e9",
    "negative number": "-1",
    "no number": "Infinity",
    "buffer of that size": b"[object ArrayBuffer]",
    "binary": bytes(range(256)),
    "one byte": b"\xff",
    "no bytes": b"",
    "long binary": b"\xff\0" * LONG,
    "full binary": b"\xff\0" * (MUCH // 2),
    "much binary": b"\xff\0" * (MUCH // 2) + b"\x01",
    "very long binary": b"\xff\0" * FULL,
}


@dataclass(frozen=True)
class Kind:
    """A kind of messages that are copied."""

    unit: str | bytes
    #: How many of these make a message of the kind.
    times: int
    #: So many are converted before copying is tried, and
    first_try: int
    #: so many copied ones make up for one of another kind.
    pays_after: int

    def made_of(self, word: str) -> str | bytes:
        return (word if isinstance(self.unit, str) else word.encode()) * self.times

    @property
    def message(self) -> str | bytes:
        return self.unit * self.times


TEXT, BINARY = Kind("x", LONG, 1, 1), Kind(b"\xff\0", 16, 8, 16)


@pytest.fixture(params=[TEXT, BINARY], ids=["long text", "binary"])
def kind(request):
    return request.param


def told(socket, message):
    """Send a message, check what the room says that it got, and return whether it was copied."""
    socket.send(message)
    name, length, digest, copied = json.loads(socket.receive())
    content = message if isinstance(message, bytes) else message.encode()
    assert (name, length) == (type(message).__name__, len(message))
    assert digest == sha256(content).hexdigest()
    return copied


def echoed(socket, message):
    copied = told(socket, message)
    assert socket.receive() == message
    assert socket.receive() == message
    return copied


def pass_on(socket, kind, how):
    """Say how the next messages are passed on; in one of the kind, since others end the copying."""
    command = f"!{how}".ljust(kind.times)
    socket.send(command if kind is TEXT else command.encode())


@contextmanager
def copying(room, kind, id="a"):
    """A connection whose messages are copied, where they ever are."""
    with room.connect(id=id) as socket:
        for _ in range(4 + kind.first_try):
            echoed(socket, kind.message)
        yield socket


@pytest.fixture
def may_copy(mode, pytestconfig):
    return mode == "hibernating" and "PARTYSERVER_SHORTCUTS=off" not in pytestconfig.getini(
        "party_vars"
    )


@pytest.fixture
def must_copy(may_copy, pytestconfig):
    """Whether one after another has to be copied; one that wakes a room is not."""
    return may_copy and not pytestconfig.getoption("party_chaos")


@pytest.mark.no_party_chaos  # a message that wakes a room comes with its socket
def test_long_texts_are_copied_and_short_ones_are_not(party, binding, may_copy):
    """Pins it: if the runtime changes so that they do not, this says so first."""
    long, short = TEXT.message, "x" * (LONG - 1)
    messages = [long, short, long, long, long, b"binary", short]
    with copying(party.room(binding("Passing"), "copying"), TEXT) as a:
        copied = [echoed(a, message) for message in messages]
        assert copied == [one and may_copy for one in (1, 0, 0, 1, 1, 0, 0)]


@pytest.mark.no_party_chaos
def test_binary_messages_are_copied_and_texts_are_not(party, binding, may_copy):
    """Pins it: if the runtime changes so that they do not, this says so first."""
    some = [b"1"] * 2 * BINARY.first_try
    messages = [b"", b"1", b"x" * MUCH, "text", *some, b"1", b"x" * (MUCH + 1), b"1"]
    with copying(party.room(binding("Passing"), "binary"), BINARY) as a:
        copied = [echoed(a, message) for message in messages]
        assert copied == [one and may_copy for one in (1, 1, 1, 0, *[0 for _ in some], 1, 0, 0)]


@pytest.mark.no_party_chaos
def test_copying_is_tried_less_often_while_it_is_in_vain(party, binding, kind, may_copy):
    """Messages of a kind that come alone among others cost what they cost without it."""
    with copying(party.room(binding("Passing"), "alone"), kind) as a:
        for _ in range(kind.pays_after):
            echoed(a, kind.message)
        echoed(a, "other")
        for times in (1, 2, 4):
            for _ in range(times * kind.first_try):
                assert not echoed(a, kind.message)
            echoed(a, "other")
        last = 8 * kind.first_try
        copied = [echoed(a, kind.message) for _ in range(last + 4)]
        assert copied == [may_copy and at >= last for at in range(last + 4)]


@pytest.mark.no_party_chaos
def test_binary_messages_have_to_be_many_for_copying_to_be_tried_again_soon(
    party, binding, may_copy
):
    with copying(party.room(binding("Passing"), "many"), BINARY) as a:
        echoed(a, "other")
        few, enough = BINARY.pays_after - 1, BINARY.pays_after
        for pause, uses in ((16, few), (32, few), (64, enough), (8, few), (16, 1)):
            copied = [echoed(a, b"1") for _ in range(pause + uses)]
            assert copied == [may_copy and at >= pause for at in range(pause + uses)]
            echoed(a, "other")


@pytest.mark.no_party_chaos
def test_each_kind_has_its_own_tries(party, binding, may_copy):
    """What comes between long texts is no reason to try these less often."""
    with copying(party.room(binding("Passing"), "own"), TEXT) as a:
        echoed(a, b"binary")
        for _ in range(3 * BINARY.first_try):
            copied = [echoed(a, message) for message in (TEXT.message, TEXT.message, b"binary")]
            assert copied[1] == may_copy


def test_no_message_stays_behind(party, binding, kind):
    """One of 32 MB would stay until the next one."""
    room = party.room(binding("Passing"), "emptied")
    with copying(room, kind) as a:
        for message in ("x" * FULL, b"x" * FULL):
            echoed(a, kind.message)
            echoed(a, message)
            assert room.fetch("/").json()["held"] <= MUCH


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_what_is_copied_is_what_was_sent(party, binding, kind, message, must_copy):
    room = party.room(binding("Passing"), "whole")
    with copying(room, kind) as a:
        assert echoed(a, kind.message) or not must_copy
        echoed(a, message)
        echoed(a, kind.message)
        echoed(a, message)


def test_a_message_goes_on_to_all(party, binding, kind, must_copy):
    room = party.room(binding("Passing"), "all")
    message = kind.made_of("ü語😀")
    with copying(room, kind) as a, copying(room, kind, "b") as b:
        pass_on(a, kind, "to_all")
        assert told(a, message) or not must_copy
        assert [a.receive(), b.receive(), b.receive()] == [message] * 3


def test_a_message_goes_on_to_all_past_a_socket_that_fails(party, binding, kind, must_copy):
    room = party.room(binding("Passing"), "past")
    with copying(room, kind) as a, room.connect(id="dead") as dead, room.connect(id="b") as b:
        pass_on(a, kind, "past_the_dead")
        assert told(a, kind.message) or not must_copy
        assert [a.receive(), b.receive()] == [kind.message] * 2
        dead.wait_closed()
        assert dead.close_code == 3333


def test_a_hook_that_suspends_sends_its_own_message_afterwards(party, binding, kind, must_copy):
    room = party.room(binding("Passing"), "later")
    with copying(room, kind) as a, copying(room, kind, "b") as b:
        pass_on(a, kind, "later")
        for at in range(20):
            ours, others = kind.made_of(f"{at} of a "), kind.made_of(f"{at} of b ")
            a.send(ours)
            b.send(others)
            *_, length, _, copied = json.loads(a.receive())
            assert (length, copied or not must_copy) == (len(ours), True)
            assert [a.receive(), a.receive()] == [ours] * 2
            assert json.loads(b.receive())[1] == len(others)
            assert [b.receive(), b.receive()] == [others] * 2


@pytest.mark.no_party_chaos  # the room remembers what came before
def test_a_message_that_is_kept_stays_what_it_was(party, binding, kind):
    with copying(party.room(binding("Passing"), "keeping"), kind) as a:
        pass_on(a, kind, "the_one_before")
        before: str | bytes = ""
        messages: list[str | bytes] = ["1" * LONG, "2" * LONG]
        messages += [b"3" * LONG, b"4" * LONG, b"5", "6", "7" * LONG]
        for at, message in enumerate(messages):
            told(a, message)
            assert a.receive() == before, at
            before = message


def test_a_hook_that_fails_leaves_nothing_behind(party, binding, kind, must_copy):
    with copying(party.room(binding("Passing"), "failing"), kind) as a:
        pass_on(a, kind, "fail")
        assert told(a, kind.message) or not must_copy
        assert a.receive() == "ZeroDivisionError"
        pass_on(a, kind, "echo")
        echoed(a, kind.made_of("y"))


@pytest.mark.no_party_chaos  # a room that is evicted does not go on
def test_a_message_whose_hook_blocks_stays_in_its_room(party, binding, kind, must_copy):
    with (
        copying(party.room(binding("Passing"), "going-on"), kind) as a,
        party.room("PassingBlocked", "blocked").connect(id="b") as b,
    ):
        pass_on(a, kind, "to_all")
        pass_on(b, kind, "block")
        told(b, b"of b")
        assert b.receive() == b"of b"
        assert told(a, kind.made_of("x")) or not must_copy
        assert a.receive() == kind.made_of("x")
        pass_on(a, kind, "unblock")
        told(a, kind.made_of("y"))
        assert b.receive() == b"of b"


def test_nothing_stays_behind_of_what_came_after_a_close(party, binding, kind):
    room = party.room(binding("Passing"), "closed")
    with copying(room, kind) as a:
        pass_on(a, kind, "close")
        with suppress(SocketClosedError):  # the close may come between
            for _ in range(4):
                a.send(kind.message[:1] * FULL)
        a.wait_closed()
        assert a.close_code == 4000
    assert room.fetch("/").json()["held"] <= MUCH


def test_a_room_wakes_for_a_message(party, binding, evict, kind):
    room = party.room(binding("Passing"), "waking")
    with copying(room, kind) as a:
        for _ in range(5):
            evict(room)
            for word in "xyz":
                echoed(a, kind.made_of(word))


def test_a_connection_that_closes_itself_in_front_of_messages(party, binding, kind):
    room = party.room(binding("Passing"), "closing")
    with copying(room, kind, "b") as b:
        with copying(room, kind) as a:
            pass_on(a, kind, "to_all")
            for _ in range(3):
                a.send(kind.message)
            a.close(4000)
        for _ in range(6):
            assert b.receive() == kind.message
        echoed(b, kind.made_of("y"))


def test_two_connections_use_both_copiers(party, binding, must_copy):
    room = party.room(binding("Passing"), "both")
    with copying(room, TEXT) as a, copying(room, BINARY, "b") as b:
        for word in "xyz":
            assert echoed(a, TEXT.made_of(word)) or not must_copy
            assert echoed(b, BINARY.made_of(word)) or not must_copy


def test_python_s_memory_may_grow(party, binding, kind, must_copy):
    """And JavaScript's view of it is then void."""
    room = party.room(binding("Passing"), "growing")
    with copying(room, kind) as a:
        for message in ("", "short", TEXT.message, b"binary"):
            for _ in range(kind.first_try + kind.pays_after):
                echoed(a, kind.message)
            pass_on(a, kind, "grow_and_echo")
            assert told(a, kind.made_of("y")) or not must_copy
            assert a.receive() == kind.made_of("y")
            # What comes next finds that JavaScript's view is void.
            assert told(a, kind.made_of("z")) or not must_copy
            assert [a.receive(), a.receive()] == [kind.made_of("z")] * 2
            seen = room.fetch("/").json()["seen"]
            assert seen[[TEXT, BINARY].index(kind)] or not must_copy
            echoed(a, message)
