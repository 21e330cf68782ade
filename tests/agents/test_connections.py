"""Connections that may change no state, and those that get none of the agent's frames."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from .wire import (
    STATE,
    ask,
    call,
    greeting,
    hears_nothing,
    joined,
    over_rpc,
    refusal_of,
    set_state,
    state_of,
)

READONLY = "Connection is readonly"


@pytest.fixture
def room(party):
    return party.room("Stateful", "lobby")


@pytest.fixture
def rpc(party):
    return over_rpc(party, "Stateful")


def test_a_readonly_connection_hears_of_the_state_and_may_not_set_it(room, rpc):
    with joined(room, "w") as writer, joined(room, "r", readonly="true") as reader:
        room.hibernate()
        set_state(writer, {"count": 1})
        assert state_of(reader) == {"count": 1}
        room.hibernate()
        set_state(reader, {"count": 2})
        assert refusal_of(reader) == READONLY
        assert state_of(reader) == {"count": 1}
        assert hears_nothing(writer, reader)
        assert rpc("get") == [{"count": 1}]
    # It is asked anew of each connection.
    with joined(room, "r") as reader:
        assert rpc("rights") == {"r": [False, True, None]}
        set_state(reader, {"count": 3})
        assert hears_nothing(reader)
        assert rpc("get") == [{"count": 3}]


def test_nor_may_its_events_set_it(room):
    query = {"readonly": "true", "set": json.dumps({"count": 1})}
    with joined(room, "w") as writer, joined(room, "r", **query) as reader:
        assert reader.receive() == f"refused: {READONLY}"
        room.hibernate()
        for how in ("set", "set", "later", "change"):
            reader.send(how + ' {"count": 1}')
            assert reader.receive_json() == {"type": "error", "error": READONLY}
        assert hears_nothing(writer, reader)
        # A task that it has started is no part of it any more.
        for how, count in [("task", 2), ("background", 3)]:
            reader.send(f'{how} {{"count": {count}}}')
            assert state_of(writer) == state_of(reader) == {"count": count}


def test_a_callable_of_a_readonly_connection_may_read(party):
    room = party.room("MyCallable", "lobby")
    with joined(room, "w") as writer, joined(room, "r", readonly="true") as reader:
        room.hibernate()
        assert call(reader, "count", 1) == READONLY
        assert call(reader, "count_later", 1) == READONLY
        assert call(reader, "read") == {"count": 0}
        assert call(reader, "count_in_task", 1) is None
        assert state_of(writer) == state_of(reader) == {"count": 1}
        writer.send_json({"type": "rpc", "id": "1", "method": "count", "args": [1]})
        assert state_of(writer) == state_of(reader) == {"count": 2}


def test_a_timer_and_the_queue_are_no_part_of_its_events(party):
    room = party.room("MyCallable", "lobby")
    with joined(room, "r", readonly="true") as reader:
        assert call(reader, "count_by_timer", 1) is None
        room.hibernate()
        assert room.run_due(at=datetime.now(UTC) + timedelta(hours=2)) == 1
        assert state_of(reader) == {"count": 1}
        assert ask(reader, "count_by_queue", 1) is None
        frames = [reader.receive_json() for _ in range(2)]
        assert {"type": STATE, "state": {"count": 2}} in frames
        # The method that fills them may ask who calls it.
        assert call(reader, "count_by_timer_if_it_may", 1) == "you only watch"
    with joined(room, "w") as writer:
        assert call(writer, "count_by_timer_if_it_may", 1) is None
    assert over_rpc(party, "MyCallable")("count_by_timer_if_it_may", 1) is None
    assert room.run_due(at=datetime.now(UTC) + timedelta(hours=2)) == 2


def test_who_it_is_stands_there_when_it_is_asked_whether_it_may_only_read(party):
    for name, told in [("for-readers", READONLY), ("for-all", 1)]:
        with party.connect(f"/agents/my-callable/{name}") as a:
            greeting(a)
            a.send_json({"type": "rpc", "id": "1", "method": "count", "args": [1]})
            answer = a.receive_json(until={"type": "rpc"})
            assert answer.get("error", answer.get("result")) == told


def test_a_connection_can_be_made_readonly_and_writable_again(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b:
        rpc("set_readonly", "a", True)
        room.hibernate()
        assert rpc("rights") == {"a": [True, True, None], "b": [False, True, None]}
        for _ in range(2):
            set_state(a, {"count": 1})
            assert refusal_of(a) == READONLY
            assert state_of(a)["count"] == 0
        rpc("set_readonly", "a", False)
        room.hibernate()
        set_state(a, {"count": 1})
        assert state_of(b) == {"count": 1}
        assert hears_nothing(a, b)
    assert rpc("misuse") == "TypeError: this takes a connection, not str: 'a'"


def test_a_connection_without_protocol_gets_no_frames_then_or_later(room, rpc):
    with room.connect(id="q", query={"protocol": "false"}) as quiet, joined(room, "a") as a:
        assert hears_nothing(quiet)
        room.hibernate()
        set_state(a, {"count": 1})
        assert rpc("put", {"count": 2}) == [{"count": 2}]
        assert state_of(a) == {"count": 2}
        assert hears_nothing(quiet)
        # It may set the state all the same, and is told if it may not.
        room.hibernate()
        set_state(quiet, {"count": 3})
        assert state_of(a) == {"count": 3}
        set_state(quiet, {"count": -1})
        assert refusal_of(quiet) == "State update rejected"
        assert hears_nothing(quiet, a)
    with joined(room, "q") as loud:
        assert rpc("rights") == {"q": [False, True, None]}
        assert rpc("put", {"count": 4}) == [{"count": 4}]
        assert state_of(loud) == {"count": 4}


def test_it_may_call_methods(party):
    room = party.room("MyCallable", "lobby")
    with room.connect(id="q", query={"protocol": "false"}) as quiet:
        assert call(quiet, "add", 1, 2) == 3
        assert call(quiet, "count", 1) == 1


def test_what_a_connection_may_do_is_no_part_of_its_state(room, rpc):
    both = {"readonly": "true", "protocol": "false"}
    with room.connect(id="q", query=both) as quiet:
        assert rpc("rights") == {"q": [True, False, None]}
        rpc("set_connection_state", "q", {"name": "Ann"})
        room.hibernate()
        assert rpc("rights") == {"q": [True, False, {"name": "Ann"}]}
        rpc("set_connection_state", "q", None)
        assert rpc("rights") == {"q": [True, False, None]}
        set_state(quiet, {"count": 1})
        assert refusal_of(quiet) == READONLY
        assert hears_nothing(quiet)


def test_messages_come_after_on_connect(party):
    with party.room("MyCallable", "lobby").connect(id="a", query={"slow": ""}) as a:
        a.send("connected?")
        greeting(a)
        assert a.receive_json() == "connected"


def test_nobody_is_told_anything_before_the_hooks_have_answered(room, rpc):
    """They may be async, and a socket that is accepted hears broadcasts."""
    with joined(room, "a") as a:
        with room.connect(id="q", query={"protocol": "slow"}) as quiet:
            assert hears_nothing(quiet)
        assert state_of(a)["count"] == "meanwhile"
