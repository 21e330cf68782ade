"""One runtime with two workers: npm partyserver in JavaScript, and this library in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..chromium import browser, open_page

__all__ = ["browser", "open_page"]

HERE = Path(__file__).parent


@pytest.fixture
def party_config():
    return [HERE / "javascript" / "wrangler.toml", HERE / "python" / "wrangler.toml"]
