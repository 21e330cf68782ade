import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="bench/ reads other processes' CPU as Linux offers it")
    for item in items:
        if item.path.parent == Path(__file__).parent and sys.platform != "linux":
            item.add_marker(skip)


@pytest.fixture
def bench() -> Callable[[str], Any]:
    """`bench("guard.ratios()")`: the value of a call into bench/, in a process of its own."""

    def call(expression: str) -> Any:
        module = expression.partition(".")[0]
        code = f"import json; from bench import {module}; print(json.dumps({expression}))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])  # what it says as it goes comes before

    return call
