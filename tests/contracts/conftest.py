"""The contract tests run tests/worker/ on the real runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

WORKER = Path(__file__).parent.parent / "worker" / "wrangler.toml"


@pytest.fixture
def party_config():
    return WORKER


@pytest.fixture(params=["in memory", "hibernating"])
def mode(request):
    return request.param


@pytest.fixture
def binding(mode):
    """The name of a class's binding in this mode: `binding("Scripted")`."""
    return lambda name: name if mode == "in memory" else f"{name}Sleepy"


@pytest.fixture
def evict(mode):
    """Evict a room between two events; in memory, where sockets do not outlive it, do nothing."""

    def evict(room):
        if mode == "hibernating":
            room.hibernate()

    return evict
