"""PartyKit's tests run worker.py on the real runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..chromium import browser, open_page

__all__ = ["browser", "open_page", "party_config"]


@pytest.fixture
def party_config():
    return Path(__file__).parent / "wrangler.toml"
