"""The tests run as by `make test`, and what they execute of the library is counted in lines."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import coverage

from . import rules

#: Percent of lines that all tests together execute: a little under what was measured last.
FLOORS = {"workers": 96.0, "kit": 94.0}

#: What runs outside of the worker, and beside the tests.
APART = ("command/", "hosting/", "load/", "project/errors")

_PRELOAD = Path(__file__).with_name("preload.cjs")


def run(root: Path, arguments: Sequence[str]) -> int:
    """Run pytest with these arguments; its exit status."""
    data, package = _data(root), root / "src" / "partyserver"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    settings = data / "settings.ini"
    # For the sessions of the kit's own tests, which take it from the environment (see `environment`
    # in tests/testing/conftest.py). To trace all tests would cost some 7%.
    settings.write_text(
        f"[run]\nsource =\n    {package / 'testing'}\n    {package / 'project'}\n"
        f"data_file = {data / 'kit'}\nparallel = true\n"
    )
    options = [os.environ.get("NODE_OPTIONS", ""), f"--require={json.dumps(str(_PRELOAD))}"]
    environment = os.environ | {
        "NODE_OPTIONS": " ".join(filter(None, options)),
        "PARTYSERVER_COVERAGE": str(data),
        # A worker from an earlier run's start-up snapshot would not tell of its imports again.
        "PARTYSERVER_COVERAGE_RUN": secrets.token_hex(8),
    }
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=root, env=environment).returncode


def report(root: Path) -> dict[str, float]:
    """Print what was executed of each module; the percentage of each part that has a floor."""
    package = root / "src" / "partyserver"
    measured = coverage.Coverage(config_file=False, data_file=None)
    measured.combine(map(str, _data(root).glob("kit.*")), keep=True)
    told = (path.read_text() for path in sorted(_data(root).glob("worker-*.txt")))
    lines = executed_lines(told)
    data = measured.get_data()
    data.add_lines({str(package / name): found for name, found in lines.items()})
    totals = {}
    for part, names in parts(package).items():
        files = [str(package / name) for name in names]
        data.touch_files(files)  # those of which nothing was executed are in the table, too
        print(f"\n{part}\n")
        totals[part] = measured.report(files, show_missing=True)
    return totals


def _data(root: Path) -> Path:
    return root / ".cache" / "coverage"


def parts(package: Path) -> dict[str, list[str]]:
    """The modules of the package by where they run, but for the rules and what is `APART`.

    Most tests of those run them in a process of its own, where nothing is traced.
    """
    found = sorted(set(package.rglob("*.py")) - set(rules.find(package)))
    names = [path.relative_to(package).as_posix() for path in found]
    names = [name for name in names if not name.startswith((*APART, "__main__"))]
    kit = [
        # The probe is what the kit adds to a worker.
        name
        for name in names
        if name.startswith(("testing/", "project/")) and name != "testing/probe.py"
    ]
    return {"workers": [name for name in names if name not in kit], "kit": kit}


def executed_lines(told: Iterable[str]) -> dict[str, set[int]]:
    """The lines of each file, from what collector.py has told: words such as `server.py:12`."""
    lines: dict[str, set[int]] = {}
    for word in " ".join(told).split():
        name, _, line = word.rpartition(":")
        lines.setdefault(name, set()).add(int(line))
    return lines


def below(floors: Mapping[str, float], totals: Mapping[str, float]) -> list[str]:
    """What is wrong with these percentages."""
    return [
        f"{part}: the tests execute {totals[part]:.2f}% of the lines, and the floor is {floor}%"
        for part, floor in floors.items()
        if totals[part] < floor
    ]
