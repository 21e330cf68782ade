import asyncio
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.retry import (
    Backoff,
    RetryEvent,
    RoutingRetry,
    is_infrastructure,
    is_retryable,
    retried,
    with_retries,
)

fractions = st.floats(0, 1, exclude_max=True)
milliseconds = st.floats(0.001, 999_999) | st.integers(1, 999_999)


def test_the_defaults_are_npm_partyservers():
    retry = RoutingRetry()
    assert (retry.max_attempts, retry.base_delay_ms, retry.max_delay_ms) == (3, 100, 800)
    assert retry.on_retry is None


def test_the_settings_are_keywords_only():
    with pytest.raises(TypeError):
        RoutingRetry(3)  # type: ignore[call-arg]


def test_the_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        RoutingRetry().max_attempts = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 100), (2, 200), (3, 400), (4, 800), (5, 800), (10_000, 800)]
)
def test_the_longest_wait_doubles_up_to_the_maximum(attempt, longest):
    retry = RoutingRetry(max_attempts=20_000)
    assert retry.delay_ms(attempt, 0.0) == 0
    assert retry.delay_ms(attempt, 0.5) == longest / 2
    assert retry.delay_ms(attempt, 0.999_999_999) == longest - 1


@given(milliseconds, milliseconds, st.integers(1, 10_000), fractions)
def test_every_wait_is_within_its_bounds(one, other, attempt, fraction):
    base, maximum = sorted([one, other])
    delay = RoutingRetry(base_delay_ms=base, max_delay_ms=maximum).delay_ms(attempt, fraction)
    assert type(delay) is int
    assert 0 <= delay <= maximum


@given(st.integers(1, 100), fractions)
def test_no_wait_is_shorter_than_that_of_the_attempt_before(attempt, fraction):
    retry = RoutingRetry()
    assert retry.delay_ms(attempt, fraction) <= retry.delay_ms(attempt + 1, fraction)


@pytest.mark.parametrize("max_attempts", [1, 2, 1000])
def test_max_attempts_can_be(max_attempts):
    assert RoutingRetry(max_attempts=max_attempts).max_attempts == max_attempts


@pytest.mark.parametrize("max_attempts", [0, -1, 3.0, True, "3", None, float("inf")])
def test_max_attempts_can_be_nothing_but_a_whole_number_from_1(max_attempts):
    with pytest.raises(ValueError, match=r"^max_attempts must be an int >= 1, not "):
        RoutingRetry(max_attempts=max_attempts)


@pytest.mark.parametrize("max_attempts", [10**9, 10**400])
def test_max_attempts_has_an_end(max_attempts):
    with pytest.raises(ValueError, match=r"^max_attempts must be less than 1,000,000,000$"):
        RoutingRetry(max_attempts=max_attempts)


@pytest.mark.parametrize("name", ["base_delay_ms", "max_delay_ms"])
@pytest.mark.parametrize(
    "value", [0, -1, -0.5, True, "100", None, 1j, float("nan"), float("inf"), 10**400]
)
def test_a_delay_can_be_nothing_but_a_positive_finite_number(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a number of milliseconds > 0, not "):
        RoutingRetry(**{name: value})


def test_the_first_delay_is_not_over_the_maximum():
    assert RoutingRetry(base_delay_ms=800, max_delay_ms=800)
    with pytest.raises(ValueError, match="base_delay_ms must not be more than max_delay_ms"):
        RoutingRetry(base_delay_ms=801)


def test_a_retry_event_says_what_is_tried_again():
    error = RuntimeError("lost")
    event = RetryEvent(error, 1, 3, 42, "lobby", "Chat")
    assert (event.error, event.attempt, event.max_attempts) == (error, 1, 3)
    assert (event.delay_ms, event.name, event.class_name) == (42, "lobby", "Chat")


# --- which errors ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "infrastructure", "retryable"),
    [
        ({}, False, False),
        ({"retryable": True}, True, True),
        ({"overloaded": True}, True, False),
        ({"retryable": True, "overloaded": True}, True, False),
        ({"retryable": False, "overloaded": False}, False, False),
        ({"retryable": True, "overloaded": False}, True, True),
        # Of an error of the user's own, which may have any attributes.
        ({"retryable": 1, "overloaded": "yes"}, False, False),
    ],
)
def test_only_what_the_platform_marks_is_its_failure(flags, infrastructure, retryable):
    error = SimpleNamespace(**flags)
    assert is_infrastructure(error) is infrastructure
    assert is_retryable(error) is retryable


# --- trying again ---------------------------------------------------------------------


class LostError(Exception):
    """As the platform's, which may be tried again."""

    retryable = True


class Attempts:
    """Calls that fail one after the other with what they are given, until one returns "done"."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.made = 0
        self.waits = []
        self.told = []

    async def operation(self):
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds):
        self.waits.append(seconds)

    async def tell(self, event):
        self.told.append((event, len(self.waits)))

    def run(self, retry):
        return asyncio.run(
            with_retries(
                self.operation,
                retry,
                name="lobby",
                class_name="Chat",
                sleep=self.sleep,
                random_fraction=lambda: 0.5,
                tell=self.tell,
            )
        )


@pytest.mark.parametrize("retry", [None, RoutingRetry()])
def test_what_succeeds_is_tried_once(retry):
    attempts = Attempts()
    assert attempts.run(retry) == "done"
    assert (attempts.made, attempts.waits) == (1, [])


def test_a_lost_request_is_tried_again_after_longer_and_longer_waits():
    attempts = Attempts(LostError(), LostError(), LostError())
    assert attempts.run(RoutingRetry(max_attempts=4)) == "done"
    assert (attempts.made, attempts.waits) == (4, [0.05, 0.1, 0.2])


def test_the_last_attempts_error_is_raised():
    first, last = LostError("first"), LostError("last")
    attempts = Attempts(first, last)
    with pytest.raises(LostError) as raised:
        attempts.run(RoutingRetry(max_attempts=2))
    assert raised.value is last
    assert (attempts.made, attempts.waits) == (2, [0.05])


def test_nothing_is_tried_again_where_retries_are_off():
    attempts = Attempts(LostError())
    with pytest.raises(LostError):
        attempts.run(None)
    assert (attempts.made, attempts.waits) == (1, [])


def test_a_failure_of_the_rooms_own_code_is_not_tried_again():
    attempts = Attempts(LostError(), ValueError("boom"))
    with pytest.raises(ValueError, match="boom"):
        attempts.run(RoutingRetry(max_attempts=5))
    assert attempts.made == 2


def test_each_retry_is_told_before_its_wait():
    errors = LostError("first"), LostError("second")
    attempts = Attempts(*errors)
    assert attempts.run(RoutingRetry()) == "done"
    assert attempts.told == [
        (RetryEvent(errors[0], 1, 3, 50, "lobby", "Chat"), 0),
        (RetryEvent(errors[1], 2, 3, 100, "lobby", "Chat"), 1),
    ]


def test_what_is_not_tried_again_is_not_told():
    attempts = Attempts(LostError(), ValueError("boom"))
    with pytest.raises(ValueError, match="boom"):
        attempts.run(RoutingRetry())
    assert [event.attempt for event, _ in attempts.told] == [1]


# --- whatever an agent tries ------------------------------------------------------------


def tried(fail_until, backoff, ask=lambda error, attempt: True):
    """What comes of an operation that fails before attempt `fail_until`, and what was done."""
    done: list = []

    async def operation(attempt):
        done.append(attempt)
        if attempt < fail_until:
            raise ValueError(f"failed {attempt}")
        return "succeeded"

    async def should_retry(error, next_attempt):
        done.append((str(error), next_attempt))
        return ask(error, next_attempt)

    async def sleep(seconds):
        done.append(seconds)

    work = retried(
        operation, backoff, sleep=sleep, random_fraction=lambda: 0.5, should_retry=should_retry
    )
    try:
        return asyncio.run(work), done
    except ValueError as error:
        return str(error), done


def test_what_succeeds_is_done_once():
    assert tried(1, Backoff()) == ("succeeded", [1])


def test_what_fails_is_tried_again_after_a_pause():
    assert tried(3, Backoff()) == (
        "succeeded",
        [1, ("failed 1", 2), 0.05, 2, ("failed 2", 3), 0.1, 3],
    )


def test_the_last_error_comes_out():
    error, done = tried(9, Backoff(max_attempts=2))
    assert error == "failed 2"
    assert done == [1, ("failed 1", 2), 0.05, 2]


def test_who_calls_may_give_up_early():
    error, done = tried(9, Backoff(), lambda error, attempt: False)
    assert error == "failed 1"
    assert done == [1, ("failed 1", 2)]
