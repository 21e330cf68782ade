import json
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.retry import Retry
from partyserver.rules.timers import (
    END_OF_TIME,
    HUNG,
    LONGEST_RUN,
    MAX_INTERVAL,
    Plan,
    alarm_time,
    hung_at,
    id_of,
    identity,
    is_own_alarm,
    is_same,
    milliseconds_of,
    moment_of,
    next_of_cron,
    next_time,
    number_of,
    payload_json,
    plan,
    plan_interval,
    retry_json,
    stored_retry,
)

#: Thursday, 26 November 2026, 04:01:02.345 UTC.
NOW = 1_795_665_662_345
times = st.integers(0, 4 * 10**12)


def at(text):
    return milliseconds_of(datetime.fromisoformat(text))


# --- when -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "delay"),
    [(0, 0), (1, 1000), (1.5, 1500), (0.07, 70), (0.0001, 1), (1e-320, 1), (10**9, 10**12)],
)
def test_a_number_is_a_delay_in_seconds(when, delay):
    assert plan(when, NOW) == Plan("delayed", NOW + delay, when)


def test_so_is_a_timedelta():
    assert plan(timedelta(minutes=1.5), NOW) == Plan("delayed", NOW + 90_000, 90)


@given(times, st.floats(0, 1e8))
def test_no_timer_is_planned_too_early(now, seconds):
    planned = plan(seconds, now).time
    assert seconds * 1000 - 0.001 <= planned - now < seconds * 1000 + 1.001


def test_a_datetime_is_a_moment():
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    assert plan(moment, NOW) == Plan("scheduled", at("2027-01-01T00:00+00:00"))
    east = datetime(2027, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))
    assert plan(east, NOW) == plan(moment, NOW)
    assert plan(moment + timedelta(microseconds=1), NOW).time == plan(moment, NOW).time + 1
    assert plan(datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), NOW).time == 0


@given(times)
def test_a_moment_is_read_back_as_it_was(time):
    assert milliseconds_of(moment_of(time)) == time
    assert moment_of(time).tzinfo is UTC


def test_a_string_is_a_cron():
    assert plan(" 0  9 * *  1 ", NOW) == Plan("cron", at("2026-11-30T09:00+00:00"), "0 9 * * 1")


@pytest.mark.parametrize(
    "when",
    [*(-1, -0.001, float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), 1e11, 1e300),
     *(timedelta(-1), timedelta.max, datetime(2190, 1, 1, tzinfo=UTC)),
     *(datetime(2027, 1, 1), datetime.max.replace(tzinfo=UTC), "", "tomorrow", "0 0 30 2 *"),
     *("0 0 31 4,6 *", "* * * *", "61 * * * *", "0," * 1000 + "0 * * * *", "2027-01-01")],
)  # fmt: skip
def test_what_can_be_no_time_is_a_value_error(when):
    with pytest.raises(ValueError):  # noqa: PT011
        plan(when, NOW)


@pytest.mark.parametrize("when", [True, None, [], b"0 9 * * 1", date(2027, 1, 1)])
def test_what_is_no_time_is_a_type_error_that_says_what_is(when):
    with pytest.raises(TypeError, match="a number of seconds, a timedelta, an aware datetime or"):
        plan(when, NOW)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (-5, "a delay is 0 seconds or more, not -5"),
        (float("nan"), "nan is no number of seconds"),
        (10**400, "an int of 1329 bits is no number of seconds"),
        (1e11, "100000000000.0 is after the year 2189"),
        (datetime(2027, 1, 1), r"has no timezone: .* Give it one, as in datetime\(2027"),
        ("tomorrow", r"'tomorrow' is no cron that ever comes: .*\"minute hour day-of-month"),
        ("0 0 30 2 *", r"'0 0 30 2 \*' is no cron that ever comes: Bad day-of-month"),
        ("x" * 1001, "a cron has at most 1000 characters, not 1001"),
    ],
)
def test_the_errors_say_what_to_do(when, text):
    with pytest.raises(ValueError, match=text):
        plan(when, NOW)


def test_a_moment_is_a_datetime():
    with pytest.raises(TypeError, match="before is a datetime, not str: '2027'"):
        milliseconds_of("2027", "before")


@pytest.mark.parametrize(
    ("seconds", "step"), [(60, 60_000), (0.0001, 1), (MAX_INTERVAL, 2_592_000_000)]
)
def test_an_interval_comes_first_after_one_interval(seconds, step):
    assert plan_interval(seconds, NOW) == Plan("interval", NOW + step, seconds)


@pytest.mark.parametrize("seconds", [0, -1, MAX_INTERVAL + 1, float("nan"), timedelta(31)])
def test_an_interval_has_limits(seconds):
    with pytest.raises(ValueError, match=r"an interval is more than 0 and at most|is no number"):
        plan_interval(seconds, NOW)


@pytest.mark.parametrize("seconds", ["60", True, None])
def test_an_interval_is_a_number(seconds):
    with pytest.raises(TypeError, match="takes a number of seconds, a timedelta, not"):
        plan_interval(seconds, NOW)


# --- what recurs ------------------------------------------------------------------------


def test_a_cron_comes_after_and_not_at_a_time():
    hour = at("2026-11-26T05:00+00:00")
    assert next_of_cron("0 * * * *", hour - 1) == hour
    assert next_of_cron("0 * * * *", hour) == hour + 3_600_000
    assert next_of_cron("30 0 5 * * *", NOW) == at("2026-11-26T05:00:30+00:00")


@given(times, st.sampled_from(["* * * * *", "*/7 3 * * 1-5", "0 0 L * *", "0 0 29 2 *"]))
def test_every_cron_comes_later(after, cron):
    assert next_of_cron(cron, after) > after


def test_a_cron_that_does_not_come_for_long_is_one_that_never_does(monkeypatch):
    cronsim = pytest.importorskip("cronsim")

    def never(self):
        raise StopIteration

    monkeypatch.setattr(cronsim.CronSim, "__next__", never)
    with pytest.raises(ValueError, match="does not come within 50 years"):
        next_of_cron("0 0 29 2 *", NOW)


def test_a_cron_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(ImportError, match=r"install partyserver\[schedule\]"):
        next_of_cron("* * * * *", NOW)


def test_a_cron_has_its_next_time_after_it_has_run():
    due = at("2026-11-26T05:00+00:00")
    assert next_time("cron", "0 * * * *", due, due + 10) == due + 3_600_000
    assert next_time("cron", "0 * * * *", due, due - 10) == due + 3_600_000
    late = at("2026-11-28T05:30+00:00")  # what was missed is left out
    assert next_time("cron", "0 * * * *", due, late) == at("2026-11-28T06:00+00:00")


@given(times, st.integers(0, 10**10), st.floats(0.001, MAX_INTERVAL))
def test_an_interval_keeps_its_beat(time, late, seconds):
    step = plan_interval(seconds, 0).time
    found = next_time("interval", seconds, time, time + late)
    assert time + late < found <= time + late + step
    assert (found - time) % step == 0


def test_an_interval_that_ran_before_its_time_comes_after_it():
    assert next_time("interval", 60, NOW, NOW - 90_000) == NOW + 60_000


@pytest.mark.parametrize("type", ["delayed", "scheduled", "alarm"])
def test_others_have_no_next_time(type):
    assert next_time(type, 60, NOW, NOW) is None


def test_what_recurs_is_hung_after_30_seconds_and_not_before_its_next_time():
    began = NOW + 500
    assert hung_at("interval", 10, NOW, began) == began + HUNG
    assert hung_at("interval", 60, NOW, began) == NOW + 60_000
    assert hung_at("cron", "*/5 * * * * *", NOW, began) == began + HUNG
    assert hung_at("cron", "0 0 1 1 *", NOW, began) == at("2027-01-01T00:00+00:00")


@pytest.mark.parametrize("type", ["delayed", "scheduled", "alarm"])
def test_others_are_hung_after_ten_minutes(type):
    assert hung_at(type, 60, NOW, NOW + 500) == NOW + 500 + LONGEST_RUN == NOW + 600_500


# --- the alarm --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "time"),
    [
        (1, 1),
        (NOW + 0.9, NOW),
        (END_OF_TIME - 1, END_OF_TIME - 1),
        (datetime(2027, 1, 1, tzinfo=UTC), at("2027-01-01T00:00+00:00")),
    ],
)
def test_an_alarm_is_set_as_the_platform_takes_it(given, time):
    assert alarm_time(given) == time


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf"), END_OF_TIME, 10**400])
def test_an_alarm_is_not_set_when_the_platform_has_no_time(given):
    with pytest.raises(ValueError, match="an alarm's time is after 1970 and before 2190, not"):
        alarm_time(given)


@pytest.mark.parametrize("given", [None, "12", True])
def test_an_alarm_is_set_in_milliseconds(given):
    with pytest.raises(TypeError, match="an alarm is set in milliseconds since 1970"):
        alarm_time(given)


def test_an_alarm_is_the_own_one_if_it_was_set_to_that():
    assert is_own_alarm(NOW, NOW)
    assert is_own_alarm(NOW + 3, NOW)  # "now", which it was when it was set
    assert not is_own_alarm(NOW - 1, NOW)
    assert not is_own_alarm(NOW + 60_000, NOW)
    assert not is_own_alarm(NOW, None)


# --- what is stored ---------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(json_values)
def test_a_payload_is_stored_as_json(payload):
    assert json.loads(payload_json(payload)) == payload


def test_a_tuple_becomes_a_list():
    assert payload_json({"a": (1, [2])}) == '{"a":[1,[2]]}'


def nested(levels):
    value: object = None
    for _ in range(levels):
        value = [value]
    return value


ITSELF: list = []
ITSELF.append({"a": ITSELF})


@pytest.mark.parametrize(
    ("payload", "error", "text"),
    [
        ({1}, TypeError, "set is not JSON serializable"),
        (b"raw", TypeError, "bytes is not JSON serializable"),
        ([{1: 2}], TypeError, "str keys only, not 1"),
        ([float("nan")], ValueError, r"nan is not JSON compliant: it is at \$\[0\]"),
        (int("9" * 400), ValueError, "larger than numbers get"),
        (nested(501), ValueError, "nested at most 500 levels deep"),
        (nested(5000), ValueError, "nested at most 500 levels deep"),
        (ITSELF, ValueError, "does not hold itself"),
        ("é" * 500_000, ValueError, "at most 1,000,000 bytes as JSON, not 1,000,002"),
    ],
)
def test_a_payload_that_cannot_be_stored_is_refused(payload, error, text):
    with pytest.raises(error, match=text):
        payload_json(payload)


def test_a_payload_may_be_as_large_as_that():
    assert len(payload_json("x" * 999_998)) == 1_000_000
    assert payload_json(nested(500))


def row(type="delayed", detail=60, payload=None):
    return {"type": type, "detail": detail, "payload": json.dumps(payload)}


def test_timers_that_are_the_same_have_one_identity():
    payload = {"a": 1, "b": [2]}
    turned = {"b": [2], "a": 1}
    assert identity("delayed", "note", 60, payload) == identity("delayed", "note", 90, turned)
    assert is_same("delayed", 90, turned, row(payload=payload))
    assert identity("interval", "note", 60, None) == identity("interval", "note", 60.0, None)
    assert is_same("interval", 60.0, None, row("interval"))


@pytest.mark.parametrize(
    "other",
    [
        ("scheduled", "note", 60, None),
        ("delayed", "tick", 60, None),
        ("delayed", "note", 60, 0),
        ("interval", "note", 61, None),
        ("cron", "note", "* * * * *", None),
    ],
)
def test_others_have_another_identity(other):
    assert identity(*other) != identity("delayed", "note", 60, None)
    assert identity(*other) != identity("interval", "note", 60, None)
    assert identity(*other) > 0


@pytest.mark.parametrize(
    ("type", "detail", "payload"),
    [("scheduled", 60, None), ("interval", 60, None), ("delayed", 60, 0)],
)
def test_two_with_one_identity_are_compared(type, detail, payload):
    assert not is_same(type, detail, payload, row())
    assert not is_same("interval", 61, None, row("interval"))


# --- retries ----------------------------------------------------------------------------


def test_a_retry_is_stored_with_the_timer():
    retry = Retry(max_attempts=5, base_delay_ms=2.5, max_delay_ms=10)
    assert stored_retry(retry_json(retry), Retry(max_attempts=7)) == retry
    assert retry_json(None) is None
    assert stored_retry(None, None) == Retry()
    assert stored_retry(None, retry) == retry
    default = Retry()
    assert (default.max_attempts, default.base_delay_ms, default.max_delay_ms) == (3, 100, 3000)
    assert default.delay_ms(10, 0.5) == 1500


@pytest.mark.parametrize("retry", [3, {"max_attempts": 3}, True])
def test_a_retry_is_a_retry(retry):
    with pytest.raises(TypeError, match=r"retry is a partyserver\.schedule\.Retry, not"):
        retry_json(retry)


# --- ids --------------------------------------------------------------------------------


@given(st.integers(1, 2**53))
def test_an_id_is_read_back(number):
    assert number_of(id_of(number)) == number


@pytest.mark.parametrize("id", ["", "0", "01", "-1", "1.5", "x", "²", "9" * 16, "9" * 5000, " 1"])
def test_other_strings_are_nobodys_id(id):
    assert number_of(id) is None


@pytest.mark.parametrize("id", [1, None, b"one"])
def test_an_id_is_a_string(id):
    with pytest.raises(TypeError, match=r"a timer's id is a str, not .*: give timer\.id"):
        number_of(id)
