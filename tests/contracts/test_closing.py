"""The close handshake."""

from __future__ import annotations

import json
import time

import pytest

from .scripted import command, events, eventually, open_socket

PROMPT = 9  # seconds; the platform's own timeout is 10


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, ""), (4001, "bye"), (3000, "ü" * 61)], ids=str
)
def test_a_clients_close_is_answered_at_once_with_its_code(party, binding, evict, code, reason):
    room = party.room(binding("Scripted"), "close")
    with open_socket(room, "witness") as witness:
        a = open_socket(room, "a")
        evict(room)
        began = time.monotonic()
        a.close(code, reason)
        assert time.monotonic() - began < PROMPT
        assert (a.close_code, a.close_reason) == (code, reason)
        assert command(witness, "ids") == ["ids", ["witness"]]
        assert events(room, "close") == [["close", ["a", code, reason, True, False]]]
        assert events(room, "left") == [["left", ["witness"]]]


def test_a_close_without_a_code_is_answered_without_one(party, binding, evict):
    room = party.room(binding("Scripted"), "no-code")
    a = open_socket(room, "a")
    evict(room)
    began = time.monotonic()
    a.close(None)
    assert time.monotonic() - began < PROMPT
    assert a.close_code == 1005
    assert events(room, "close") == [["close", ["a", 1005, "", True, False]]]


def test_a_client_that_vanishes_is_closed_with_1006(party, binding, evict):
    room = party.room(binding("Scripted"), "vanish")
    with open_socket(room, "witness") as witness:
        a = open_socket(room, "a")
        evict(room)
        a.drop()
        eventually(lambda: command(witness, "ids") == ["ids", ["witness"]])
        [(_, (id, code, _, was_clean, is_open))] = events(room, "close")
        assert (id, code, was_clean, is_open) == ("a", 1006, False, False)
        assert events(room, "error") == []


def test_the_server_closes_with_a_code_and_on_close_runs_once(party, binding, evict):
    room = party.room(binding("Scripted"), "server-close")
    with open_socket(room, "witness") as witness:
        a = open_socket(room, "a")
        evict(room)
        a.send_json(["close", 4321, "enough"])
        a.wait_closed()
        assert (a.close_code, a.close_reason) == (4321, "enough")
        assert command(witness, "ids") == ["ids", ["witness"]]
        assert events(room, "send") == [["send", "ConnectionClosedError"]]
        assert [detail[:2] for _, detail in events(room, "close")] == [["a", 4321]]


def test_a_connection_can_be_closed_from_another_ones_event(party, binding, evict):
    room = party.room(binding("Scripted"), "other")
    with open_socket(room, "a") as a, open_socket(room, "b") as b:
        evict(room)
        a.send_json(["close_other", "b", 3001, "out"])
        b.wait_closed()
        assert (b.close_code, b.close_reason) == (3001, "out")
        assert command(a, "ids") == ["ids", ["a"]]


@pytest.mark.parametrize("code", [0, 999, 1001, 1005, 1006, 1015, 2999, 5000, "x", None, 1000.5])
def test_a_code_that_may_not_be_sent_is_a_value_error(party, binding, code):
    with open_socket(party.room(binding("Scripted"), "codes"), "a") as a:
        assert command(a, "try", "close", code)[:2] == ["raised", "ValueError"]
        assert command(a, "ids") == ["ids", ["a"]]


@pytest.mark.parametrize("reason", ["x" * 124, "ü" * 62, "\ud800"], ids=["124", "62ü", "cut"])
def test_a_reason_that_may_not_be_sent_is_a_value_error(party, binding, reason):
    with open_socket(party.room(binding("Scripted"), "reasons"), "a") as a:
        a.send(json.dumps(["try", "close", 1000, reason]))
        assert a.receive_json()[:2] == ["raised", "ValueError"]


def test_a_hook_that_closes_in_on_close_chooses_the_answer(party, binding):
    room = party.room(binding("Deciding"), "decide")
    a = room.connect(id="a")
    a.close(4000, "mine")
    assert (a.close_code, a.close_reason) == (4999, "no, mine")


@pytest.mark.parametrize("how", ["on_close", "on_close-async"])
def test_a_close_is_answered_although_on_close_raises(party, binding, evict, how):
    room = party.room(binding("Failing"), how)
    with room.connect(id="witness") as witness:
        a = room.connect(id="a")
        evict(room)
        began = time.monotonic()
        a.close(4002, "bye")
        assert time.monotonic() - began < PROMPT
        assert (a.close_code, a.close_reason) == (4002, "bye")
        witness.send("ping")
        assert witness.receive() == "pong"
        assert events(room, "exception") == [["exception", "ValueError: on_close fails, secretly"]]


@pytest.mark.log_may_hold("WebSocket protocol error")
def test_a_broken_frame_is_an_error_and_then_a_close(party, binding, evict):
    room = party.room(binding("Scripted"), "broken-frame")
    with open_socket(room, "witness") as witness:
        a = open_socket(room, "a")
        evict(room)
        a.send_raw(b"\x83\x80\0\0\0\0")  # opcode 3 is not defined
        eventually(lambda: command(witness, "ids") == ["ids", ["witness"]])
        assert [name for name, _ in events(room, "error", "close")] == ["error", "close"]
        [(_, (id, text))] = events(room, "error")
        assert id == "a"
        assert "protocol error" in text
