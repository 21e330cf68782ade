"""Whether users' type checkers know the type of every public name: `pyright --verifytypes`.

    .venv/bin/python tools/check_api.py

pyright counts every module without an underscore as public. Here only the names of the packages
below are, and what is within those that they are made of.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = [
    "agents",
    "asgi",
    "events",
    "history",
    "http",
    "logs",
    "partyflare",
    "partykit",
    "presence",
    "schedule",
    "testing",
    "yjs",
    "yjs.store",
]
PUBLIC = {"partyserver", *(f"partyserver.{package}" for package in PACKAGES)}


def main() -> int:
    done = subprocess.run(
        [
            *(ROOT / "node_modules" / ".bin" / "pyright", "--outputjson"),
            *("--verifytypes", "partyserver", "--ignoreexternal"),
        ],
        cwd=ROOT,
        # It asks the `python` in PATH where packages are.
        env=os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    symbols = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    names = [one for one in symbols if one["name"].rpartition(".")[0] in PUBLIC]
    if {one["name"].rpartition(".")[0] for one in names} != PUBLIC:
        raise SystemExit(f"pyright has not found all of {', '.join(sorted(PUBLIC))}")
    unknown = [one["name"] for one in names if not one["isTypeKnown"] or one["isTypeAmbiguous"]]
    if unknown:
        print(f"Type checkers do not know all about {', '.join(unknown)}, because of some of:")
        for one in symbols:
            if not one["isTypeKnown"] or one["isTypeAmbiguous"]:
                for found in one["diagnostics"]:
                    print(f"  {one['name']}: {found['message']}")
    else:
        print(f"The types of {len(names)} public names are known")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
