"""A program under Node.js that does one command after the other: each is a line of JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from partyserver.testing.installed import find_node


class Node:
    """Its process. It ends at the end of its input."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [find_node([program.parent]), program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def obey(self, command: str, *arguments: Any) -> Any:
        """Its answer: an object with a `value` or a `failure`."""
        print(json.dumps([command, *arguments]), file=self._process.stdin, flush=True)
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __call__(self, command: str, *arguments: Any) -> Any:
        """The value of its answer."""
        answer = self.obey(command, *arguments)
        if "failure" in answer:
            pytest.fail(f"{command}{arguments}: {answer['failure']}")
        return answer["value"]

    def stop(self) -> None:
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0
