"""Runs pytest, with the kit, on a small project in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..progress import run

REPOSITORY = Path(__file__).parents[2]
#: Many projects are started once, and would leave no room for the workers of other tests.
SNAPSHOTS = REPOSITORY / ".cache" / "snapshots-of-projects"
BUNDLE = REPOSITORY / ".cache" / "pyodide-bundle-compiled"


@dataclass(frozen=True)
class Project:
    folder: Path

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    def command(self, *arguments: str) -> list[str]:
        plugin = ("-p", "partyserver.testing.plugin", "-p", "no:cacheprovider")
        return [sys.executable, "-m", "pytest", *plugin, "--noconftest", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        environment = os.environ | {
            "PYTHONPATH": str(REPOSITORY / "src"),
            # The plugin is named on the command line: it may be installed here or not.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
            "PARTYSERVER_SNAPSHOTS_KEPT": "8",
        }
        if measured := os.environ.get("PARTYSERVER_COVERAGE"):  # by `make coverage`
            environment["COVERAGE_PROCESS_START"] = str(Path(measured, "settings.ini"))
        return environment

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run(self.command(*arguments), cwd=self.folder, env=self.environment | environment)

    @contextlib.contextmanager
    def start(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A session to read from and to interrupt."""
        with subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # What runs in the background of a shell ignores it, and so do all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as session:
            try:
                yield session
            except BaseException:
                session.kill()  # a test that fails does not wait for its end
                raise

    def use_partyserver(self) -> None:
        """Vendor the library itself, which the worker of the project does without."""
        shutil.copytree(
            REPOSITORY / "src" / "partyserver",
            self.folder / "python_modules" / "partyserver",
            ignore=shutil.ignore_patterns("testing", "__pycache__"),
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    source = Path(__file__).with_name("project")
    for name in ("worker.py", "wrangler.toml"):
        shutil.copy(source / name, tmp_path)
    shutil.copytree(
        REPOSITORY / ".cache" / "sdk",
        tmp_path / "python_modules",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "node_modules").symlink_to(REPOSITORY / "node_modules")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\n"
        "filterwarnings = error\n"
        "party_timeout = 60\n"
        f"party_pyodide_bundle = {BUNDLE}\n"
        f"party_snapshots = {SNAPSHOTS}\n"
        "party_vars =\n    FROM_INI=from the ini file\n"
    )
    return Project(tmp_path)
