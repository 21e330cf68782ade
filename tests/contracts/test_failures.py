"""Hooks that raise: the event fails, and everything else lives."""

from __future__ import annotations

import re

import pytest
from partyserver.testing import UpgradeError

from .scripted import command, events, open_socket

HOW = ["", "-async"]


def error_id(text):
    return re.search(r"\b[0-9a-f]{8}\b", text)[0]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("hook", ["on_connect", "get_connection_tags"])
def test_a_failed_upgrade_tells_an_id_and_no_details(party, binding, evict, hook, how):
    room = party.room(binding("Failing"), hook + how)
    with room.connect(id="a") as a:
        frame = a.receive_json()
        assert frame["error"] == "Internal error"
        assert set(frame) == {"error", "id"}
        a.wait_closed()
        assert (a.close_code, a.close_reason) == (1011, "Uncaught exception during session setup")
    log = str(party.logs)
    assert frame["id"] in log
    assert "Traceback" in log
    assert "fails, secretly" in log
    evict(room)  # the room sleeps all the same
    assert events(room, "close") == []
    assert len(events(room, "exception")) == 1


@pytest.mark.parametrize("how", HOW)
def test_a_message_hook_that_raises_fails_its_message_only(party, binding, evict, how):
    room = party.room(binding("Failing"), "on_message" + how)
    with room.connect(id="a") as a, room.connect(id="b") as b:
        evict(room)
        a.send("raise")
        for socket in (a, b):
            socket.send("ping")
            assert socket.receive() == "pong"
        [(_, exception)] = events(room, "exception")
        assert exception == "ValueError: on_message fails, secretly"
    assert "Traceback" in str(party.logs)


@pytest.mark.parametrize("how", HOW)
def test_a_failed_request_is_a_500_with_an_id_that_stands_in_the_log(party, binding, how):
    room = party.room(binding("Failing"), "on_request" + how)
    response = room.fetch("/")
    assert response.status_code == 500
    assert "secretly" not in response.text
    assert "Traceback" not in response.text
    log = str(party.logs)
    assert error_id(response.text) in log
    assert "fails, secretly" in log


def test_debug_shows_details_to_clients(party):
    response = party.room("Debugging", "on_request").fetch("/")
    assert "fails, secretly" in response.text
    with party.room("Debugging", "on_connect").connect() as a:
        assert "fails, secretly" in a.receive_json()["details"]


@pytest.mark.no_party_chaos  # counts the starts
def test_the_first_events_fail_while_on_start_raises_and_then_service_is_normal(party, binding):
    room = party.room(binding("Starting"), "2")
    assert room.fetch("/").status_code == 500
    with room.connect(id="a") as a:
        assert a.receive_json()["error"] == "Internal error"
    response = room.fetch("/")
    assert (response.status_code, response.text) == (200, "3")
    assert room.fetch("/").text == "3"


@pytest.mark.no_party_chaos  # keeps in memory what it receives, to show the order
def test_messages_that_wake_a_room_are_held_back_in_order_until_on_start_is_done(party):
    room = party.room("StartingSleepy", "0")
    with room.connect(id="a") as a:
        room.hibernate()
        for letter in "abcdef":
            a.send(letter)
        expected = ["a", "a,b", "a,b,c", "a,b,c,d", "a,b,c,d,e", "a,b,c,d,e,f"]
        assert [a.receive() for _ in range(6)] == expected
        assert room.fetch("/").text == "2"


def test_a_method_called_over_rpc_sees_a_started_server(party):
    assert party.fetch("/rpc/Starting/0/started_by/rpc").json() == "rpc sees []"


def test_a_state_or_query_that_fails_in_a_hook_is_reported_once(party, binding):
    room = party.room(binding("Scripted"), "sql-error")
    with open_socket(room, "a") as a:
        kind, name, text = command(a, "sql", "selec * from nothing")
        assert (kind, name) == ("raised", "SQLError")
        assert "selec * from nothing" in text
        assert "syntax error" in text
        assert len(events(room, "exception")) == 1


def test_a_refusal_in_on_connect_leaves_no_connection_behind(party, binding):
    room = party.room(binding("Scripted"), "refusing")
    with pytest.raises(UpgradeError) as refusal:
        room.connect(id="refused")
    assert refusal.value.response.status_code == 403
    with open_socket(room, "a") as a:
        assert command(a, "ids") == ["ids", ["a"]]
    assert [name for name, _ in events(room, "close", "exception")] == ["close"]


def test_on_request_must_return_a_response(party):
    response = party.room("Answering", "x").fetch("/nothing")
    assert response.status_code == 500
    assert "on_request must return a workers.Response" in str(party.logs)
