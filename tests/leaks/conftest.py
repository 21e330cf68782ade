"""The leak tests run a worker of their own, whose isolate nobody else fills."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def party_config(monkeypatch):
    # For Miniflare, which hands it on: the worker's `js.gc()`.
    monkeypatch.setenv("MINIFLARE_WORKERD_V8_FLAGS", "--expose-gc")
    return Path(__file__).with_name("wrangler.toml")
