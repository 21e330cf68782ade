"""The recipes of docs/pages/recipes, all in one worker on the real runtime.

The modules of worker/ and the tests are what the pages show, so they are written as a reader's own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

collect_ignore = ["python_modules", "worker"]


@pytest.fixture
def party_config() -> Path:
    return Path(__file__).parent / "wrangler.toml"
