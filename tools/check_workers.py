"""mypy over the workers of the checkout, one run for each folder of them.

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


def workers() -> list[list[Path]]:
    """The modules of each worker that is in Python, its folder's if the tests are not there too."""
    found = [sorted((ROOT / "bench" / "variants").glob("*.py"))]
    configs = [ROOT / "wrangler.toml"]
    for folder in ("fixtures", "tests"):
        configs += sorted((ROOT / folder).rglob("wrangler.toml"))
    for config in configs:
        main = config.parent / tomllib.loads(config.read_text())["main"]
        if main.suffix == ".py":
            is_among_tests = (main.parent / "__init__.py").exists()
            found.append([main] if is_among_tests else sorted(main.parent.glob("*.py")))
    return found


def main() -> int:
    failed = False
    for modules in workers():
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mypy", "--config-file", CONFIG, "--no-error-summary"),
                *(path.relative_to(ROOT) for path in modules),
            ],
            cwd=ROOT,
            env=os.environ | {"MYPYPATH": str(modules[0].parent)},
        )
        failed = failed or done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
