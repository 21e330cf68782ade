from datetime import timedelta

import pytest
from partyserver.rules.history import (
    MAX_EVENT_SIZE,
    HistoryOptions,
    check_options,
    check_range,
    event_json,
    event_message,
    gap_message,
    parse_since,
    resume,
)


def test_the_defaults():
    options = HistoryOptions()
    assert (options.max_events, options.max_age) == (1000, timedelta(days=1))


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"max_events": 0}, ValueError, "max_events .* at least 1, not 0"),
        ({"max_events": 2**53}, ValueError, "max_events"),
        ({"max_events": True}, TypeError, "max_events .* an int, not True"),
        ({"max_events": 1.5}, TypeError, "an int, not 1.5"),
        ({"max_events": None}, TypeError, "an int, not None"),
        ({"max_age": 60}, TypeError, "a timedelta, as timedelta.hours=1., or None, not 60"),
        ({"max_age": timedelta(0)}, ValueError, "at least 1 ms, not 0:00:00"),
        ({"max_age": timedelta(days=-1)}, ValueError, "at least 1 ms"),
        ({"max_age": timedelta(microseconds=999)}, ValueError, "at least 1 ms"),
    ],
)
def test_other_options_are_refused_and_named(given, error, match):
    with pytest.raises(error, match=match):
        HistoryOptions(**given)


@pytest.mark.parametrize("options", [{"max_events": 5}, None, HistoryOptions])
def test_a_class_has_options_and_nothing_else(options):
    class Room:
        history_options = options

    with pytest.raises(TypeError, match=r"Room.history_options must be HistoryOptions\(max_event"):
        check_options(Room)
    Room.history_options = HistoryOptions(5)
    check_options(Room)


@pytest.mark.parametrize(
    ("age", "oldest"),
    [
        (timedelta(milliseconds=1), 9999),
        (timedelta(seconds=3, microseconds=999), 7000),
        (timedelta(seconds=10), 0),
        (timedelta.max, 0),
        (None, 0),
    ],
)
def test_how_old_an_event_may_be(age, oldest):
    assert HistoryOptions(max_age=age).oldest_time(10_000) == oldest


@pytest.mark.parametrize(("last", "oldest"), [(0, 1), (1, 1), (5, 1), (6, 2), (1000, 996)])
def test_how_many_events_there_may_be(last, oldest):
    assert HistoryOptions(max_events=5).oldest_number(last) == oldest


def test_what_is_stored_is_what_is_sent():
    assert event_json({"a": (1, "é")}) == '{"a":[1,"é"]}'
    assert event_message(42, '{"a":1}') == '{"type":"event","seq":42,"data":{"a":1}}'
    assert gap_message(7) == '{"type":"history_gap","first":7}'


@pytest.mark.parametrize("letter", ["a", "é", "€"])
def test_a_value_has_at_most_so_many_bytes(letter):
    count = (MAX_EVENT_SIZE - 2) // len(letter.encode())
    assert event_json(letter * count) == f'"{letter * count}"'
    with pytest.raises(ValueError, match="at most 1,900,000 bytes as JSON, not 1,900,0"):
        event_json(letter * (count + 1))


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (b"", TypeError, "a published value is a value that JSON has: .*bytes"),
        (float("inf"), ValueError, "inf is not JSON compliant"),
    ],
)
def test_what_json_has_not_is_not_published(value, error, match):
    with pytest.raises(error, match=match):
        event_json(value)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("5", 5), ("007", 7), ("9" * 16, 9999999999999999)]
)
def test_a_number_is_ascii_digits(text, number):
    assert parse_since(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *["", " 5", "5 ", "5\n", "+5", "-5", "1.5", "1e3", "0x5", "1_0", "abc", "NaN", "null"],
        *["\u0663", "\uff15", "\u00b2", "1" * 17, "9" * 5000, "\0", "5\0", "5,6", "undefined"],
    ],
)
def test_anything_else_is_none(text):
    assert parse_since(text) is None


@pytest.mark.parametrize(
    ("since", "first", "last", "gap", "after"),
    [
        # Nothing was published yet.
        (0, 1, 0, False, 0),
        (1, 1, 0, True, 0),
        (None, 1, 0, True, 0),
        # All is there.
        (0, 1, 5, False, 0),
        (4, 1, 5, False, 4),
        (5, 1, 5, False, 5),
        (6, 1, 5, True, 0),
        (9999999999999999, 1, 5, True, 0),
        (None, 1, 5, True, 0),
        # The first three are gone.
        (0, 4, 5, True, 3),
        (2, 4, 5, True, 3),
        (3, 4, 5, False, 3),
        (4, 4, 5, False, 4),
        # All are gone.
        (4, 6, 5, True, 5),
        (5, 6, 5, False, 5),
        (6, 6, 5, True, 5),
        (None, 6, 5, True, 5),
    ],
)
def test_a_client_that_resumes(since, first, last, gap, after):
    assert resume(since, first, last) == (gap, after)


def test_what_can_be_read():
    check_range(0, 1)
    check_range(-5, 10**30)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ((1.0, 5), TypeError, "since of read_events is an int, not 1.0"),
        (("1", 5), TypeError, "since .* not '1'"),
        ((True, 5), TypeError, "since"),
        ((0, None), TypeError, "limit of read_events is an int, not None"),
        ((0, 0), ValueError, "limit of read_events is at least 1, not 0"),
        ((0, -1), ValueError, "limit"),
    ],
)
def test_what_cannot_be_read(given, error, match):
    with pytest.raises(error, match=match):
        check_range(*given)
