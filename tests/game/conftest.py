"""The tests of fixtures/game, on the real runtime, and in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..chromium import OpenPage, browser, open_page

__all__ = ["OpenPage", "browser", "open_page"]

FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "game"


@pytest.fixture
def party_config() -> Path:
    return FIXTURE / "wrangler.toml"
