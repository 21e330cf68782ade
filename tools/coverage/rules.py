"""Each rule is measured by its own test module alone, and all of it has to be run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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


def check(root: Path) -> list[str]:
    """What is wrong with the coverage of the rules, a line or more for each of them."""
    rules = find(root / "src" / "partyserver")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [
            line for wrong in pool.map(lambda rule: _check(root, rule), rules) for line in wrong
        ]


def _check(root: Path, rule: Path) -> list[str]:
    name = rule.relative_to(root / "src" / "partyserver").as_posix()
    test = root / ALSO.get(name, f"tests/rules/test_{rule.stem}.py")
    name, test_name = (path.relative_to(root).as_posix() for path in (rule, test))
    if not test.exists():
        return [f"{name} has no test module {test_name}"]
    with tempfile.TemporaryDirectory() as folder:
        # No configuration: what counts is the same on every machine, and for every rule.
        common = [f"--data-file={folder}/data", f"--rcfile={os.devnull}"]
        run = [*common, "--branch", f"--include={rule}", "-m", "pytest", "-q", test_name]
        tested = _coverage(root, "run", *run, "-p", "no:cacheprovider")
        if tested.returncode:
            return [f"{test_name} fails:", *tested.stdout.splitlines()]
        _coverage(root, "json", *common, "-o", f"{folder}/report.json")
        report = Path(folder, "report.json")
        # Where nothing at all was run, there is no report.
        files = json.loads(report.read_text())["files"] if report.exists() else {}
    return gaps(name, test_name, files)


def _coverage(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


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
