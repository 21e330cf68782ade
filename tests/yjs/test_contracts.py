"""UPSTREAM.md lists what the clients of npm see, and the tests that hold it."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
MODULES = ("test_providers.py", "test_presence.py", "test_lives.py")


def test_the_list_has_each_test_of_the_clients_and_no_other():
    listed = set(re.findall(r"`(test_\w+)`", (HERE / "UPSTREAM.md").read_text()))
    text = "\n".join((HERE / module).read_text() for module in MODULES)
    ours = set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    assert len(ours) > 25
    assert listed == ours
