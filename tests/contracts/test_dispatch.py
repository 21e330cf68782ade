"""Messages come to their connections past their sockets, and nothing else is different for that."""

from __future__ import annotations

import pytest

from .scripted import command, events, eventually, open_socket

#: A message that wakes a room comes with its socket.
pytestmark = pytest.mark.no_party_chaos


def way_in(socket):
    """(whether this message was dispatched, whether it may be)"""
    _, direct, enabled, dispatched = command(socket, "entry")
    return dispatched, direct and enabled


def until_dispatched(*sockets):
    """Talk until messages are dispatched, where they ever are."""
    for _ in range(16):
        for socket in sockets:
            dispatched, may_be = way_in(socket)
    assert dispatched == may_be


def test_a_busy_room_has_its_messages_dispatched(party, mode, binding):
    """Pins it: if the runtime changes so that they are not, this says so first."""
    with open_socket(party.room(binding("Scripted"), "busy"), "a") as a:
        assert way_in(a)[0] is False
        until_dispatched(a)
        dispatched, may_be = way_in(a)
        assert dispatched == may_be
        assert may_be is False or mode == "hibernating"


def test_connections_that_come_and_go_while_messages_are_dispatched(party, binding):
    room = party.room(binding("Scripted"), "coming")
    with open_socket(room, "a") as a:
        until_dispatched(a)
        with open_socket(room, "b") as b, open_socket(room, "c") as c:
            for socket, text in ((b, "of b"), (c, "of c"), (a, "of a")):
                socket.send_json(["echo", text])
                assert socket.receive() == text
            b.send(b"\0\1")
            assert b.receive() == b"\0\1"
            b.close(4001, "bye")
            assert eventually(lambda: events(room, "close"))[0][1][:2] == ["b", 4001]
            assert command(a, "ids") == ["ids", ["a", "c"]]
        with open_socket(room, "b") as again:
            assert command(again, "ids")[1][-1] == "b"


def test_what_a_closed_connection_still_sends_is_dropped(party, binding):
    room = party.room(binding("Scripted"), "dropping")
    with open_socket(room, "a") as a, open_socket(room, "b") as b:
        until_dispatched(a, b)
        b.send_json(["close_other", "a", 4000, "enough"])
        a.send_json(["broadcast", "too late"])
        a.wait_closed()
        assert command(b, "ids") == ["ids", ["b"]]


def test_hooks_of_dispatched_messages_fail_alone(party, binding):
    room = party.room(binding("Scripted"), "failing")
    with open_socket(room, "a") as a:
        until_dispatched(a)
        for how in ("raise", "raise_later"):
            a.send_json([how])
            a.send_json(["echo_later", "still here"])
            assert a.receive() == "still here"
        assert [text for _, text in events(room, "exception")] == ["ZeroDivisionError: told to"] * 2


def test_the_order_of_messages_is_kept_when_dispatching_begins(party, binding):
    with open_socket(party.room(binding("Scripted"), "order"), "a") as a:
        for number in range(40):
            a.send_json(["echo", str(number)])
        assert [a.receive() for _ in range(40)] == [str(number) for number in range(40)]


def test_after_a_wake_no_message_is_lost(party, binding, evict):
    """The sockets' own functions went with the room; and few talk while many sleep."""
    room = party.room(binding("Scripted"), "waking")
    sockets = {id: open_socket(room, id) for id in "abcdefgh"}
    until_dispatched(*sockets.values())
    evict(room)
    command(sockets["a"], "describe")  # the one that wakes waits for the start, which hides its way
    seen = [way_in(sockets["a"])[0] for _ in range(6)]
    assert not any(seen)  # so far there were fewer than there are sockets
    until_dispatched(sockets["a"])
    for id, socket in sockets.items():
        socket.send_json(["echo", f"of {id}"])
        assert socket.receive() == f"of {id}"
        socket.close()


def test_a_room_that_looks_at_its_connections_while_it_is_constructed(party):
    room = party.room("Restoring", "restored")
    with open_socket(room, "a") as a, open_socket(room, "b") as b:
        until_dispatched(a)
        room.hibernate()
        a.send_json(["echo", "of a"])
        assert [a.receive(), a.receive()] == ["restored", "of a"]
        assert b.receive() == "restored"
        until_dispatched(a, b)
        b.send_json(["echo", "of b"])
        assert b.receive() == "of b"


@pytest.mark.parametrize("kind", ["cyclic", "identified-by-itself", "large", "deep", "text"])
def test_a_socket_of_user_code_with_an_unusual_attachment_stops_no_message(party, kind):
    room = party.room("Foreign", "unusual")
    with room.connect(path=f"/own/{kind}") as own, open_socket(room, "a") as a:
        room.hibernate()
        until_dispatched(a)
        assert command(a, "ids") == ["ids", ["a"]]
        with open_socket(room, "b") as b:
            until_dispatched(b, a)
        own.drop()


def test_sockets_that_user_code_accepted_are_ignored_while_messages_are_dispatched(party):
    room = party.room("Foreign", "foreign-dispatch")
    with room.connect(path="/own") as own, open_socket(room, "a") as a:
        until_dispatched(a)
        own.send('["broadcast", "x"]')
        own.send(b"x")
        a.send_json(["broadcast", "to ours"])
        assert a.receive() == "to ours"
        own.drop()  # nobody answers its close


def test_rooms_that_dispatch_do_not_meet(party, binding):
    names = ["one", "two", "three"]
    sockets = [open_socket(party.room(binding("Scripted"), f"meet-{n}"), "a") for n in names]
    until_dispatched(*sockets)
    for name, socket in zip(names, sockets, strict=True):
        assert command(socket, "describe")["name"] == f"meet-{name}"
        socket.close()
