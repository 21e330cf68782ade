"""The runtime's processes: what they compute, and whether an answer of theirs is overdue."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


class Patience:
    """How long a process group may leave a question open.

    Time on the clock says little on a machine with other work. A group that computes all the time
    and does not answer is in a loop; one that neither computes nor answers is stuck.
    """

    def __init__(self, group: int, *, computing: float, idle: float) -> None:
        """`computing` is in seconds of CPU, `idle` in seconds without one of those."""
        self._group = group
        self._computing = computing
        self._idle = idle
        self._at_first = self._last = cpu_seconds(group)
        self._last_seen = time.monotonic()

    def is_over(self) -> bool:
        computed = cpu_seconds(self._group)
        if computed - self._last >= 1:
            self._last, self._last_seen = computed, time.monotonic()
        return (
            computed - self._at_first >= self._computing
            or time.monotonic() - self._last_seen >= self._idle
        )


def cpu_seconds(group: int) -> float:
    """What the processes of a group have computed so far; 0 where the system does not tell."""
    return _from_proc(group) if sys.platform == "linux" else _from_ps(group)


def group_has(group: int, text: str) -> bool:
    """Whether a process of a group has this text in its environment, or in its command."""
    if sys.platform != "linux":
        return any(line.split()[:1] == [str(group)] and text in line for line in _ps("command="))
    for pid in _members(group):
        with contextlib.suppress(OSError):
            if text.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                return True
    return False


def _members(group: int) -> Iterator[int]:
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if os.getpgid(pid) == group:
                yield pid


def _from_proc(group: int) -> float:
    ticks = 0
    for pid in _members(group):  # to read about all processes of the machine would take long
        try:
            # What follows the name, which is in parentheses and may hold anything.
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            fields = stat.rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _from_ps(group: int) -> float:
    lines = (line.split() for line in _ps("time="))
    return sum(parse_ps_time(line[1]) for line in lines if line[0] == str(group))


def _ps(column: str) -> list[str]:
    """A line for each process, which begins with its group; none where the system has no `ps`."""
    command = ["ps", "-A", "-o", "pgid=", "-o", column]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return said.stdout.splitlines()


def parse_ps_time(text: str) -> float:
    """Seconds of what `ps` writes as `[[days-]hours:]minutes:seconds`."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return int(days or 0) * 86_400 + seconds
