"""However a session ends, nothing of it keeps running."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from ..progress import await_end
from .conftest import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

WAITS = """
import time

def test_it(party):
    print("running", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running(project: Project, how: signal.Signals) -> None:
    project.write(test_it=WAITS)
    with project.start("-s", "-q") as session:
        assert session.stdout
        for line in session.stdout:
            if "running" in line:
                break
        started = descendants(session.pid)
        assert len(started) >= 2, "node and the runtime"
        session.send_signal(how)
        session.wait(120)
    await_end(started)


def test_a_failing_session_leaves_nothing_running(project: Project) -> None:
    project.write(
        test_it="""
def test_it(party):
    print("leader", party._runtime._process.pid)
    party.room("Echo", "a").connect()
    assert 0
"""
    )
    output = project.run("-q").stdout
    assert "1 failed" in output
    with pytest.raises(ProcessLookupError):
        os.killpg(int(output.partition("leader ")[2].split()[0]), 0)


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found
