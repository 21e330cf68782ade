"""The suite's own limit: a command may be slow, and may not be silent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ..progress import await_end, run


def test_a_slow_command_is_let_to_its_end(tmp_path: Path) -> None:
    slow = "import sys, time\nfor _ in range(6): print('x', end='', flush=True); time.sleep(0.5)"
    done = run([sys.executable, "-c", f"{slow}\nsys.exit('said')"], cwd=tmp_path, silence=2)
    assert (done.returncode, done.stdout, done.stderr) == (1, "xxxxxx", "said\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_silent_one_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    silent = "import os, time\nif child := os.fork(): print(child, flush=True)\ntime.sleep(600)"
    with pytest.raises(TimeoutError, match=r"said for 3 s; before that:\n\d+") as caught:
        run([sys.executable, "-c", silent], cwd=tmp_path, silence=3)
    await_end([int(str(caught.value).splitlines()[1])])
