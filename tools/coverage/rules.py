"""Each rule is measured by its own test module alone, and all of it has to be run.

The test modules share a process or a few: with one for each, most of the time would go to starts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import coverage

from . import contexts

#: Other modules of plain Python that are held to the same, and their test modules.
ALSO = {
    "command/typescript.py": "tests/command/test_typescript.py",
    "hosting/capnp.py": "tests/hosting/test_capnp.py",
    "hosting/keys.py": "tests/hosting/test_wrangler.py",
    "hosting/plan.py": "tests/hosting/test_plan.py",
    "hosting/secrets.py": "tests/hosting/test_secrets.py",
    "hosting/signing.py": "tests/hosting/test_signing.py",
    "hosting/watchdog.py": "tests/hosting/test_watchdog.py",
    "load/accounts.py": "tests/loading/test_accounts.py",
    "load/addresses.py": "tests/loading/test_addresses.py",
    "load/files.py": "tests/loading/test_files.py",
    "load/payloads.py": "tests/loading/test_payloads.py",
    "load/report.py": "tests/loading/test_report.py",
    "load/samples.py": "tests/loading/test_samples.py",
    "load/schedule.py": "tests/loading/test_schedule.py",
    "testing/matching.py": "tests/testing/test_matching.py",
    "testing/readable.py": "tests/testing/test_readable.py",
    "yjs/bounds.py": "tests/yjs/test_bounds.py",
    "yjs/budgets.py": "tests/yjs/test_budgets.py",
    "yjs/coding.py": "tests/yjs/test_coding.py",
    "yjs/coverage.py": "tests/yjs/test_coverage.py",
    "yjs/pieces.py": "tests/yjs/test_pieces.py",
    "yjs/ranges.py": "tests/yjs/test_ranges.py",
    "yjs/store.py": "tests/yjs/test_store.py",
    "yjs/structs.py": "tests/yjs/test_structs.py",
    "yjs/updates.py": "tests/yjs/test_updates.py",
}


def find(package: Path) -> list[Path]:
    """The modules of the package that are rules, and the others that are tested as they are."""
    folder = package / "rules"
    found = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    return [*found, *(package / name for name in ALSO if (package / name).exists())]


def check(root: Path, processes: int = os.cpu_count() or 1) -> list[str]:
    """What is wrong with the coverage of the rules, a line or more for each of them."""
    rules = find(root / "src" / "partyserver")
    tests = {rule: _test_of(root, rule) for rule in rules}
    lacking = [rule for rule in rules if not tests[rule].exists()]
    there = [rule for rule in rules if rule not in lacking]
    groups = [group for index in range(processes) if (group := there[index::processes])]
    with ThreadPoolExecutor() as pool:
        found = pool.map(
            lambda group: _measure(root, {rule: tests[rule] for rule in group}), groups
        )
        return [
            *(
                f"{_name(root, rule)} has no test module {_name(root, tests[rule])}"
                for rule in lacking
            ),
            *(line for lines in found for line in lines),
        ]


def _test_of(root: Path, rule: Path) -> Path:
    name = rule.relative_to(root / "src" / "partyserver").as_posix()
    return root / ALSO.get(name, f"tests/rules/test_{rule.stem}.py")


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _module(root: Path, rule: Path) -> str:
    return ".".join(rule.relative_to(root / "src").with_suffix("").parts)


def _measure(root: Path, tests: Mapping[Path, Path]) -> list[str]:
    """Run these tests in one process, and see for each rule what its own has run."""
    with tempfile.TemporaryDirectory() as folder:
        data, report = Path(folder, "data"), Path(folder, "report.json")
        # No configuration: what counts is the same on every machine, and for every rule.
        options = [f"--data-file={data}", f"--rcfile={os.devnull}", "--branch"]
        include = f"--include={','.join(map(str, tests))}"
        modules = sorted({_name(root, test) for test in tests.values()})
        plugins = ["-p", "no:cacheprovider", "-p", "tools.coverage.contexts"]
        command = [sys.executable, "-m", "coverage", "run", *options, include]
        tested = subprocess.run(
            [*command, "-m", "pytest", "-q", *plugins, *modules],
            cwd=root,
            env=os.environ
            | {
                "PYTHONPATH": str(Path(__file__).parents[2]),
                contexts.VARIABLE: " ".join(_module(root, rule) for rule in tests),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if tested.returncode:
            return ["tests of the rules fail:", *tested.stdout.splitlines()]
        measured = coverage.Coverage(data_file=data, config_file=False)
        measured.load()
        known = measured.get_data().measured_files()
        lines = []
        for rule, test in tests.items():
            files: dict[str, Any] = {}
            if str(rule) in known:  # else nothing at all was run
                # The import of the rule is under no name.
                own = ["^$", f"^{re.escape(_name(root, test))}$"]
                measured.json_report([str(rule)], outfile=str(report), contexts=own)
                [found] = json.loads(report.read_text())["files"].values()
                files = {_name(root, rule): found}
            lines += gaps(_name(root, rule), _name(root, test), files)
        return lines


def gaps(rule: str, test: str, files: Mapping[str, Any]) -> list[str]:
    """What of a rule its test does not run, from the `files` of coverage.py's JSON report."""
    if rule not in files:
        return [f"{rule}: {test} does not run it at all"]
    found = files[rule]
    return [
        *(f"{rule}:{line}: {test} does not run it" for line in found["missing_lines"]),
        *(
            f"{rule}:{line}: {test} does not go from here "
            + (f"to line {target}" if target > 0 else "to the end of the function")
            for line, target in found["missing_branches"]
            # What is not run at all was named above.
            if line not in found["missing_lines"] and target not in found["missing_lines"]
        ),
    ]
