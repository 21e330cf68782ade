"""The contract tests run tests/worker/ on the real runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

WORKER = Path(__file__).parent.parent / "worker" / "wrangler.toml"


@pytest.fixture
def party_config():
    return WORKER
