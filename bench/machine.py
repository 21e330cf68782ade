"""CPU time of other processes, and which core each one runs on. Linux only."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path

_CORES = sorted(os.sched_getaffinity(0))
#: The load and this program share one core, the servers have another.
CLIENT_CORE, SERVER_CORE = {_CORES[0]}, {_CORES[-1]}


def cpu_seconds(pid: int) -> float:
    """The CPU that a process has used, all of its threads included, in nanosecond steps.

    This is clock_getcpuclockid(3), which Python offers for threads only; /proc/<pid>/stat
    has the same figure in steps of 10 ms.
    """
    return time.clock_gettime(~pid << 3 | 2)


def core_seconds(core: set[int]) -> float:
    """The CPU that a core has given to all processes, or that its host has taken; by 10 ms."""
    (number,) = core
    lines = Path("/proc/stat").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"cpu{number} "))
    user, nice, system, _idle, _iowait, *others = (int(ticks) for ticks in line.split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


def on_core(core: set[int]) -> None:
    """For a child between fork and exec, so that all of its threads inherit it."""
    os.sched_setaffinity(0, core)


def most_connections() -> int:
    """How many WebSockets workerd can hold: each takes two of a process's files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return files // 2 - 500


def resident_bytes(pid: int) -> int:
    """The memory that a process holds, apart from the files that it maps."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def shared_bytes(pid: int) -> int:
    """The memory of a process, with the files that it maps; its part of what others map, too."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    line = next(line for line in lines if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def family(pid: int) -> tuple[int, ...]:
    """A process and all that it has started, and these in turn."""
    children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    return (pid, *(one for child in children.split() for one in family(int(child))))


def load_average() -> float:
    return os.getloadavg()[0]


def describe() -> dict[str, str | int]:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {"cpu": cpu, "cores": len(_CORES), "system": f"{platform.system()} {platform.release()}"}
