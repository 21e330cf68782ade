"""Capabilities together: in any order of the bases, with hooks that call `super()` or do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from .test_history import event, gap
from .test_presence import do


@pytest.fixture(params=["Both", "BothOtherwise"])
def room(request, party, binding):
    return party.room(binding(request.param), "room")


def test_each_does_its_own_whatever_stands_first(room, evict):
    with room.connect(id="a", query={"key": "ann"}) as a:
        state = {"type": "presence_state", "presence": {"ann": [None]}}
        assert [a.receive_json() for _ in range(3)] == [
            state,
            event(1, ["joined", "ann"]),
            event(2, ["connected", "a"]),
        ]
        evict(room)
        # One that resumes: what it missed, then what `on_connect` has it hear.
        b = room.connect(id="b", query={"key": "bob", "since": "1"})
        state = {"type": "presence_state", "presence": {"ann": [None], "bob": [None]}}
        events = [event(3, ["joined", "bob"]), event(4, ["connected", "b"])]
        assert [b.receive_json() for _ in range(4)] == [
            event(2, ["connected", "a"]),
            state,
            *events,
        ]
        joins = {"type": "presence_diff", "joins": {"bob": [None]}, "leaves": []}
        assert [a.receive_json() for _ in range(3)] == [joins, *events]
        evict(room)
        b.drop()
        assert [a.receive_json() for _ in range(3)] == [
            {"type": "presence_diff", "joins": {}, "leaves": ["bob"]},
            event(5, ["left", "bob"]),
            event(6, ["closed", "b"]),
        ]
        evict(room)
        assert do(room, "present") == {"ann": [None]}
        assert do(room, "publish", 7) == 7
        assert a.receive_json() == event(7, 7)
        with room.connect(id="b", query={"since": "99"}) as b:
            assert [b.receive_json() for _ in range(9)] == [
                gap(1),
                event(1, ["joined", "ann"]),
                event(2, ["connected", "a"]),
                *events,
                event(5, ["left", "bob"]),
                event(6, ["closed", "b"]),
                event(7, 7),
                event(8, ["connected", "b"]),
            ]


@pytest.mark.parametrize("order", ["One", "Two", "Three"])
def test_all_of_them_in_any_order(party, binding, evict, order):
    room = party.room(binding(order), "room")
    diff = {"type": "presence_diff", "joins": {"bob": [{"n": 1}]}, "leaves": []}
    said = {"type": "say", "text": "hello"}
    with room.connect(id="a", query={"key": "ann"}) as a:
        assert a.receive_json()["type"] == "presence_state"
        with room.connect(id="b", query={"key": "bob"}) as b:
            assert list(b.receive_json()["presence"]) == ["ann", "bob"]
            assert a.receive_json() == diff
            evict(room)
            b.send_json(said)
            assert a.receive_json() == b.receive_json() == event(1, said)
            b.send_json({"type": "say", "text": ""})
            assert b.receive_json() == {"type": "error", "error": "say something", "code": "empty"}
            b.send_json({"type": "say"})
            assert b.receive_json()["event"] == "say"
            b.send(b"no event")
            assert b.receive() == b"no event"
            evict(room)
        assert a.receive_json() == {"type": "presence_diff", "joins": {}, "leaves": ["bob"]}
        assert a.receive_json() == event(2, ["closed", ["ann"]])
        evict(room)
        assert room.run_due(at=datetime.now(UTC) + timedelta(hours=2)) == 1
        assert a.receive_json() == event(3, {"n": 1})
        timers, present, texts, events = room.fetch("/").json()
        assert (timers, present, texts, len(events)) == ([], ["ann"], ["hello"], 3)
        evict(room)
        assert room.run_due(at=datetime(2100, 1, 1, tzinfo=UTC)) == 1
        assert a.receive_json() == event(4, "the room's own alarm")
        with room.connect(id="c", query={"key": "cy", "since": "3"}) as c:
            assert c.receive_json() == event(4, "the room's own alarm")
            assert c.receive_json()["type"] == "presence_state"


def test_no_event_is_called_as_their_messages_are(party):
    room = party.room("Both", "room")
    for kind in ("presence_state", "presence_diff", "event", "history_gap"):
        assert f"is of the type {kind!r}, which is that of" in do(room, "define", kind)
    assert do(room, "define", "events") == "defined"
