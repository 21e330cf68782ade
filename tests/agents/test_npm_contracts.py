"""UPSTREAM.md lists what the clients of npm see, and the tests that hold it."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def names_of_tests(pattern):
    return {
        name
        for path in HERE.glob(pattern)
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }


def test_the_list_has_each_test_of_the_clients_and_no_other():
    listed = set(re.findall(r"`(test_\w+)`", (HERE / "UPSTREAM.md").read_text()))
    assert not listed - names_of_tests("test_*.py")
    ours = names_of_tests("test_npm_*.py") | names_of_tests("test_react.py")
    assert len(ours) > 60
    assert not ours - listed - {"test_the_list_has_each_test_of_the_clients_and_no_other"}
