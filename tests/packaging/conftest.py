import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from .. import progress

ROOT = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs a command with the checkout's Node packages first in PATH."""
    env = os.environ | {
        "PATH": os.pathsep.join([str(ROOT / "node_modules/.bin"), os.environ["PATH"]]),
        "WRANGLER_SEND_METRICS": "false",
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    }

    def run(*command: str | Path, cwd: Path = ROOT, check: bool = True):
        done = progress.run(command, cwd=cwd, env=env)
        if check and done.returncode:
            pytest.fail(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    return run


@pytest.fixture
def new_project(run: Run, distributions: Path, tmp_path: Path) -> Path:
    """A folder with what `pip install partyserver[testing]` and `npm install wrangler` bring."""
    equip(tmp_path, run, distributions)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nparty_pyodide_bundle = {BUNDLE}\n")
    return tmp_path


#: The runtime's Python, which it would download.
BUNDLE = ROOT / ".cache/pyodide-bundle-compiled"


def equip(folder: Path, run: Run, distributions: Path) -> None:
    """Give a folder an environment, python_modules and node_modules.

    The library is the built wheel, in an environment of its own and in python_modules. What others
    have made is taken from the checkout, to need no network.
    """
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    wheels = ("--no-index", "--find-links", distributions, "--find-links", ROOT / ".cache/wheels")
    run(sys.executable, "-m", "venv", "--without-pip", folder / ".venv")
    python = folder / ".venv/bin/python"
    run(*pip, "--python", python, "install", "--no-deps", *wheels, "partyserver")
    # As a path, which leaves the checkout's editable library behind.
    [packages] = folder.glob(".venv/lib/python*/site-packages")
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    run(*pip, "install", *wheels, "--target", folder / "python_modules", "partyserver")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


@pytest.fixture(scope="session")
def distributions(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out)
    return out
