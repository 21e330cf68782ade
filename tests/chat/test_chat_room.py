"""The protocol of fixtures/chat/worker.py, without a page."""

import json
from typing import Any

import pytest
from partyserver.testing import Party, Room, Socket


@pytest.fixture
def room(party: Party) -> Room:
    return party.room("Chat", "lobby")


def join(room: Room, id: str, name: str) -> tuple[Socket, Any]:
    socket = room.connect(id=id)
    socket.send_json({"type": "join", "name": name})
    welcome = socket.receive_json()
    assert welcome["type"] == "welcome"
    return socket, welcome


def test_a_welcome_tells_who_is_here(room: Room) -> None:
    ada, welcome = join(room, "a", "Ada")
    assert welcome == {"type": "welcome", "people": {"a": "Ada"}, "history": []}
    _, welcome = join(room, "g", "Grace")
    assert welcome["people"] == {"a": "Ada", "g": "Grace"}
    assert ada.receive_json() == {"type": "joined", "id": "g", "name": "Grace"}


def test_a_second_join_changes_the_name(room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    grace, _ = join(room, "g", "Grace")
    assert ada.receive_json()["name"] == "Grace"
    grace.send_json({"type": "join", "name": "Amazing Grace"})
    assert grace.receive_json()["people"] == {"a": "Ada", "g": "Amazing Grace"}
    assert ada.receive_json() == {"type": "joined", "id": "g", "name": "Amazing Grace"}


def test_a_leave_is_told_of_those_who_had_joined(room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    room.connect(id="nobody").close()
    grace, _ = join(room, "g", "Grace")
    grace.close()
    assert ada.receive_json()["type"] == "joined"
    assert ada.receive_json() == {"type": "left", "id": "g"}


def test_someone_who_came_back_is_not_told_to_have_left(room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    before, _ = join(room, "g", "Grace")
    join(room, "g", "Grace")
    before.close()
    _, welcome = join(room, "b", "Bob")
    assert welcome["people"] == {"a": "Ada", "g": "Grace", "b": "Bob"}
    assert [ada.receive_json() for _ in range(3)] == [
        {"type": "joined", "id": "g", "name": "Grace"},
        {"type": "joined", "id": "g", "name": "Grace"},
        {"type": "joined", "id": "b", "name": "Bob"},
    ]


def test_everyone_hears_with_author_and_time(room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    ada.send_json({"type": "say", "text": "  hello \n"})
    said = ada.receive_json()
    assert said.pop("at") > 1_700_000_000_000
    assert said == {"type": "message", "id": 1, "name": "Ada", "text": "hello"}


def test_a_name_outlives_hibernation(room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    room.hibernate()
    ada.send_json({"type": "say", "text": "awake"})
    assert ada.receive_json()["name"] == "Ada"


def test_the_history_outlives_a_restart(party: Party, room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    ada.send_json({"type": "say", "text": "hello"})
    ada.receive()
    party.restart()
    [said] = room.fetch("/").json()
    assert (said["name"], said["text"]) == ("Ada", "hello")
    _, welcome = join(room, "b", "Bob")
    assert welcome["history"] == [said]


def test_the_history_holds_the_last_hundred(room: Room) -> None:
    ada, _ = join(room, "a", "Ada")
    for number in range(105):
        ada.send_json({"type": "say", "text": str(number)})
    for _ in range(105):
        ada.receive()
    assert [said["text"] for said in room.fetch("/").json()] == [str(n) for n in range(5, 105)]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("", "A message is a JSON object."),
        ("{", "A message is a JSON object."),
        (b"\xff\x00\xfe", "A message is a JSON object."),
        ("[" * 2_001, "A message is a JSON object."),
        ("[" * 30_000, "A message is a JSON object."),
        ('{"a":' * 6_000, "A message is a JSON object."),
        ("null", "This room does not know that kind of message."),
        ('{"type": "dance"}', "This room does not know that kind of message."),
        ('{"type": "say"}', "This room does not know that kind of message."),
        ('{"type": "say", "text": 1}', "This room does not know that kind of message."),
        ('{"type": "say", "text": " \\u0000 \\ud800 "}', "The message is empty."),
        ('{"type": "join", "name": ""}', "The name is empty."),
        (
            json.dumps({"type": "join", "name": "x" * 33}),
            "The name is longer than 32 characters.",
        ),
        (
            json.dumps({"type": "say", "text": "x" * 2001}),
            "The message is longer than 2000 characters.",
        ),
    ],
)
def test_the_sender_alone_hears_what_was_wrong(room: Room, message: str | bytes, why: str) -> None:
    ada, _ = join(room, "a", "Ada")
    grace, _ = join(room, "g", "Grace")
    grace.send(message)
    assert grace.receive_json() == {"type": "error", "text": why}
    grace.send_json({"type": "say", "text": "still here"})
    assert ada.receive_json()["type"] == "joined"
    assert ada.receive_json()["text"] == "still here"


def test_one_has_to_join_to_speak(room: Room) -> None:
    socket = room.connect()
    socket.send_json({"type": "say", "text": "boo"})
    assert socket.receive_json() == {"type": "error", "text": "Join the room first."}
    assert room.fetch("/").json() == []


def test_a_message_of_the_longest_kind_is_taken(room: Room) -> None:
    ada, _ = join(room, "a", "\N{BUTTERFLY}" * 32)
    for text in ("\N{BUTTERFLY}" * 2000, "[" * 2000):
        # json.dumps escapes, which is the longest way to write it.
        ada.send(json.dumps({"type": "say", "text": text}))
        assert ada.receive_json()["text"] == text


def test_unknown_addresses_are_not_found(party: Party, room: Room) -> None:
    assert party.fetch("/nowhere").status_code == 404
    assert party.fetch("/parties/chat").status_code == 404
    refused = room.fetch("/", method="POST")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET"


def test_the_page_is_served(party: Party) -> None:
    for path, kind in (("/?room=lobby", "html"), ("/chat.js", "javascript"), ("/style.css", "css")):
        served = party.fetch(path)
        assert served.status_code == 200
        assert kind in served.headers["content-type"]
