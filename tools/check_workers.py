"""mypy over every worker of the checkout, one run for each.

    .venv/bin/python tools/check_workers.py

A worker imports its own modules by their bare names, and `worker`, `main`, `calls` and `checks`
are such names of several workers: one run over all could tell them apart no more than Python can.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "tools" / "mypy-workers.ini"


def workers() -> list[Path]:
    """The main modules, in Python, of what has a wrangler config."""
    configs = [ROOT / "wrangler.toml"]
    for folder in ("fixtures", "tests"):
        configs += sorted((ROOT / folder).rglob("wrangler.toml"))
    mains = [config.parent / tomllib.loads(config.read_text())["main"] for config in configs]
    return [main for main in mains if main.suffix == ".py"]


def modules(main: Path) -> list[Path]:
    """What to check: the worker's folder, unless the tests are in there too."""
    folder = main.parent
    return [main] if (folder / "__init__.py").exists() else sorted(folder.glob("*.py"))


def main() -> int:
    failed = False
    for worker in workers():
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mypy", "--config-file", CONFIG, "--no-error-summary"),
                *(path.relative_to(ROOT) for path in modules(worker)),
            ],
            cwd=ROOT,
            env=os.environ | {"MYPYPATH": str(worker.parent)},
        )
        failed = failed or done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
