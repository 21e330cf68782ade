"""The tests of documents run tests/yjs/worker on the real runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "wrangler.toml"

collect_ignore = ["python_modules", "worker"]


@pytest.fixture
def party_config():
    return WORKER


@pytest.fixture(params=["", "Sleepy"], ids=["in memory", "hibernating"])
def mode(request):
    return request.param


@pytest.fixture
def room(party, mode):
    return party.room(f"Notes{mode}", "lobby")
