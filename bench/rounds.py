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


@dataclass(frozen=True)
class Entry:
    """A work on a server, which no other entry has on this load generator."""

    name: str
    work: Work
    server: Server
    load: Load


def measure(
    work: Work,
    load: Load | Mapping[str, Load],
    servers: Sequence[Server],
    *,
    rounds: int,
    seconds: float,
    warm_up: int = 0,
) -> dict[str, Samples]:
    """The samples of each server with the same work, by its name.

    One load generator serves all, or each server has its own: a process may have no more than some
    thousand sockets.
    """
    entries = [
        Entry(server.name, work, server, load if isinstance(load, Load) else load[server.name])
        for server in servers
    ]
    return measure_all(entries, rounds=rounds, seconds=seconds, warm_up=warm_up)


def measure_all(
    entries: Sequence[Entry],
    *,
    rounds: int,
    seconds: float,
    warm_up: int = 0,
    by_clock: bool = False,
) -> dict[str, Samples]:
    """The samples of each entry, by its name, after so many units that warm it up.

    In every round each gets one run of about `seconds` of CPU (with `by_clock` on the clock), in
    another order each time, so that what disturbs the machine disturbs all of them.
    """
    slices = max(entry.work.slices for entry in entries)
    samples = {entry.name: Samples() for entry in entries}
    for entry in entries:
        entry.work.prepare(entry.load, entry.server)
    _warm_up(entries, warm_up)
    units = {
        entry.name: entry.work.fixed
        or calibrate(entry.work, entry.load, entry.server, seconds / slices, by_clock=by_clock)
        for entry in entries
    }
    for at in range((rounds + 1) * slices):
        for entry in random.sample(entries, len(entries)):
            # The first round only warms up.
            into = samples[entry.name] if at >= slices else Samples()
            _run_once(entry, units[entry.name], into)
    for entry in entries:
        entry.work.finish(entry.load, entry.server)
    return samples


def _warm_up(entries: Sequence[Entry], units: int) -> None:
    """In turns, so that no room sleeps meanwhile: agents of npm say something when they wake."""
    for done in range(0, units, WARM_UP):
        for entry in entries:
            work = entry.work
            some = max(min(WARM_UP, units - done) // work.granularity, 1) * work.granularity
            work.run(entry.load, entry.server, some)
            work.clear(entry.load, entry.server)


def calibrate(
    work: Work, load: Load, server: Server, seconds: float, *, by_clock: bool = False
) -> int:
    """How many units take so many seconds of CPU, or on the clock. This warms the server up."""
    units = work.granularity
    while True:
        before = server.cpu()
        took = work.run(load, server, units)
        used = took.seconds if by_clock else server.cpu() - before
        work.clear(load, server)
        if used > seconds / 2:
            whole = units * seconds / used / work.granularity
            return max(1, round(whole)) * work.granularity
        units *= 2


def _run_once(entry: Entry, units: int, samples: Samples) -> None:
    """Add one run to `samples`."""
    before = entry.server.cpu()
    took = entry.work.run(entry.load, entry.server, units)
    used = entry.server.cpu() - before
    samples.cpu.append(used / units * 1e6)
    samples.server_busy.append(used / took.seconds)
    samples.load_busy.append(took.cpu / took.seconds)
    entry.work.clear(entry.load, entry.server)
