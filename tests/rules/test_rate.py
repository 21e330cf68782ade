from types import MappingProxyType

import pytest
from partyserver.rules.rate import Allowance, Rate, RateLimit, check_rate


@pytest.mark.parametrize(
    "rate",
    [
        None,
        {"messages": 20},
        {"messages": 0.5, "per": 60, "burst": 1, "action": "drop"},
        MappingProxyType({"messages": 1, "action": "close"}),
    ],
)
def test_a_rate_can_be(rate):
    assert check_rate(rate) is None


@pytest.mark.parametrize(
    ("rate", "problem"),
    [
        (20, "must be None or a dict"),
        ([("messages", 1)], "must be None or a dict"),
        ({}, "needs 'messages'"),
        ({"messages": 1, "message": 1}, "has no key 'message'; its keys are"),
        ({"messages": 0}, "has a 'messages' that must be a number over 0"),
        ({"messages": True}, "has a 'messages'"),
        ({"messages": float("inf")}, "has a 'messages'"),
        ({"messages": float("nan")}, "has a 'messages'"),
        ({"messages": "20"}, "has a 'messages'"),
        ({"messages": 10**400}, "has a 'messages'"),
        ({"messages": 1, "burst": 10**400}, "has a 'burst'"),
        ({"messages": 1, "per": 0}, "has a 'per'"),
        ({"messages": 1, "per": None}, "has a 'per'"),
        ({"messages": 1, "burst": 0}, "has a 'burst' that must be a whole number"),
        ({"messages": 1, "burst": 1.5}, "has a 'burst'"),
        ({"messages": 1, "action": "ban"}, "has an 'action' that must be 'close' or 'drop'"),
    ],
)
def test_what_is_wrong_with_a_rate_is_told(rate, problem):
    assert check_rate(rate).startswith(problem)


def test_every_key_of_a_rate_is_documented():
    assert all(f"{key}:" in RateLimit.__doc__ for key in RateLimit.__annotations__)


def test_a_burst_may_come_at_once_and_then_so_many_in_a_time():
    rate = Rate({"messages": 2, "per": 1.0, "burst": 4})
    allowance = Allowance(rate, 100.0)
    assert [allowance.take(rate, 100.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert [allowance.take(rate, 100.5) for _ in range(2)] == [True, False]
    assert [allowance.take(rate, 101.5) for _ in range(3)] == [True, True, False]
    assert [allowance.take(rate, 900.0) for _ in range(5)] == [True] * 4 + [False]


def test_the_burst_is_as_many_as_the_messages_if_it_is_not_given():
    assert Rate({"messages": 20}).burst == 20
    assert Rate({"messages": 0.1}).burst == 1
    assert Rate({"messages": 20}).closes
    assert not Rate({"messages": 20, "action": "drop"}).closes


def test_a_clock_that_is_set_back_gives_nothing():
    rate = Rate({"messages": 1, "per": 1.0})
    allowance = Allowance(rate, 100.0)
    assert allowance.take(rate, 100.0)
    assert not allowance.take(rate, 50.0)
    assert allowance.take(rate, 51.0)
