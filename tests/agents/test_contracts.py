"""README.md lists contracts of the Agents SDK, and the tests that hold them."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
TESTS = [*HERE.glob("test_*.py"), *HERE.parent.glob("rules/test_*.py")]
TESTS += HERE.parent.glob("contracts/test_*.py")


def test_each_test_that_the_list_names_exists():
    defined = {name for path in TESTS for name in re.findall(r"def (test_\w+)", path.read_text())}
    named = re.findall(r"`(test_\w+)`", (HERE / "README.md").read_text())
    assert len(named) > 30
    assert not {*named} - defined
