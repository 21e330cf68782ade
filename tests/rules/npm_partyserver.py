"""The functions of npm partyserver that it does not export, run by Node.js."""

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NODE_MODULES = Path(__file__).parents[2] / "node_modules"


def call(function: str, arguments: Iterable[Any]) -> list[Any]:
    """`function` of each of the arguments; None where it raised."""
    source = (NODE_MODULES / "partyserver/dist/index.js").read_text()
    found = re.search(rf"^function {function}\(.*?^}}", source, re.DOTALL | re.MULTILINE)
    assert found is not None, f"npm partyserver has no function {function}"
    script = found[0] + (
        "\nlet input = '';"
        "\nprocess.stdin.on('data', (chunk) => (input += chunk)).on('end', () => {"
        "\n  const results = JSON.parse(input).map((argument) => {"
        f"\n    try {{ return {function}(argument); }} catch {{ return null; }}"
        "\n  });"
        "\n  console.log(JSON.stringify(results));"
        "\n});"
    )
    done = subprocess.run(
        [NODE_MODULES / ".bin/node", "--eval", script],
        input=json.dumps(list(arguments)),
        capture_output=True,
        check=True,
        text=True,
        timeout=600,
    )
    return json.loads(done.stdout)
