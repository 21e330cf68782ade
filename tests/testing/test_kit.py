"""The kit on the real runtime, with a worker that does not use partyserver."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .conftest import Project

PASSING = Path(__file__).with_name("project") / "kit.py"


def test_the_kit_keeps_its_promises(project: Project) -> None:
    shutil.copy(PASSING, project.folder / "test_kit.py")
    result = project.run("-v")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(
        r"partyserver: the worker of \S+ started in \d+\.\d s \(wrangler ", result.stdout
    )


def test_a_failing_test_shows_the_workers_log(project: Project) -> None:
    project.write(
        test_it="def test_it(party):\n    party.room('Echo', 'a').fetch('/print')\n    assert 0\n"
    )
    output = project.run("-q").stdout
    assert "Log of the worker" in output
    assert "printed by the room" in output
    assert "partyserver: the worker of" not in output


def test_a_crash_of_the_runtime_fails_one_test_and_is_told(project: Project) -> None:
    project.write(
        test_it="""
def test_it(party):
    room = party.room("Echo", "a")
    room.fetch("/")
    with room.connect() as socket:
        socket.send("crash")
        socket.receive()

def test_again(party):
    assert party.room("Echo", "a").fetch("/").json() == ["fetch"]
"""
    )
    result = project.run("-q")
    assert "1 failed, 1 passed" in result.stdout, result.stdout
    assert "SocketClosedError: the socket is closed: code 1006" in result.stdout
    assert "The Workers runtime crashed" in result.stdout


def test_a_fixture_chooses_another_worker(project: Project) -> None:
    other = project.folder / "other"
    shutil.copytree(project.folder, other, symlinks=True)
    config = other / "wrangler.toml"
    config.write_text(config.read_text().replace('FROM_CONFIG = "config"', 'FROM_CONFIG = "other"'))
    test = """
import pathlib, pytest

class TestFirst:
    def test_it(self, party):
        assert party.room("Echo", "a").fetch("/vars").json()[0] == "config"

class TestOther:
    @pytest.fixture
    def party_config(self):
        return pathlib.Path("other/wrangler.toml")

    def test_it(self, party):
        assert party.room("Echo", "a").fetch("/vars").json()[0] == "other"
"""
    project.write(test_it=test)
    result = project.run("-q")
    assert "2 passed" in result.stdout, result.stdout + result.stderr
