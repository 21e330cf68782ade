"""What a worker's build command brings beside it is the same whoever calls it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from partyserver.testing.installed import find_node

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", [".", "fixtures/notes"])
def test_nothing_is_written_again(folder: str) -> None:
    """It would change under whoever is served it, and wrangler would reload for ever."""
    command = [str(find_node([ROOT])), str(ROOT / "tools" / "vendor.mjs")]
    done = subprocess.run(command, cwd=ROOT / folder, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
