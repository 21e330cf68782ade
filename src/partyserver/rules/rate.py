"""How many messages a connection may send."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal, TypedDict

RateAction = Literal["close", "drop"]


class _RateLimit(TypedDict):
    messages: float


class RateLimit(_RateLimit, total=False):
    """The messages that each connection may send.

        options = {"rate": {"messages": 20, "per": 1.0, "burst": 40}}

    It is counted in memory: an eviction forgets what has been sent.

    Attributes:
        messages: so many in each `per` seconds, on average.
        per: seconds. Default 1.
        burst: so many may come at once, after a pause. Default `messages`, and at least 1.
        action: what is over the limit closes the connection with 1008 ("close"), or is dropped, and
            `on_rate_limited` is called with the connection ("drop"). Default "close".
    """

    per: float
    burst: int
    action: RateAction


def check_rate(rate: Any) -> str | None:
    """What is wrong with the option, if anything is."""
    if rate is None:
        return None
    if not isinstance(rate, Mapping):
        return f"must be None or a dict, such as {{'messages': 20}}, not {rate!r}"
    for key in rate:
        if key not in ("messages", "per", "burst", "action"):
            return f"has no key {key!r}; its keys are: messages, per, burst, action"
    if "messages" not in rate:
        return "needs 'messages', such as {'messages': 20}"
    for key in ("messages", "per"):
        if not _is_positive(rate.get(key, 1)):
            return f"has a {key!r} that must be a number over 0, up to 10**12"
    burst = rate.get("burst", 1)
    if type(burst) is not int or not 1 <= burst <= _MOST:
        return "has a 'burst' that must be a whole number from 1 to 10**12"
    action = rate.get("action", "close")
    if action not in ("close", "drop"):
        return f"has an 'action' that must be 'close' or 'drop', not {action!r}"
    return None


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value <= _MOST and isfinite(value)


#: More than anybody has, and few enough to count with.
_MOST = 10**12


class Rate:
    """The rate of a class, and what it does with what is over it."""

    __slots__ = ("burst", "closes", "per_second")

    def __init__(self, rate: RateLimit) -> None:
        self.per_second: float = rate["messages"] / rate.get("per", 1.0)
        self.burst: float = float(rate.get("burst", max(1, rate["messages"])))
        self.closes: bool = rate.get("action", "close") == "close"


class Allowance:
    """What one connection may still send: a bucket that fills with time."""

    __slots__ = ("_at", "_left")

    def __init__(self, rate: Rate, now: float) -> None:
        self._left = rate.burst
        self._at = now

    def take(self, rate: Rate, now: float) -> bool:
        """Whether one more message is within the rate. `now` is in seconds."""
        elapsed = now - self._at
        self._at = now
        left = self._left
        if elapsed > 0:  # clocks may be set back
            left = min(rate.burst, left + elapsed * rate.per_second)
        if left < 1:
            self._left = left
            return False
        self._left = left - 1
        return True
