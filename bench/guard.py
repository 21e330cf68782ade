"""A few seconds of measuring, for the tests."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from .load import Load
from .rounds import measure
from .servers import running
from .works import deliveries, echo

WORKS = {"echo": echo(), "a room of 100": deliveries(100)}


def ratios() -> dict[str, dict[str, float]]:
    """CPU for each unit of work, as a multiple of npm partyserver's in the same run.

        {"echo": {"library": 1.5, "control": 1.02}, ...}

    The control is another npm partyserver, which tells how far to trust the other figure.
    """
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        servers = [
            stack.enter_context(running("npm")),
            stack.enter_context(running("control", "npm")),
            stack.enter_context(running("library")),
        ]
        found = {}
        for name, work in WORKS.items():
            samples = measure(work, load, servers, rounds=7, seconds=0.05)
            base = median(samples.pop("npm").cpu)
            found[name] = {one: median(of.cpu) / base for one, of in samples.items()}
        return found
