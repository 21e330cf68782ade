"""mypy and pyright over the workers of the checkout; mypy has one run for each folder of them.

    .venv/bin/python tools/check_workers.py

A worker imports its own modules by their bare names, and `worker`, `main`, `calls` and `checks`
are such names of several workers: one run over all could tell them apart no more than Python can.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
FOLDER = ROOT / ".cache" / "workers"


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


def mypy(modules: list[Path]) -> bool:
    """Whether mypy finds nothing in the modules of one folder; in fixtures it is strict."""
    kind = "fixtures" if modules[0].is_relative_to(FIXTURES) else "workers"
    config = ROOT / "tools" / f"mypy-{kind}.ini"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", config, "--no-error-summary"),
            *(path.relative_to(ROOT) for path in modules),
        ],
        cwd=ROOT,
        env=os.environ | {"MYPYPATH": str(modules[0].parent)},
    )
    return done.returncode == 0


def pyright(modules: list[Path]) -> bool:
    """Whether pyright finds nothing, which gives hooks' parameters the types of the base's."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    roots = sorted({os.path.relpath(path.parent, FOLDER) for path in modules})
    config = FOLDER / "pyrightconfig.json"
    config.write_text(
        json.dumps(
            {
                "extends": os.path.relpath(ROOT / "tools" / "pyright.json", FOLDER),
                "include": [os.path.relpath(path, FOLDER) for path in modules],
                "executionEnvironments": [{"root": root} for root in roots],
                # As mypy's `strict_optional = False`.
                "reportOptionalMemberAccess": False,
                "reportOptionalSubscript": False,
                # mypy's task: here the types that bodies return would count.
                "reportIncompatibleMethodOverride": False,
            }
        )
    )
    program = ROOT / "node_modules" / ".bin" / "pyright"
    return subprocess.run([program, "--project", str(config)]).returncode == 0


def main() -> int:
    folders = workers()
    passed = [mypy(modules) for modules in folders]
    passed.append(pyright([module for modules in folders for module in modules]))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
