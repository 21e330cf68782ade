"""`partyserver serve` with a socket more, by which tests do what only the runtime can.

    python -m tests.hosting.launcher serve ...

What it serves is the same. PARTY_TEST_CONTROL is the descriptor of that socket, which listens, and
PARTY_TEST_VARS has further variables for the worker, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from partyserver.command import main
from partyserver.hosting import health, process, serving, wrangler
from partyserver.hosting.plan import Variable

#: The text of the kit's own worker, which speaks to the runtime.
KIT = Path(health.__file__).parent.parent / "testing" / "control.mjs"
SERVICE = "tests-control"

_add_to, _plan_of = health.add_to, wrangler.plan_of


def add_to(structure, worker):
    _add_to(structure, worker)
    of_worker = next(one for one in structure["services"] if one["name"] == worker)["worker"]
    bindings = [
        {
            "name": one["name"],
            "durableObjectNamespace": {**one["durableObjectNamespace"], "serviceName": worker},
        }
        for one in of_worker["bindings"]
        if "durableObjectNamespace" in one
    ]
    source = KIT.read_text().partition("CONTROL_SCRIPT = `")[2].rpartition("`;")[0]
    structure["services"].append(
        {
            "name": SERVICE,
            "worker": {
                "modules": [{"name": "control.js", "esModule": source}],
                "compatibilityDate": "2026-01-01",
                "compatibilityFlags": ["unsafe_module"],
                "bindings": bindings,
            },
        }
    )
    structure["sockets"].append({"name": SERVICE, "http": {}, "service": SERVICE})


def plan_of(*arguments, **options):
    plan = _plan_of(*arguments, **options)
    more = json.loads(os.environ.get("PARTY_TEST_VARS", "{}"))
    variables = [one for one in plan.vars if one.binding not in more]
    return replace(plan, vars=(*variables, *(Variable(*pair) for pair in more.items())))


class Child(process.Child):
    """workerd, which inherits the socket: a free port's number alone may be another's by then."""

    def __init__(self, command, *, inherited, **options):
        descriptor = int(os.environ["PARTY_TEST_CONTROL"])
        command = [*command, f"--socket-fd={SERVICE}={descriptor}"]
        super().__init__(command, inherited=[*inherited, descriptor], **options)


if __name__ == "__main__":
    vars(serving)["Child"] = Child
    health.add_to, wrangler.plan_of = add_to, plan_of
    sys.exit(main())
