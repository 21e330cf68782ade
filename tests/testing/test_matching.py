"""What `socket.receive_json(until=...)` takes for a match, and what it tells of the others."""

from __future__ import annotations

from typing import Any

import pytest
from partyserver.testing import Socket
from partyserver.testing.matching import Skipped, matches


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"type": "moved", "x": 1}, {"type": "moved"}),
        ({"type": "moved"}, {}),
        ({"a": {"b": {"c": 1, "d": 2}, "e": 3}}, {"a": {"b": {"c": 1}}}),
        ({"a": [1, {"b": [2]}]}, {"a": [1, {"b": [2]}]}),
        ({"a": [1, 2]}, {"a": (1, 2)}),
        ({"a": None, "b": True, "c": 1.0}, {"a": None, "b": True, "c": 1}),
    ],
)
def test_a_value_that_has_all_that_is_wanted_matches(value, wanted):
    assert matches(value, wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"type": "moved"}, {"type": "over"}),
        ({"type": "moved"}, {"type": "moved", "x": None}),
        ({"a": {"b": 1}}, {"a": {"b": {"c": 1}}}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": 1}, {"a": [1]}),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}),
        ({"a": [{"b": 1}]}, {"a": [{"b": True}]}),
        ({"a": [1]}, {"a": [{"b": 1}]}),
        ({"a": True}, {"a": 1}),
        ({"a": 0}, {"a": False}),
        ([{"type": "moved"}], {"type": "moved"}),
        ("moved", {"type": "moved"}),
        (None, {}),
    ],
)
def test_any_other_does_not(value, wanted):
    assert not matches(value, wanted)


def test_what_was_skipped_is_told_shortly():
    skipped = Skipped()
    assert str(skipped) == "nothing came"
    skipped.add("a")
    skipped.add(b"\x00" * 10_000_000)
    assert str(skipped).startswith("skipped 2: 'a', b'\\x00")
    assert str(skipped).endswith("…")
    assert len(str(skipped)) < 250


def test_of_many_the_first_and_the_last_are_told():
    skipped = Skipped()
    for number in range(10):
        skipped.add(str(number))
    assert str(skipped).endswith("'3', '4', '5', '6', '7', '8', '9'")
    for number in range(10, 100):
        skipped.add(str(number))
    assert str(skipped) == (
        "skipped 100: '0', '1', '2', '3', '4', ... 90 more ..., '95', '96', '97', '98', '99'"
    )


def test_a_wait_ends_also_while_others_come_without_end():
    class Flood:
        received = 0

        def recv(self, timeout):
            self.received += 1
            return "0"

    socket = Socket.__new__(Socket)
    flood: Any = Flood()
    socket._connection, socket._late_note = flood, str
    with pytest.raises(TimeoutError, match=r"no message with {'a': 1} within 0\.05 s \(skipped "):
        socket.receive_json(timeout=0.05, until={"a": 1})
    assert flood.received > 1
