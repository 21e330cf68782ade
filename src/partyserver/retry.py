"""When a request to a room is tried again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """What `RoutingRetry.on_retry` is told: `attempt` (from 1) failed with `error`."""

    error: BaseException
    attempt: int
    max_attempts: int
    delay_ms: int
    name: str
    class_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRetry:
    """How often, and after how long, routing tries a room again.

    Only errors that the platform marks retryable and not overloaded are tried again:
    https://developers.cloudflare.com/durable-objects/best-practices/error-handling/

    max_attempts: the first try included. Default 3.
    base_delay_ms, max_delay_ms: the wait before attempt n+1 is a random time up to
        `base_delay_ms * 2 ** (n - 1)`, but at most `max_delay_ms`. Defaults 100 and 800.
    on_retry: called with a `RetryEvent` before each wait; plain or async.
    """

    max_attempts: int = 3
    base_delay_ms: float = 100
    max_delay_ms: float = 800
    on_retry: Callable[[RetryEvent], Awaitable[None] | None] | None = None

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise ValueError(f"max_attempts must be an int >= 1, not {self.max_attempts!r}")
        for name in ("base_delay_ms", "max_delay_ms"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
                raise ValueError(f"{name} must be a number of milliseconds > 0, not {value!r}")
        if self.base_delay_ms > self.max_delay_ms:
            raise ValueError("base_delay_ms must not be more than max_delay_ms")

    def delay_ms(self, attempt: int, fraction: float) -> int:
        """The wait after failed attempt number `attempt`; `fraction` is random in [0, 1)."""
        exponent = min(attempt - 1, 64)
        return int(fraction * min(self.max_delay_ms, self.base_delay_ms * 2**exponent))
