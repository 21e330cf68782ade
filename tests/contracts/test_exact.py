"""What comes by the shortcuts is exactly what comes by the runtime's own ways."""

from __future__ import annotations

import pytest


@pytest.fixture
def differences(party):
    return lambda what, seed: party.room("Storing", "exact").fetch(f"/{what}?{seed}").json()


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_the_same(differences, seed):
    assert differences("rows", seed) == []


@pytest.mark.parametrize("seed", range(4))
def test_arguments_of_calls_are_the_same(differences, seed):
    assert differences("calls", seed) == []
