"""What a client is told of a text that is no event."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.events import (
    LONGEST_TYPE,
    MOST_OF_AN_ERROR,
    error_frame,
    refusal,
    unknown_event,
    without_halves,
)


@pytest.mark.parametrize(
    ("said", "told"),
    {
        "Expected `str`, got `int` - at `$.text`": "$.text: Expected `str`, got `int`",
        "Expected `object`, got `array`": "$: Expected `object`, got `array`",
        "Object missing required field `text`": "$.text: missing",
        "Object missing required field `a-b` - at `$.list[0].c`": "$.list[0].c.a-b: missing",
        "Expected `int` - at `key` in `$.map`": "a key of $.map: Expected `int`",
        "JSON is malformed: invalid character (byte 7)": "not JSON: invalid character (byte 7)",
        "Input data was truncated": "not JSON: it ends too early",
        "first is behind last - at `$.span`": "$.span: first is behind last",
        "two\nlines": "$: two\nlines",
        "unknown field `a - at `b`": "$: unknown field `a - at `b`",
    }.items(),
)
def test_what_the_decoder_says_is_told_with_the_path_first(said, told):
    assert refusal(ValueError(said)) == told


def test_of_pythons_own_decoder_the_position_is_left_out():
    assert refusal(json.JSONDecodeError("nested too deeply", "[[[", 0)) == "nested too deeply"


@pytest.mark.parametrize(
    "said",
    [
        "Invalid enum value '{}' - at `$.to`",
        "Object contains unknown field `{}`",
        "Object missing required field `text` - at `$.{}`",
        "Expected `str` - at `$.{}`",
    ],
)
def test_it_is_short_whatever_the_client_has_sent(said):
    told = refusal(ValueError(said.format("x" * 1_000_000)))
    assert "…" in told
    assert not told.startswith("$: ") or "unknown field" in said
    assert len(told) <= 2 * MOST_OF_AN_ERROR + len(": ")


def test_an_unknown_event_is_named():
    assert unknown_event("say") == "$.type: there is no event 'say'"
    assert len(unknown_event("x" * 1_000_000)) < MOST_OF_AN_ERROR + 30


def test_the_frame_has_the_type_that_was_sent():
    assert error_frame("a", "say") == '{"type":"error","error":"a","event":"say"}'
    assert error_frame("a", "") == '{"type":"error","error":"a","event":""}'
    assert error_frame("a", None) == '{"type":"error","error":"a"}'
    assert json.loads(error_frame("a", "x" * LONGEST_TYPE))["event"] == "x" * LONGEST_TYPE
    assert error_frame("a", "x" * (LONGEST_TYPE + 1)) == '{"type":"error","error":"a"}'


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (r'"\ud83d"', r'"\ufffd"'),
        (r'"\uDE00x"', r'"\ufffdx"'),
        (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
        (r'"\ud83d\u0041"', r'"\ufffd\u0041"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d"', r'"\\\ufffd"'),
        (r'"\ud83', r'"\ud83'),
        ('"\ud83d"', '"\ufffd"'),
        ('"\U0001f600 ä"', '"\U0001f600 ä"'),
    ],
)
def test_halves_of_surrogate_pairs_become_replacement_characters(text, mended):
    assert without_halves(text) == mended


def test_a_very_long_text_stays_as_it_is():
    text = r'"\ud83d"' + " " * 65_529
    assert without_halves(text[:-1]) == text[:-1].replace("d83d", "fffd")
    assert without_halves(text) == text


@given(st.text(st.characters(categories=["Lu", "Cs", "Po", "So"])), st.booleans())
def test_json_without_halves_is_the_value_without_them(value, ensure_ascii):
    text = without_halves(json.dumps(value, ensure_ascii=ensure_ascii))
    expected = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert json.loads(text) == expected
    assert without_halves(text) == text
