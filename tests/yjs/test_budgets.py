"""How many bytes one connection is told."""

from partyserver.yjs.budgets import AT_ONCE, PER_SECOND, SMALL, Budget


def test_small_answers_cost_nothing():
    budget = Budget(5.0)
    for _ in range(10_000):
        budget.pay(SMALL)
    assert budget.is_left(5.0)


def test_who_was_told_much_waits_until_it_has_come_back():
    budget = Budget(5.0)
    budget.pay(AT_ONCE - 1)
    assert budget.is_left(5.0)
    budget.pay(2 * PER_SECOND)
    assert not budget.is_left(5.0)
    assert not budget.is_left(4.0)  # a clock was set back
    assert not budget.is_left(5.9)
    assert budget.is_left(6.1)


def test_no_more_is_saved_up_than_is_told_at_once():
    budget = Budget(0.0)
    assert budget.is_left(1e9)
    budget.pay(AT_ONCE)
    assert not budget.is_left(1e9)
