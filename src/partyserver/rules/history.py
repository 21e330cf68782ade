"""What a client has missed: the number it gives, and what it is to be told of a gap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from .cloning import MAX_SAFE_INTEGER
from .messages import bounded_json

#: Bytes of JSON. A row of SQLite has 2 MB on the platform, with what stands beside the value:
#: https://developers.cloudflare.com/durable-objects/platform/limits/
MAX_EVENT_SIZE = 1_900_000

#: The messages that clients get.
EVENT, GAP = "event", "history_gap"


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """How much a room with `History` keeps.

    Attributes:
        max_events: how many events, from 1. Default 1,000.
        max_age: how long each is kept, from 1 ms; None keeps it until there are `max_events`
            newer ones. Default one day.
    """

    max_events: int = 1000
    max_age: timedelta | None = timedelta(days=1)

    def __post_init__(self) -> None:
        if type(self.max_events) is not int:
            raise TypeError(f"max_events of a history is an int, not {self.max_events!r}")
        if not 1 <= self.max_events <= MAX_SAFE_INTEGER:
            raise ValueError(f"max_events of a history is at least 1, not {self.max_events}")
        if self.max_age is None:
            return
        if not isinstance(self.max_age, timedelta):
            raise TypeError(
                f"max_age of a history is a timedelta, as timedelta(hours=1), or None, "
                f"not {self.max_age!r}"
            )
        if self.max_age < timedelta(milliseconds=1):
            raise ValueError(f"max_age of a history is at least 1 ms, not {self.max_age}")

    def oldest_time(self, now: int) -> int:
        """When the oldest event may have been published, in milliseconds as `now`."""
        if self.max_age is None:
            return 0
        return max(0, now - self.max_age // timedelta(milliseconds=1))

    def oldest_number(self, last: int) -> int:
        """The number from which events are kept, of those up to `last`."""
        return max(1, last - self.max_events + 1)


def check_options(cls: Any) -> None:
    """Raise `TypeError` for a class whose `history_options` are none."""
    options = cls.history_options
    if not isinstance(options, HistoryOptions):
        raise TypeError(
            f"{cls.__name__}.history_options must be HistoryOptions(max_events=..., max_age=...), "
            f"not {options!r}"
        )


def event_json(value: Any) -> str:
    """A value as it is stored and sent; `TypeError` or `ValueError` for what cannot be."""
    text = bounded_json(value, "a published value")
    size = len(text) if text.isascii() else len(text.encode())
    if size > MAX_EVENT_SIZE:
        raise ValueError(
            f"a published value has at most {MAX_EVENT_SIZE:,} bytes as JSON, not {size:,}: "
            "publish where it is to be found, instead"
        )
    return text


def event_message(number: int, text: str) -> str:
    return f'{{"type":"{EVENT}","seq":{number},"data":{text}}}'


def gap_message(first: int) -> str:
    return f'{{"type":"{GAP}","first":{first}}}'


_NUMBER = re.compile("[0-9]{1,16}")


def parse_since(text: str) -> int | None:
    """The number of the last event that a client has had; None if it is no such number."""
    # Other digits than these are some for `int`, and so are spaces, signs and underscores.
    return int(text) if _NUMBER.fullmatch(text) else None


class Resumption(NamedTuple):
    """What a client that resumes gets: word of a gap, if there is one, and what comes `after`."""

    has_gap: bool
    after: int


def resume(since: int | None, first: int, last: int) -> Resumption:
    """What a client has missed that has had everything up to `since`.

    `first` is the first event that is still there, and `last` the last that was published. Where
    nothing is there, `first` is the next one to come.
    """
    if since is None or since > last or since + 1 < first:
        return Resumption(True, first - 1)
    return Resumption(False, since)


def check_range(since: Any, limit: Any) -> None:
    """Raise `TypeError` or `ValueError` for what `read_events` has no use for."""
    for name, value in (("since", since), ("limit", limit)):
        if type(value) is not int:
            raise TypeError(f"{name} of read_events is an int, not {value!r}")
    if limit < 1:
        raise ValueError(f"limit of read_events is at least 1, not {limit}")
