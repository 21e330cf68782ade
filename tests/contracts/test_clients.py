"""What the unchanged partysocket makes of an error frame and of the close behind it."""

from __future__ import annotations

import json

import pytest

from ..interop.test_partysocket import NodeClient

TOLD = {"type": "error", "error": "no way to the room", "code": "locked"}
FULL = {"type": "error", "error": "the room is full: it takes 2 connections", "code": "full"}


@pytest.fixture
def client():
    node = NodeClient()
    yield node
    node.stop()


def hears(client, frame, code):
    assert client("next") == ["open"]
    kind, message = client("next")
    assert (kind, json.loads(message)) == ("message", frame)
    assert client("next") == ["close", code, frame["error"]]
    return True


@pytest.fixture
def refused(party):
    room = {"host": party.url, "prefix": "guests/routed", "party": "guests", "room": "room"}
    return {**room, "query": {"who": "told"}}


def test_it_reads_why_it_was_refused_and_tries_again(client, refused):
    client("open", refused)
    for _ in range(2):
        assert hears(client, TOLD, 1008)


def test_it_stops_if_it_is_told_to_until_it_is_told_otherwise(client, refused):
    client("open", {**refused, "stopOn": 1008})
    for _ in range(2):
        assert hears(client, TOLD, 1008)
        assert client("about")["shouldReconnect"] is False
        client("reconnect")


def test_it_comes_in_when_there_is_a_place(party, client):
    room = party.room("Small", "room")
    with room.connect() as a, room.connect() as b:
        assert sorted([a.receive_json(), b.receive_json()]) == [1, 2]
        client("open", {"host": party.url, "party": "small", "room": "room", "stopOn": 1008})
        assert hears(client, FULL, 1013)
        assert hears(client, FULL, 1013)
        b.close()
        while (event := client("next")) != ["message", "2"]:
            assert event[0] in ("open", "message", "close")
        assert client("about")["readyState"] == 1
