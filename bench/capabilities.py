"""What capabilities cost a message: `python -m bench.capabilities`.

An echo alone, twice for the noise, and echoes of rooms that have them or use them. Each is a party
of one server, and they take turns.
"""

from __future__ import annotations

from statistics import median

from .ratios import ratio
from .steps import Step, walk
from .works import Messages

STEPS = [
    Step("an echo", "capabilities", "echo"),
    Step("an echo, again", "capabilities", "echo"),
    Step("with Presence, History and Schedule", "capabilities", "idle"),
    Step("with a rate", "capabilities", "rated"),
    Step("with logs enabled", "logged", "echo"),
    Step("and a line of the log", "logged", "logging"),
    Step("and a publish", "capabilities", "publishing"),
    Step("and two statements of SQL by hand", "capabilities", "writing"),
]


def main() -> None:
    samples = walk(STEPS, Messages(""), rounds=9, seconds=0.15)
    first = samples[STEPS[0].title].cpu
    for name, found in samples.items():
        print(f"{name:40}{median(found.cpu):8.1f} us   {ratio(found.cpu, first)}")


if __name__ == "__main__":
    main()
