"""The tests of documents run tests/yjs/worker on the real runtime."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "wrangler.toml"

collect_ignore = ["python_modules", "worker"]
if "YJS_CLIENTS" not in os.environ:
    # Issue 20, 2026-11-27: those of a restarted room do not always come to an end.
    collect_ignore += ["test_lives.py", "test_presence.py", "test_providers.py"]


@pytest.fixture
def party_config():
    return WORKER


@pytest.fixture(params=["", "Sleepy"], ids=["in memory", "hibernating"])
def mode(request):
    return request.param


@pytest.fixture
def room(party, mode):
    return party.room(f"Notes{mode}", "lobby")
