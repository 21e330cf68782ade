"""An event, and its JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from partyserver.events import Event
from partyserver.events.event import encode, type_of


class Told(Event):
    value: Any = None


class PlayerMoved(Event, tag="moved", rename="camel", omit_defaults=True):
    by_x: int
    note: str = ""


def test_the_type_is_the_classs_name_or_what_it_says():
    class Inner:
        class HTTPFailed(Event): ...

    assert type_of(Told) == "told"
    assert type_of(PlayerMoved) == "moved"
    assert type_of(Inner.HTTPFailed) == "http_failed"


def test_it_is_compact_json_with_the_type_first():
    assert encode(Told({"a": [1, "ä", None]})) == '{"type":"told","value":{"a":[1,"ä",null]}}'
    assert encode(PlayerMoved(1)) == '{"type":"moved","byX":1}'
    assert encode(Told(datetime(2027, 1, 1, tzinfo=UTC))).endswith('"2027-01-01T00:00:00Z"}')
    assert encode(Told(b"\x00\x01")).endswith('"AAE="}')
    assert encode(Told(PlayerMoved(1, "a"))).endswith('{"type":"moved","byX":1,"note":"a"}}')


@pytest.mark.parametrize("value", [None, [None], {"a": None, "b": 1.5}, "null", PlayerMoved(1)])
def test_null_is_no_number(value):
    assert msgspec.json.decode(encode(Told([value, None])))["value"][1] is None


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (float("nan"), r"\$\.value"),
        ([1, float("inf")], r"\$\.value\[1\]"),
        ({"a": ({1: -float("inf")},)}, r"\$\.value\.a\[0\]\.1"),
        ([Told(float("nan"))], r"\$\.value\[0\]\.value"),
    ],
)
def test_what_is_no_number_in_json_is_a_value_error_with_its_path(value, path):
    with pytest.raises(ValueError, match=f"is not JSON compliant: it is at {path}$"):
        encode(Told(value))


def test_half_of_a_surrogate_pair_is_escaped_and_arrives_as_it_is():
    assert encode(Told("ä\ud83d")) == '{"type":"told","value":"\\u00e4\\ud83d"}'
    assert json.loads(encode(Told({"\ud83d": b"\x00"})))["value"] == {"\ud83d": "AA=="}


def test_what_json_cannot_hold_is_a_type_error():
    for value in (object(), 1j, Told):
        with pytest.raises(TypeError):
            encode(Told(value))


def test_events_can_be_made_and_read_anywhere():
    assert msgspec.json.decode('{"type":"moved","byX":1}', type=PlayerMoved) == PlayerMoved(1)
    assert repr(PlayerMoved(1)) == "PlayerMoved(by_x=1, note='')"
