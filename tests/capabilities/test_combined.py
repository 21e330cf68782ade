"""Capabilities together: in any order of the bases, with hooks that call `super()` or do not."""

from __future__ import annotations

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
        state["presence"]["bob"] = [None]
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
