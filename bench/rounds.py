"""Measures a work on several servers, in rounds that take each of them in turn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .load import Load
from .servers import Server
from .works import Work

#: Units that warm up at a time.
WARM_UP = 500


@dataclass
class Samples:
    """What a server used in each round."""

    #: Microseconds of CPU for each unit of work.
    cpu: list[float] = field(default_factory=list)
    #: The share of the time in which the server, and the load generator, were busy.
    server_busy: list[float] = field(default_factory=list)
    load_busy: list[float] = field(default_factory=list)

    def extend(self, more: Samples) -> None:
        self.cpu += more.cpu
        self.server_busy += more.server_busy
        self.load_busy += more.load_busy


def measure(
    work: Work,
    load: Load | Mapping[str, Load],
    servers: Sequence[Server],
    *,
    rounds: int,
    seconds: float,
    warm_up: int = 0,
) -> dict[str, Samples]:
    """The samples of each server, by its name, after so many units that warm it up.

    In every round each server gets one run of about `seconds` of CPU, in another order each time,
    so that what disturbs the machine disturbs all of them. One load generator serves all, or each
    server has its own: a process may have no more than some thousand sockets.
    """
    loads = {
        server.name: load if isinstance(load, Load) else load[server.name] for server in servers
    }
    samples = {server.name: Samples() for server in servers}
    for server in servers:
        work.prepare(loads[server.name], server)
        _warm_up(work, loads[server.name], server, warm_up)
    units = {
        server.name: calibrate(work, loads[server.name], server, seconds / work.slices)
        for server in servers
    }
    for at in range((rounds + 1) * work.slices):
        for server in random.sample(servers, len(servers)):
            # The first round only warms up.
            into = samples[server.name] if at >= work.slices else Samples()
            run_once(work, loads[server.name], server, units[server.name], into)
    for server in servers:
        work.finish(loads[server.name], server)
    return samples


def _warm_up(work: Work, load: Load, server: Server, units: int) -> None:
    some = max(WARM_UP // work.granularity, 1) * work.granularity
    for _ in range(0, units, some):
        work.run(load, server, some)
        work.clear(load, server)


def calibrate(work: Work, load: Load, server: Server, seconds: float) -> int:
    """How many units take about `seconds` of CPU. This warms the server up, too."""
    units = work.granularity
    while True:
        before = server.cpu()
        work.run(load, server, units)
        used = server.cpu() - before
        work.clear(load, server)
        if used > seconds / 2:
            whole = units * seconds / used / work.granularity
            return max(1, round(whole)) * work.granularity
        units *= 2


def run_once(work: Work, load: Load, server: Server, units: int, samples: Samples) -> None:
    """Add one run to `samples`."""
    before = server.cpu()
    took = work.run(load, server, units)
    used = server.cpu() - before
    samples.cpu.append(used / units * 1e6)
    samples.server_busy.append(used / took.seconds)
    samples.load_busy.append(took.cpu / took.seconds)
    work.clear(load, server)
