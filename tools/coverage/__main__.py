"""python -m tools.coverage rules | tests ARGUMENTS | part ARGUMENTS | report

The arguments are pytest's. They name all tests, or a part of them, for which there is no floor.
"""

from __future__ import annotations

import sys
from pathlib import Path

from . import rules, tests

ROOT = Path(__file__).parents[2]


def main(command: str, *arguments: str) -> int | str:
    """What `sys.exit` takes."""
    if command == "rules":
        wrong = rules.check(ROOT)
        if not wrong:
            print("coverage: all lines and branches of the rules, each by its own test module")
        return "\n".join(wrong)
    status = tests.run(ROOT, arguments) if command in ("tests", "part") else 0
    totals = tests.report(ROOT)
    if status:
        return status
    if command == "part":
        print("\ncoverage: the floors are those of all tests, and were not asked for")
        return 0
    return "\n".join(tests.below(tests.FLOORS, totals))


sys.exit(main(*sys.argv[1:]) or 0)
