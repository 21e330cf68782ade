"""When a timer runs, and what is stored of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Literal, get_args
from zlib import crc32

from .messages import compact_json, parse_json, stored_json
from .retry import Retry

TimerType = Literal["delayed", "scheduled", "cron", "interval"]
TYPES: tuple[TimerType, ...] = get_args(TimerType)
#: Those that have a next time.
RECURRING = ("cron", "interval")

#: In milliseconds since 1970, excluded: "This API doesn't support dates after 2189", says the
#: platform of its alarms.
END_OF_TIME = 6_942_585_600_000
#: Seconds: thirty days.
MAX_INTERVAL = 30 * 24 * 60 * 60
#: Bytes. A row of the platform's SQLite has at most 2 MB.
#: https://developers.cloudflare.com/durable-objects/platform/limits/
MAX_PAYLOAD = 1_000_000
#: Milliseconds. In so many the room is woken again if it has been evicted in the middle of a
#: callback. A recurring timer whose callback has not ended by then, nor by its next time, is taken
#: as hung.
HUNG = 30_000
#: The same for one that runs once, which may wait long for others; and the longest that the alarm's
#: handler waits for what it has started: the platform gives it 15 minutes.
#: https://developers.cloudflare.com/durable-objects/api/alarms/
LONGEST_RUN = 10 * 60 * 1000
#: Milliseconds by which the platform's alarm may be later than it was set: "now" is over there.
_ALARM_IS_LATER = 1000
#: Characters; each field of a cron is a list that somebody may have generated.
MAX_CRON = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """When a timer runs first, in milliseconds since 1970, and what it is made of."""

    type: TimerType
    time: int
    #: A delay's or an interval's seconds, or a cron.
    detail: float | str | None = None


# --- what users give --------------------------------------------------------------------


def plan(when: Any, now: int) -> Plan:
    """What `schedule` is given, at `now` in milliseconds since 1970.

    Raises `TypeError` or `ValueError`, which say what to give.
    """
    if isinstance(when, str):
        cron = checked_cron(when)
        return Plan("cron", next_of_cron(cron, now), cron)
    if isinstance(when, datetime):
        # What lies before 1970 is due at once as well.
        return Plan("scheduled", max(0, _possible(milliseconds_of(when), when)))
    seconds = _seconds(when, "schedule")
    if seconds < 0:
        raise ValueError(f"a delay is 0 seconds or more, not {when!r}")
    return Plan("delayed", _possible(now + _milliseconds(seconds), when), seconds)


def plan_interval(seconds: Any, now: int) -> Plan:
    """What `schedule_every` is given: the first run is after one interval."""
    number = _seconds(seconds, "schedule_every")
    if not 0 < number <= MAX_INTERVAL:
        raise ValueError(
            f"an interval is more than 0 and at most {MAX_INTERVAL} seconds (30 days), "
            f"not {seconds!r}"
        )
    return Plan("interval", now + _milliseconds(number), number)


def _seconds(given: Any, method: str) -> float:
    if isinstance(given, timedelta):
        return given.total_seconds()
    if isinstance(given, bool) or not isinstance(given, int | float):
        others = ", an aware datetime or a cron string" if method == "schedule" else ""
        raise TypeError(
            f"{method} takes a number of seconds, a timedelta{others}, "
            f"not {type(given).__name__}: {given!r}"
        )
    # Of NaN and infinity nothing is said but that they are none, and of 10**400 it is no float.
    if not -END_OF_TIME < given < END_OF_TIME:
        raise ValueError(f"{_shown(given)} is no number of seconds that a timer can wait")
    return given


def _milliseconds(seconds: float) -> int:
    """Rounded up, so that no timer runs too early: 0.07 * 1000 is 70.00000000000001."""
    return max(1, ceil(round(seconds * 1000, 6))) if seconds else 0


def _possible(time: int, when: Any) -> int:
    if time >= END_OF_TIME:
        raise ValueError(f"{_shown(when)} is after the year 2189, the last that the platform has")
    return time


def _shown(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 2**64:
        return f"an int of {value.bit_length()} bits"
    return str(value)


def milliseconds_of(moment: Any, name: str = "a moment") -> int:
    """An aware `datetime` in milliseconds since 1970, rounded up."""
    if not isinstance(moment, datetime):
        raise TypeError(f"{name} is a datetime, not {type(moment).__name__}: {moment!r}")
    if moment.utcoffset() is None:
        raise ValueError(
            f"{name} has no timezone: {moment!r}. Give it one, as in "
            "datetime(2027, 1, 1, tzinfo=UTC) or datetime.now(UTC)"
        )
    return -((_EPOCH - moment) // _MILLISECOND)


def moment_of(milliseconds: int) -> datetime:
    """The same in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def alarm_time(given: Any) -> int:
    """What `ctx.storage.setAlarm` is given, in milliseconds since 1970, as the platform takes it.

    Raises `TypeError` or `ValueError` for what that refuses.
    """
    if isinstance(given, datetime):
        given = given.timestamp() * 1000  # without a timezone it is in UTC there
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(
            "an alarm is set in milliseconds since 1970, or as a datetime, "
            f"not {type(given).__name__}: {given!r}"
        )
    if not 0 < given < END_OF_TIME:
        raise ValueError(f"an alarm's time is after 1970 and before 2190, not {_shown(given)}")
    return int(given)


# --- crons ------------------------------------------------------------------------------


def checked_cron(text: str) -> str:
    """A cron with one space between its fields; whether it says anything is `next_of_cron`'s."""
    if len(text) > MAX_CRON:
        raise ValueError(f"a cron has at most {MAX_CRON} characters, not {len(text)}")
    return " ".join(text.split())


def next_of_cron(cron: str, after: int) -> int:
    """The first time after `after` that a cron names, in UTC.

    Raises `ValueError` if it is none, or names no time at all.
    """
    try:
        from cronsim import CronSim, CronSimError
    except ImportError as error:
        raise ImportError(
            "crons need the package cronsim: install partyserver[schedule], and vendor it as the "
            "worker's other packages"
        ) from error
    hint = 'It has 5 fields, "minute hour day-of-month month day-of-week", as in "0 9 * * 1"'
    try:
        found = next(CronSim(cron, moment_of(after)))
    except CronSimError as error:
        raise ValueError(f"{cron!r} is no cron that ever comes: {error}. {hint}") from None
    except (StopIteration, OverflowError):
        raise ValueError(f"the cron {cron!r} does not come within 50 years. {hint}") from None
    return milliseconds_of(found)


def next_time(type: str, detail: Any, time: int, now: int) -> int | None:
    """When a timer that was to run at `time` and has run at `now` runs next; None for once.

    An interval keeps its beat, and what was missed is left out.
    """
    if type == "cron":
        return next_of_cron(detail, max(time, now))
    if type == "interval":
        step = _milliseconds(detail)
        return time + step * (max(0, now - time) // step + 1)
    return None


def hung_at(type: str, detail: Any, time: int, began: int) -> int:
    """When a run is taken as hung that began at `began` and does not end, of a timer for `time`.

    What recurs is left alone until it would be called again: a second run beside one that still
    goes on would do harm more often than good.
    """
    if type not in RECURRING:
        return began + LONGEST_RUN
    return max(began + HUNG, next_time(type, detail, time, began) or 0)


def is_own_alarm(time: int, armed: int | None) -> bool:
    """Whether an alarm of the platform's at `time` is the one that was set to `armed`."""
    return armed is not None and armed <= time <= armed + _ALARM_IS_LATER


# --- what is stored ---------------------------------------------------------------------


def payload_json(payload: Any) -> str:
    """A payload as it is stored; see `stored_json`."""
    instead = "; store it, and give the timer its key"
    return stored_json(payload, "a payload", limit=MAX_PAYLOAD, instead=instead)


def identity(type: str, callback: str, detail: Any, payload: Any) -> int:
    """A number that timers share which are the same to `idempotent`, and seldom others."""
    number = float(detail) if type == "interval" else detail
    what = [type, callback, number if type in RECURRING else None, payload]
    # Not 0, which is the alarm's.
    return 1 + crc32(json.dumps(what, sort_keys=True).encode())


def is_same(type: str, detail: Any, payload: Any, row: Mapping[str, Any]) -> bool:
    """Whether a stored timer with the same identity and callback really is the same."""
    same_detail = type not in RECURRING or row["detail"] == detail
    return bool(row["type"] == type and same_detail and parse_json(row["payload"]) == payload)


def retry_json(retry: Any) -> str | None:
    """A `Retry` as it is stored; None is the default."""
    if retry is None:
        return None
    if not isinstance(retry, Retry):
        raise TypeError(
            f"retry is a partyserver.schedule.Retry, not {type(retry).__name__}: {retry!r}"
        )
    return compact_json(asdict(retry))


def stored_retry(text: str | None, default: Retry | None) -> Retry:
    """As it was given; else the class's own, if it has one."""
    return (default or Retry()) if text is None else Retry(**parse_json(text))


def id_of(number: int) -> str:
    return str(number)


def number_of(id: Any) -> int | None:
    """The number of a row; None for what is no id at all."""
    if not isinstance(id, str):
        raise TypeError(f"a timer's id is a str, not {type(id).__name__}: give timer.id")
    is_one = len(id) <= 16 and id.isascii() and id.isdigit() and not id.startswith("0")
    return int(id) if is_one and int(id) <= 2**53 else None
