"""partyflare and the early PartyServer, in both modes, with evictions in between."""

from __future__ import annotations

import pytest

from ..contracts.scripted import eventually


@pytest.fixture
def lobby(party, binding):
    return party.room(binding("MyParty"), "lobby")


def open_socket(room, id, tag="x"):
    socket = room.connect(id=id, query={"tag": tag})
    assert socket.receive() == "connected"
    return socket


def events(room):
    name, recorded = room.fetch("/").json()
    assert name == room.name
    return recorded


def test_a_party_knows_its_room(lobby, evict):
    open_socket(lobby, "a").close()
    evict(lobby)
    assert events(lobby)[0] == "connected a to room lobby"


def test_a_message_goes_to_all_but_those_who_are_excluded(lobby, evict):
    with open_socket(lobby, "a") as a, open_socket(lobby, "b") as b:
        evict(lobby)
        a.send("hello")
        assert b.receive() == "hello"
        b.send("hi")
        assert a.receive() == "hi"


def test_connections_are_found_by_id_and_tags(lobby, evict):
    with (
        open_socket(lobby, "a", "red") as a,
        open_socket(lobby, "b", "red"),
        open_socket(lobby, "c", "blue"),
    ):
        evict(lobby)
        a.send("ids")
        assert a.receive_json() == ["a", "b", "c"]
        assert a.receive_json() == ["a", "b"]
        assert a.receive_json() == ["a"]
        a.send("me")
        assert a.receive_json() is True


def test_a_close_comes_with_code_reason_and_cleanliness(lobby, evict):
    a = open_socket(lobby, "a")
    evict(lobby)
    a.close(4001, "bye")
    assert eventually(lambda: events(lobby)[1:]) == ["closed a 4001 bye True"]


@pytest.mark.log_may_hold("WebSocket protocol error")
def test_an_error_comes_with_its_connection(lobby, evict):
    a = open_socket(lobby, "a")
    evict(lobby)
    a.send_raw(b"\x83\x80\0\0\0\0")  # opcode 3 is not defined
    assert eventually(lambda: events(lobby)[1:])[0] == "error a"


@pytest.mark.parametrize("name", ["MyParty", "myparty", "MYPARTY", "my-party"])
def test_a_party_is_found_by_its_binding_in_any_case(party, name):
    assert party.fetch(f"/parties/{name}/x").json() == ["x", []]
    assert party.fetch(f"/parties/{name}/x?hint").json() == ["x", []]


@pytest.mark.parametrize("path", ["/", "/parties/nowhere/x", "/parties/myparty"])
def test_what_is_for_no_party_is_none(party, path):
    assert party.fetch(path).text == "Not Found"


@pytest.mark.parametrize("query", ["", "?hint"])
def test_with_room_gives_a_stub(party, query):
    assert party.fetch(f"/stub/y{query}").json() == ["y", []]


def test_party_fetch_of_the_early_partyserver(party):
    assert party.fetch("/early/parties/my-party/x").json() == ["x", []]
    assert party.fetch("/early/parties/my-party/x?hint").json() == ["x", []]
    assert party.fetch("/early/other/my-party/x").text == "Not Found"
