"""When something that has failed is tried again: a request to a room, a timer's callback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """What `RoutingRetry.on_retry` is told.

    Attributes:
        error: why the attempt failed.
        attempt: its number, from 1.
        max_attempts: how many there will be at most.
        delay_ms: the wait before the next one, in milliseconds.
        name: the room's name.
        class_name: the name of the room's binding; None from `get_server_by_name`.
    """

    error: BaseException
    attempt: int
    max_attempts: int
    delay_ms: int
    name: str
    class_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How often something is tried, and how long the waits between are: with full jitter."""

    max_attempts: int = 3
    base_delay_ms: float = 100
    max_delay_ms: float = 800

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise ValueError(f"max_attempts must be an int >= 1, not {self.max_attempts!r}")
        if self.max_attempts >= 1e9:  # it is kept as JSON, which is not read with any number
            raise ValueError("max_attempts must be less than 1,000,000,000")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Backoff):
    """How often, and after how long, a timer's callback that has failed is tried again.

        await self.schedule(30, "charge", retry=Retry(max_attempts=10, max_delay_ms=60_000))

    It is kept with the timer. While one waits, others run. After the last attempt `on_exception`
    gets the error, and a recurring timer goes on with its next time.

    For all that are given none, a class may have one in its options:

        options = {"retry": Retry(max_attempts=5)}

    Attributes:
        max_attempts: the first one included; 1 tries nothing again.
        base_delay_ms: the wait before attempt n+1 is a random time up to
            `base_delay_ms * 2 ** (n - 1)` milliseconds.
        max_delay_ms: the longest wait, in milliseconds.

    Raises:
        ValueError: fewer than 1 attempt, or a wait that is not a positive number.
    """

    max_delay_ms: float = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRetry(Backoff):
    """How often, and after how long, routing tries a room again.

    Only errors that the platform marks retryable and not overloaded are tried again:
    https://developers.cloudflare.com/durable-objects/best-practices/error-handling/

        RoutingRetry(max_attempts=5, on_retry=lambda event: print(event.name, event.error))

    A request that is tried again may have reached the room before.

    Attributes:
        max_attempts: the first try included.
        base_delay_ms: the wait before attempt n+1 is a random time up to
            `base_delay_ms * 2 ** (n - 1)` milliseconds.
        max_delay_ms: the longest wait, in milliseconds.
        on_retry: called with a `RetryEvent` before each wait; plain or async. What it raises
            is logged.

    Raises:
        ValueError: fewer than 1 attempt, or a wait that is not a positive number.
    """

    on_retry: Callable[[RetryEvent], Awaitable[None] | None] | None = None


def is_infrastructure(error: Any) -> bool:
    """Whether the platform failed, and not the room's code."""
    return _flag(error, "retryable") or _flag(error, "overloaded")


def is_retryable(error: Any) -> bool:
    """Whether the platform says that another try may do; not of an object with too much to do."""
    return _flag(error, "retryable") and not _flag(error, "overloaded")


def _flag(error: Any, name: str) -> bool:
    return getattr(error, name, False) is True


async def with_retries(
    operation: Callable[[], Awaitable[T]],
    retry: RoutingRetry | None,
    *,
    name: str,
    class_name: str | None,
    sleep: Callable[[float], Awaitable[None]],
    random_fraction: Callable[[], float],
    tell: Callable[[RetryEvent], Awaitable[None]],
) -> T:
    """Await `operation()`, again if it fails and may be tried again; raises its last error.

    `tell` is awaited before each wait, and does not raise.
    """
    attempt = 1
    while True:
        try:
            return await operation()
        except Exception as error:
            if retry is None or attempt >= retry.max_attempts or not is_retryable(error):
                raise
            delay_ms = retry.delay_ms(attempt, random_fraction())
            await tell(RetryEvent(error, attempt, retry.max_attempts, delay_ms, name, class_name))
        await sleep(delay_ms / 1000)
        attempt += 1


async def retried(
    operation: Callable[[int], Awaitable[T]],
    backoff: Backoff,
    *,
    sleep: Callable[[float], Awaitable[None]],
    random_fraction: Callable[[], float],
    should_retry: Callable[[Exception, int], Awaitable[Any]],
) -> T:
    """Await `operation(attempt)`, again if it fails; raises its last error.

    `should_retry` is asked before each wait, with the error and the number of the next attempt.
    """
    attempt = 1
    while True:
        try:
            return await operation(attempt)
        except Exception as error:
            if attempt >= backoff.max_attempts or not await should_retry(error, attempt + 1):
                raise
        await sleep(backoff.delay_ms(attempt, random_fraction()) / 1000)
        attempt += 1
