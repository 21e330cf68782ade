"""The command, run as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "node_modules"


def command(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "partyserver", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


def refused(done):
    """What is said on stderr by a command that has failed and printed nothing."""
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr
