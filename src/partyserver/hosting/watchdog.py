"""systemd's watchdog: it restarts a service that has not said for a while that it is well.

A process that runs is not enough: a hook in an endless loop holds up all rooms. So the worker is
asked, at its health socket, and what it answers is what systemd is told.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from .process import Child, Signals, answers, notify


def wait(
    child: Child,
    address: tuple[str, int],
    signals: Signals,
    environ: Mapping[str, str] = os.environ,
) -> bool:
    """As `Child.wait`, until it has ended or a signal to end comes: whether it has ended.

    Meanwhile systemd is told twice in each of its intervals that the worker answers, if it does.
    Where no watchdog is set, nobody is asked.
    """
    every = half_of_interval(environ)
    if every is None:
        return child.wait(signals)
    while child.status is None and not signals.asked:
        until = time.monotonic() + every
        if answers(child, address, signals, every) is None:
            notify("WATCHDOG=1", environ)
        child.wait(signals, until - time.monotonic())
    return child.status is not None


def half_of_interval(environ: Mapping[str, str]) -> float | None:
    """Seconds; None where systemd has no watchdog for this process."""
    if environ.get("WATCHDOG_PID") not in (None, "", str(os.getpid())):
        return None  # it was for a parent, which has handed its environment on
    text = environ.get("WATCHDOG_USEC", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 18
    return int(text) / 2_000_000 or None if is_number else None
