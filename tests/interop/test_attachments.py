"""What hibernating sockets remember: the same layout, which each side reads of the other."""

from __future__ import annotations

import pytest
from partyserver.rules.attachment import Attachment, unpack

STATE = {"n": [1, 2.5, "ü", None, True], "nested": {"empty": {}}}


@pytest.fixture
def connect(party):
    """Connect to a room and take its greeting."""

    def connect(binding, room, **options):
        socket = party.room(binding, room).connect(**options)
        socket.receive()
        return socket

    return connect


def command(socket, *parts):
    socket.send_json(parts)
    return socket.receive_json()


def test_both_sides_write_the_same(party, connect):
    written = []
    for binding in ("JsSleepy", "PySleepy"):
        with connect(binding, "a room", id="a", query=[("tag", "red"), ("tag", "blue")]) as a:
            room = party.room(binding, "a room")
            before, after = room.fetch("/attachments").json(), command(a, "set_state", STATE)
            written.append([before, room.fetch("/attachments").json()])
            assert after == ["state", STATE]
            for [attachment] in written[-1]:
                assert attachment["__pk"].pop("uri").startswith(room.url)
    assert written[0] == written[1]
    [[empty], [full]] = written[0]
    assert empty == {"__pk": {"id": "a", "tags": ["a", "red", "blue"]}, "__user": None}
    assert full == empty | {"__user": STATE}


def test_our_rules_read_what_npm_partyserver_wrote(party, connect):
    with connect("JsSleepy", "room", id="a", query=[("tag", "red")]) as a:
        command(a, "set_state", STATE)
        room = party.room("JsSleepy", "room")
        [attachment] = room.fetch("/attachments").json()
        read = unpack(attachment)
        assert read == Attachment("a", ("a", "red"), f"{room.url}?_pk=a&tag=red", STATE)


@pytest.mark.parametrize(("reader", "writer"), [("JsSleepy", "PySleepy"), ("PySleepy", "JsSleepy")])
def test_a_socket_that_the_other_side_wrote_is_a_connection(party, connect, reader, writer):
    """A worker was rewritten in the other language while its sockets slept."""
    with (
        connect(writer, "before", id="a", query=[("tag", "red")]) as before,
        connect(reader, "after", id="a") as after,
    ):
        command(before, "set_state", STATE)
        room = party.room(reader, "after")
        room.fetch("/adopt", params={"binding": writer, "room": "before"})
        room.hibernate()
        [_, about] = command(after, "describe")
        assert about == {
            "id": "a",
            "uri": f"{party.room(writer, 'before').url}?_pk=a&tag=red",
            "tags": ["a", "red"],
            "state": STATE,
            "server": "after",
        }
        room.hibernate()
        after.close(4000, "bye")
        assert after.close_code == 4000
