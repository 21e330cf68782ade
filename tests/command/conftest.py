import os
import subprocess
import sys

import pytest

from .running import NODE_MODULES


@pytest.fixture
def wrangler():
    """Runs the checkout's wrangler, with this Python's `partyserver` in the PATH."""
    folders = [str(NODE_MODULES / ".bin"), os.path.dirname(sys.executable), os.environ["PATH"]]
    env = os.environ | {
        "PATH": os.pathsep.join(folders),
        "WRANGLER_SEND_METRICS": "false",
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    }

    def run(*arguments, cwd):
        done = subprocess.run(
            ["wrangler", *map(str, arguments)],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
