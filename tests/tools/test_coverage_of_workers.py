"""What a worker executes of the library is told, and changes nothing else for its tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.coverage import tests

from ..testing.conftest import Project, project

__all__ = ["project"]

LIBRARY = """\
def answer(loud):
    if loud:
        return "HELLO"
    return "hello"


def never():
    return "never"


lengths = [len(text) for text in ("a", "bb")]
"""

WORKER = '''\
"""A worker with a docstring."""

from __future__ import annotations  # and a comment

import partyserver
from workers import DurableObject, Response, WorkerEntrypoint


class EchoRoom(DurableObject):
    pass


class MemoryRoom(DurableObject):
    pass


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "fail" in request.url:
            raise ValueError("on line 20")
        return Response(partyserver.answer(loud="loud" in request.url))
'''

SESSION = """\
import sys


def test_quiet_and_then_loud_in_another_life(party):
    assert party.fetch("/").text == "hello"
    party.restart()
    assert party.fetch("/loud").text == "HELLO"
    assert len(party.logs) == 0


def test_the_lines_of_the_worker_are_where_they_were(party):
    party.fetch("/fail")
    assert 'worker.py", line 20' in party.logs.wait_for("ValueError: on line 20").message
"""


@pytest.fixture
def measured(project: Project, capfd: pytest.CaptureFixture[str]) -> dict[str, set[int]]:
    """The lines of each file that were executed in the session above."""
    library = project.folder / "python_modules" / "partyserver" / "__init__.py"
    library.parent.mkdir()
    library.write_text(LIBRARY)
    project.write(worker=WORKER, test_it=SESSION)
    status = tests.run(project.folder, ["-q", "-p", "no:cacheprovider"])
    assert status == 0, capfd.readouterr().out
    records = (project.folder / ".cache" / "coverage").glob("worker-*.txt")
    return tests.executed_lines(path.read_text() for path in records)


def test_the_lines_that_were_executed_in_any_life_are_told_and_no_others(measured):
    assert measured["__init__.py"] == {1, 2, 3, 4, 7, 11}
    assert measured["testing/probe.py"]


# --- the table ------------------------------------------------------------------------


def test_a_line_counts_once_whichever_worker_told_it():
    told = ["server.py:1 server.py:2\nasgi/reply.py:7\n", "server.py:2\n", ""]
    assert tests.executed_lines(told) == {"server.py": {1, 2}, "asgi/reply.py": {7}}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "partyserver"
    for name in (
        *("server", "rules/names", "asgi/reply", "testing/party", "testing/probe"),
        *("__main__", "command/types", "command/typescript", "testing/matching"),
        *("project/installed", "load/client", "load/schedule", "hosting/data", "project/errors"),
    ):
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a = 1\nb = 2\nc = 3\nd = 4\n")
    return package


def test_each_module_but_the_rules_and_the_command_is_in_the_part_where_it_runs(package):
    assert tests.parts(package) == {
        "workers": ["asgi/reply.py", "server.py", "testing/probe.py"],
        "kit": ["project/installed.py", "testing/party.py"],
    }


def test_what_was_never_executed_counts_in_the_total(package, capsys):
    root = package.parents[1]
    records = root / ".cache" / "coverage" / "worker-1.txt"
    records.parent.mkdir(parents=True)
    records.write_text("server.py:1 server.py:2 server.py:4 testing/probe.py:1\n")
    assert tests.report(root) == {"workers": pytest.approx(100 * 4 / 12), "kit": 0}
    [server] = [line for line in capsys.readouterr().out.splitlines() if "server.py" in line]
    assert server.split()[-4:] == ["4", "1", "75%", "3"]


@pytest.mark.parametrize(
    ("percent", "wrong"),
    [
        (90.0, []),
        (100.0, []),
        (89.994, ["kit: the tests execute 89.99% of the lines, and the floor is 90.0%"]),
    ],
)
def test_what_is_below_its_floor_is_named(percent, wrong):
    totals = {"workers": 95.0, "kit": percent}
    assert tests.below({"workers": 95.0, "kit": 90.0}, totals) == wrong
