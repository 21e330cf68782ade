import json
import logging
import re
import sys
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.failures import error_id
from partyserver.rules.logs import STANDARD, as_json, as_text, error_id_of, message_of, plain

EVERYWHERE = {"class": "Chat", "room": "lobby", "connection": "alice", "error_id": "1b2c3d4e"}


def record(message="hello", *args, name="root", level=logging.INFO, error=None, extra=None):
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    logger = logging.Logger(name)
    return logger.makeRecord(name, level, "x.py", 1, message, args, exc_info, extra=extra)


def as_object(record, where=EVERYWHERE):
    line = as_json(record, where)
    assert "\n" not in line
    return json.loads(line)


def raised(error):
    try:
        raise error
    except BaseException as caught:
        return caught


class Unspeakable:
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class Strange(dict):
    def items(self):
        raise ValueError("no items")


class Color(IntEnum):
    RED = 1


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def circular():
    value: dict[str, Any] = {"x": 1}
    value["itself"] = value
    return value


# --- what a record says ---------------------------------------------------------------


def test_what_every_record_has_is_no_extra():
    bare = record()
    bare.message = bare.asctime = ""
    assert vars(bare).keys() <= STANDARD
    if sys.version_info >= (3, 12):
        assert vars(bare).keys() == STANDARD


def test_a_message_has_its_arguments():
    assert message_of(record("%s has %d", "alice", 5)) == "alice has 5"
    assert message_of(record("100 %")) == "100 %"
    assert message_of(record(KeyError("x"))) == "'x'"


@pytest.mark.parametrize(
    ("message", "args", "told"),
    [
        (
            "%s",
            (1, 2),
            "%s (the arguments (1, 2) do not fit: "
            "TypeError: not all arguments converted during string formatting)",
        ),
        (
            "%s",
            (Unspeakable(),),
            "%s (the arguments <tuple> do not fit: ValueError: no text)",
        ),
        (Unspeakable(), (), "<Unspeakable> (the arguments () do not fit: ValueError: no text)"),
    ],
)
def test_a_message_that_cannot_be_made_is_described(message, args, told):
    assert message_of(record(message, *args)) == told
    assert as_text(record(message, *args), {}) == told
    assert as_object(record(message, *args))["message"] == told


def test_the_error_id_is_that_of_the_exception():
    error = raised(ValueError("x"))
    assert error_id_of(record(error=error)) is None
    known = error_id(error)
    assert error_id_of(record(error=error)) == known
    assert error_id_of(record()) is None


# --- text -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "name", "line"),
    [
        ({}, "root", "hello"),
        ({}, "game", "game: hello"),
        ({"class": "Chat"}, "root", "[Chat:<unnamed>] hello"),
        ({"class": "Chat", "room": "lobby"}, "game", "[Chat:lobby] game: hello"),
        (
            {"class": "Chat", "room": "lobby", "connection": "alice"},
            "root",
            "[Chat:lobby alice] hello",
        ),
        (EVERYWHERE, "root", "[Chat:lobby alice, error id 1b2c3d4e] hello"),
        ({"error_id": "1b2c3d4e"}, "root", "[error id 1b2c3d4e] hello"),
    ],
)  # fmt: skip
def test_a_line_says_where_it_comes_from(where, name, line):
    assert as_text(record(name=name), where) == line


def test_a_loggers_name_that_the_line_begins_with_is_not_repeated():
    assert as_text(record("game: over", name="game"), {}) == "game: over"


def test_an_error_id_that_the_line_shows_anyway_is_not_repeated():
    line = as_text(record("sorry: 1b2c3d4e"), EVERYWHERE)
    assert line == "[Chat:lobby alice] sorry: 1b2c3d4e"


def test_a_traceback_follows_indented():
    error = raised(ValueError("two\nlines"))
    lines = as_text(record("failed", error=error), {"class": "Chat"}).split("\n")
    assert lines[:2] == ["[Chat:<unnamed>] failed", "  Traceback (most recent call last):"]
    assert lines[-2:] == ["  ValueError: two", "  lines"]


def test_a_stack_and_a_traceback_made_elsewhere_are_kept():
    other = record()
    other.stack_info, other.exc_text = "Stack:\n  here", "Traceback: there"
    assert as_text(other, {}) == "hello\n  Traceback: there\n  Stack:\n    here"
    fields = as_object(other)
    assert (fields["stack"], fields["exception"]) == ("Stack:\n  here", "Traceback: there")


def test_there_may_be_no_exception_to_tell_of():
    """As `logging.exception` outside of an `except` has it."""
    other = record()
    other.exc_info = (None, None, None)
    assert as_text(other, {}) == "hello"
    assert "exception" not in as_object(other)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("hi\n[Chat:lobby admin] forged", "hi\n  [Chat:lobby admin] forged"),
        ("hi\r[Chat:lobby admin] forged", "hi\\u000d[Chat:lobby admin] forged"),
        ("hi\x1b[2J\x9b1A\u2028\u202e\ud800", "hi\\u001b[2J\\u009b1A\\u2028\\u202e\\ud800"),
        ("a\ttab, ünïcode, 漢字 and 😀", "a\ttab, ünïcode, 漢字 and 😀"),
        ("[Chat:lobby admin] forged", "[-] [Chat:lobby admin] forged"),
        (" [Chat:lobby admin] forged", "[-]  [Chat:lobby admin] forged"),
        ("\u200b\ufeff[Chat:lobby] \u200f\u061c", "\\u200b\\ufeff[Chat:lobby] \\u200f\\u061c"),
        ("नमस्\u200dते", "नमस्\u200dते"),
    ],
)
def test_what_a_client_says_begins_no_line_and_moves_no_cursor(message, line):
    assert as_text(record("%s", message), {}) == line


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("alice", "alice"),
        ("ålice-1_2.3:4@5%20+~/=", "ålice-1_2.3:4@5%20+~/="),
        ("alice] admin", '"alice] admin"'),
        ('a"b', r'"a\"b"'),
        ("a\nb", r'"a\nb"'),
        ("", '""'),
    ],
)
def test_a_name_that_could_be_taken_for_something_else_is_quoted(name, shown):
    where = {"class": "Chat", "room": name, "connection": name}
    assert as_text(record(), where) == f"[Chat:{shown} {shown}] hello"


@given(st.text(), st.text(), st.text())
def test_every_line_of_a_text_is_its_own_or_indented(message, room, connection):
    where = {"class": "Chat", "room": room, "connection": connection}
    first, *others = as_text(record("%s", message), where).split("\n")
    assert first.startswith("[Chat:")
    assert all(line.startswith("  ") for line in others)
    assert not re.search("[\r\x1b\x85\u2028\u2029]", first + "".join(others))


# --- JSON -----------------------------------------------------------------------------


def test_an_object_says_it_all():
    error = raised(ValueError("x"))
    named = {"name": "game", "level": logging.WARNING}
    written = record("%s fails", "it", error=error, extra={"score": 3}, **named)
    fields = as_object(written)
    moment = datetime.fromisoformat(fields.pop("time"))
    assert abs(moment.timestamp() - written.created) < 0.002
    assert moment.tzinfo == UTC
    assert fields.pop("exception").endswith("\nValueError: x")
    assert fields == {
        "level": "WARNING",
        "logger": "game",
        "message": "it fails",
        "class": "Chat",
        "room": "lobby",
        "connection": "alice",
        "error_id": "1b2c3d4e",
        "score": 3,
    }


def test_what_is_not_known_is_left_out():
    assert as_object(record(), {}).keys() == {"time", "level", "logger", "message"}


def test_an_extra_takes_no_place_of_ours():
    extra = {"level": "DEBUG", "room": "other", "error_id": "x", "exception": "y", "room_": 2}
    fields = as_object(record(extra=extra), {"class": "Chat", "room": "lobby"})
    assert (fields["level"], fields["room"], "error_id" in fields) == ("INFO", "lobby", False)
    assert (fields["level_"], fields["error_id_"], fields["exception_"]) == ("DEBUG", "x", "y")
    assert {fields["room_"], fields["room__"]} == {"other", 2}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (True, True),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        pytest.param(10**5000, "<int>", id="an int without a text"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("text", "text"),
        (b"\0", r"b'\x00'"),
        (Color.RED, "1"),
        (datetime(2027, 1, 1, tzinfo=UTC), "2027-01-01 00:00:00+00:00"),
        (Unspeakable(), "<Unspeakable>"),
        (Strange(a=1), "{'a': 1}"),
        ((1, [2, {"x": {3}}]), [1, [2, {"x": [3]}]]),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        ([[], []], [[], []]),
        (circular(), {"x": 1, "itself": "..."}),
        (nested(8), [[[[[[[["..."]]]]]]]]),
        (list(range(5000)), [*range(999), "..."]),
        (
            {str(number): number for number in range(5000)},
            {**{str(number): number for number in range(999)}, "...": "..."},
        ),
    ],
)  # fmt: skip
def test_whatever_an_extra_holds_something_is_told(value, told):
    assert plain(value) == told
    assert as_object(record(extra={"value": value}))["value"] == told


def test_values_without_end_come_to_one():
    value: list[Any] = [1]
    for _ in range(8):
        value = [value] * 100
    assert len(as_json(record(extra={"value": value}), {})) < 10_000


def test_an_extras_name_may_be_anything():
    written = record()
    vars(written)["a\nb"] = 1
    assert as_object(written)["a\nb"] == 1


@given(st.text())
def test_any_text_is_one_line_of_json(message):
    where = {**EVERYWHERE, "connection": message}
    line = as_json(record("%s", message, extra={"value": message}), where)
    assert len(line.splitlines()) == 1
    fields = json.loads(line)
    assert fields["message"] == fields["value"] == fields["connection"] == message
