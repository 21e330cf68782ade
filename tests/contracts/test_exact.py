"""What comes by the shortcuts is exactly what comes by the runtime's own ways."""

from __future__ import annotations

import pytest


@pytest.fixture
def differences(party):
    return lambda what, seed="": party.room("Storing", "exact").fetch(f"/{what}?{seed}").json()


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_the_same(differences, seed):
    assert differences("rows", seed) == []


@pytest.mark.parametrize("seed", range(4))
def test_arguments_of_calls_are_the_same(differences, seed):
    assert differences("calls", seed) == []


def test_responses_are_the_same(differences):
    assert differences("responses") == []


def test_rows_come_by_the_shortcut(differences, pytestconfig):
    is_off = "PARTYSERVER_SHORTCUTS=off" in pytestconfig.getini("party_vars")
    assert differences("ways") == (None if is_off else ["first", "lists", "objects"])


def test_what_follows_a_promise_can_suspend_and_leaves_others_their_turns(differences):
    assert differences("turns") == [[True, True], True, 5]
