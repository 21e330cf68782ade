"""The protocol of fixtures/chat/worker.py, without a page."""

import json
from typing import Any

import pytest
from partyserver.testing import Party, Room


@pytest.fixture
def room(party: Party) -> Room:
    return party.room("Chat", "lobby")


class Person:
    def __init__(self, room: Room, name: str, **query: Any) -> None:
        self.name = name
        self.socket = room.connect(query={"name": name, **query})
        #: What came before the answer to the join, such as what was missed.
        self.before: list[Any] = []
        while (message := self.socket.receive_json())["type"] != "presence_state":
            self.before.append(message)
        self.here = message["presence"]

    def say(self, text: str) -> None:
        self.socket.send_json({"type": "say", "text": text})

    def hears(self, text: str, by: str) -> int:
        """Also that it is the next message, but for those of who is here."""
        message = self.socket.receive_json()
        while message["type"] == "presence_diff":
            message = self.socket.receive_json()
        assert message["type"] == "event"
        assert (message["data"]["text"], message["data"]["name"]) == (text, by)
        seq: int = message["seq"]
        return seq

    def sees(self, joins: tuple[str, ...] = (), leaves: tuple[str, ...] = ()) -> None:
        message = self.socket.receive_json()
        assert message["type"] == "presence_diff"
        assert (tuple(message["joins"]), tuple(message["leaves"])) == (joins, leaves)


def test_who_joins_learns_who_is_here(room: Room) -> None:
    ada = Person(room, "Ada")
    assert ada.here == {"Ada": [None]}
    assert Person(room, " Grace \0").here == {"Ada": [None], "Grace": [None]}
    ada.sees(joins=("Grace",))


def test_a_person_with_three_tabs_is_one_and_leaves_once(room: Room) -> None:
    ada = Person(room, "Ada")
    tabs = [Person(room, "Grace") for _ in range(3)]
    assert tabs[2].here == {"Ada": [None], "Grace": [None] * 3}
    for _ in tabs:
        ada.sees(joins=("Grace",))
    for tab in tabs:
        tab.socket.close()
    for _ in tabs[:2]:
        ada.sees(joins=("Grace",))
    ada.sees(leaves=("Grace",))


def test_someone_who_came_back_is_not_told_to_have_left(room: Room) -> None:
    ada = Person(room, "Ada")
    before = Person(room, "Grace", _pk="g")
    Person(room, "Grace", _pk="g")
    before.socket.close()
    assert set(Person(room, "Bob").here) == {"Ada", "Grace", "Bob"}
    while "Bob" not in (diff := ada.socket.receive_json())["joins"]:
        assert (list(diff["joins"]), diff["leaves"]) == (["Grace"], [])


def test_everyone_hears_with_author_and_time(room: Room) -> None:
    ada = Person(room, "Ada")
    grace = Person(room, "Grace")
    ada.say("  hello \n")
    for person in (ada, grace):
        said = person.socket.receive_json(until={"type": "event"})
        assert said["data"].pop("at") > 1_700_000_000_000
        assert said == {"type": "event", "seq": 1, "data": {"name": "Ada", "text": "hello"}}


def test_names_and_presence_outlive_hibernation(room: Room) -> None:
    ada = Person(room, "Ada")
    room.hibernate()
    ada.say("awake")
    ada.hears("awake", by="Ada")
    assert Person(room, "Grace").here == {"Ada": [None], "Grace": [None]}


@pytest.mark.once("a restart ends more than an eviction does")
def test_the_history_outlives_a_restart(party: Party, room: Room) -> None:
    ada = Person(room, "Ada")
    ada.say("hello")
    ada.hears("hello", by="Ada")
    party.restart()
    [said] = room.fetch("/").json()
    assert said.pop("at") > 1_700_000_000_000
    assert said == {"id": 1, "name": "Ada", "text": "hello"}
    [missed] = Person(room, "Bob", since=0).before
    assert (missed["seq"], missed["data"]["text"]) == (1, "hello")


def test_who_is_back_misses_nothing_and_hears_nothing_twice(party: Party, room: Room) -> None:
    ada = Person(room, "Ada", since=0)
    ada.say("heard")
    last = ada.hears("heard", by="Ada")
    party.restart()
    grace = Person(room, "Grace", since=last)
    assert grace.before == []
    for text in ("missed", "missed, too"):
        grace.say(text)
    for text in ("missed", "missed, too"):
        grace.hears(text, by="Grace")
    ada = Person(room, "Ada", since=last)
    assert [event["data"]["text"] for event in ada.before] == ["missed", "missed, too"]
    grace.say("new")
    assert ada.hears("new", by="Grace") == last + 3


def test_the_history_holds_the_last_hundred(room: Room) -> None:
    ada = Person(room, "Ada")
    for number in range(105):
        ada.say(str(number))
    for number in range(105):
        ada.hears(str(number), by="Ada")
    kept = [str(number) for number in range(5, 105)]
    assert [said["text"] for said in room.fetch("/").json()] == kept
    gap, *events = Person(room, "Grace", since=0).before
    assert gap == {"type": "history_gap", "first": 6}
    assert [event["data"]["text"] for event in events] == kept


def test_who_was_here_before_learns_when_that_ended(room: Room) -> None:
    ada = Person(room, "Ada")
    grace = Person(room, "Grace")
    assert grace.before == []
    ada.say("seen")
    grace.hears("seen", by="Ada")
    grace.socket.close()
    ada.hears("seen", by="Ada")
    ada.sees(leaves=("Grace",))
    ada.say("not seen")
    ada.hears("not seen", by="Ada")
    *events, back = Person(room, "Grace", since=0).before
    seen, unseen = (event["data"]["at"] for event in events)
    assert back["type"] == "back"
    assert seen <= back["ended"] <= unseen
    # Another tab has nothing that is new to them.
    assert [one["type"] for one in Person(room, "Grace", since=0).before] == ["event", "event"]


@pytest.mark.parametrize(
    ("message", "error", "event"),
    [
        ("", "not JSON", None),
        ("{", "not JSON", None),
        (b"\xff\x00\xfe", "A message is JSON, and not bytes.", None),
        ("[" * 2_001, "levels", None),
        ("[" * 30_000, "levels", None),
        ('{"a":' * 6_000, "levels", None),
        ("null", "object", None),
        ('{"type": "dance"}', "$.type: there is no event 'dance'", "dance"),
        ('{"type": "say"}', "$.text: missing", "say"),
        ('{"type": "say", "text": 1}', "$.text: Expected `str`", "say"),
        ('{"type": "say", "text": " \\u0000 "}', "The message is empty.", None),
        (json.dumps({"type": "say", "text": "x" * 2001}), "$.text: Expected `str` of", "say"),
    ],
)
def test_the_sender_alone_hears_what_was_wrong(
    room: Room, message: str | bytes, error: str, event: str | None
) -> None:
    ada = Person(room, "Ada")
    grace = Person(room, "Grace")
    grace.socket.send(message)
    told = grace.socket.receive_json()
    assert (told["type"], told.get("event")) == ("error", event)
    assert error in told["error"]
    grace.say("still here")
    ada.hears("still here", by="Grace")


@pytest.mark.parametrize("query", [{}, {"name": ""}, {"name": " \0 "}, {"name": "x" * 33}])
def test_one_needs_a_name_to_come_in(room: Room, query: dict[str, str]) -> None:
    ada = Person(room, "Ada")
    stranger = room.connect(query=query)
    assert stranger.receive_json() == {"type": "error", "error": "A name has 1 to 32 characters."}
    stranger.wait_closed()
    assert stranger.close_code == 1008
    ada.say("nobody?")
    assert ada.socket.receive_json()["data"]["text"] == "nobody?"


def test_a_message_of_the_longest_kind_is_taken(room: Room) -> None:
    name = "\N{BUTTERFLY}" * 32
    ada = Person(room, name)
    for text in ("\N{BUTTERFLY}" * 2000, "[" * 2000):
        # json.dumps escapes, which is the longest way to write it.
        ada.socket.send(json.dumps({"type": "say", "text": text}))
        ada.hears(text, by=name)


def test_half_a_character_is_mended(room: Room) -> None:
    ada = Person(room, "Ada")
    ada.socket.send('{"type": "say", "text": "half \\ud800"}')
    ada.hears("half \N{REPLACEMENT CHARACTER}", by="Ada")


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
