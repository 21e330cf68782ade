"""The tests of agents run tests/agents/worker on the real runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "wrangler.toml"

collect_ignore = ["python_modules", "worker"]


@pytest.fixture
def party_config():
    return WORKER
