"""The model is held against the worker of the contract tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def party_config():
    return Path(__file__).parents[1] / "worker" / "wrangler.toml"
