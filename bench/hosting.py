"""A room hosted in each way: what it does in a second, what it takes in memory, how it starts.

All is on the clock, and not by CPU as in the other parts: what a client sees of a host is the
time, of which a cluster spends some in its bucket.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from .comparison import named
from .hosts import DEV, FASTAPI, HOSTS, SERVE, Host, Hosts
from .load import Load, Message
from .machine import cpu_seconds
from .paths import WORK
from .ratios import ratio
from .rounds import Entry, Samples, measure_all
from .servers import Server
from .works import Messages

#: Its table in the report.
TITLE = "hosting"
_serial = itertools.count()

#: What a row's figures are.
RATE, SECONDS, BYTES = "a second", "seconds", "bytes"


@dataclass(frozen=True)
class Talk(Messages):
    """Messages to a room that begins on the node which is to have it."""

    def prepare(self, load: Load, server: Server) -> None:
        assert isinstance(server, Host)
        path = f"/parties/{self.party}/talk-{next(_serial)}"
        server.place(path)
        load.open(server.name, server.port, [path] * self.connections)
        load.probe(server.name, self.message)
        if server.owner_pid:
            self._refuse_another_owner(load, server)
        server.settle()

    def _refuse_another_owner(self, load: Load, host: Host) -> None:
        host.settle()  # a node that has just begun works for itself, too
        before = cpu_seconds(host.owner_pid), host.cpu()
        self.run(load, host, 100 * self.granularity)
        owner = cpu_seconds(host.owner_pid) - before[0]
        if owner < (host.cpu() - before[1]) / 4:
            raise RuntimeError(f"a room of {self.party} is not on the node that it began on")


@dataclass(frozen=True)
class Row:
    title: str
    work: Talk
    #: So many units come first, at most.
    warm_up: int = 2000


_PEOPLE = 50
ROWS = [
    Row("echoes, 100 on their way", Talk("echo")),
    Row("echoes, one after the other", Talk("echo", window=1)),
    Row(
        f"deliveries, room of {_PEOPLE}",
        Talk("everybody", _PEOPLE, Message(fanout=_PEOPLE), window=20),
    ),
    Row(f"SQL writes, of {_PEOPLE} clients", Talk("written", _PEOPLE, window=_PEOPLE), 200),
    Row("SQL writes, one after the other", Talk("written", window=1), 100),
]

STARTS = "start, from the snapshot"
BARE_STARTS = "start, without one"
EMPTY = "memory, with a room"


def full(connections: int) -> str:
    return f"memory, with {connections:,} idle connections"


def titles(connections: int = 1000) -> list[str]:
    return [*(row.title for row in ROWS), STARTS, BARE_STARTS, EMPTY, full(connections)]


@dataclass
class Figures:
    """What was measured in each round, by the host."""

    title: str
    unit: str
    #: Of each host, one after the other, to which as many of the rounds belong.
    processes: int = 1
    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, *figures: float) -> None:
        self.of.setdefault(name, []).extend(figures)


@dataclass(frozen=True)
class Effort:
    """How much is measured: processes of each host, one after the other, and rounds with each."""

    processes: int
    rounds: int
    #: Of a round, on the clock.
    seconds: float
    #: So many units come first, at most.
    warm_up: int
    #: So many times each host is started and filled.
    lives: int
    connections: int


WHOLE = Effort(processes=2, rounds=7, seconds=0.3, warm_up=2000, lives=4, connections=1000)
QUICK = Effort(processes=1, rounds=2, seconds=0.1, warm_up=100, lives=1, connections=200)


@contextmanager
def hosts() -> Iterator[Hosts]:
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK, prefix="hosting-") as folder:
        yield Hosts(Path(folder))


def measure_hosting(effort: Effort, works: Sequence[str] = ()) -> tuple[list[Figures], float]:
    """All rows, and the milliseconds that the cluster's bucket takes for a write.

    With `works`, those rows alone that have one of these in their title.
    """
    rows = [row for row in ROWS if named(row.title, works)]
    lives = any(named(title, works) for title in titles()[len(ROWS) :])
    with hosts() as found:
        print("  the start-up snapshots", flush=True)
        found.prepare()
        with found.bucket() as bucket:
            wait = latency(bucket)
        talked = talk(found, effort, rows) if rows else []
        return [*talked, *(live(found, effort) if lives else [])], wait


def talk(found: Hosts, effort: Effort, rows: Sequence[Row]) -> list[Figures]:
    """What a room does in a second; the hosts take turns."""
    rates = [Figures(row.title, RATE, effort.processes) for row in rows]
    for _ in range(effort.processes):
        with ExitStack() as stack:
            servers = stack.enter_context(found.all())
            loads = {name: stack.enter_context(Load()) for name in servers}
            for row, figures in zip(rows, rates, strict=True):
                print(f"  {row.title}", flush=True)
                entries = [Entry(name, row.work, servers[name], loads[name]) for name in servers]
                samples = measure_all(
                    entries,
                    rounds=effort.rounds,
                    seconds=effort.seconds,
                    warm_up=min(row.warm_up, effort.warm_up),
                    by_clock=True,
                )
                for name, of in samples.items():
                    figures.add(name, *rates_of(of))
    return rates


def rates_of(samples: Samples) -> list[float]:
    """Units in a second, of each round."""
    return [1e6 * busy / cpu for cpu, busy in zip(samples.cpu, samples.server_busy, strict=True)]


def live(found: Hosts, effort: Effort) -> list[Figures]:
    """How hosts start, and what they take in memory: each as often, in turn."""
    starts, bare = Figures(STARTS, SECONDS), Figures(BARE_STARTS, SECONDS)
    empty, filled = Figures(EMPTY, BYTES), Figures(full(effort.connections), BYTES)
    for at in range(effort.lives):
        print(f"  starts and memory, {at + 1} of {effort.lives}", flush=True)
        with found.serve("--no-snapshot") as host:
            bare.add(SERVE, host.seconds)
        for name in HOSTS:
            with found.host(name) as host:
                (bare if name in (DEV, FASTAPI) else starts).add(name, host.seconds)
                host.settle()
                empty.add(name, host.memory())
                with Load() as load:
                    path = "/parties/echo/idle"
                    host.place(path)
                    load.open(name, host.port, [path] * effort.connections)
                    host.settle()
                    filled.add(name, host.memory())
    return [starts, bare, empty, filled]


def latency(bucket: str, requests: int = 50) -> float:
    """Milliseconds that the bucket takes to store a page of SQLite's, where nobody else asks."""
    connection = HTTPConnection(bucket.removeprefix("http://"), timeout=60)
    took = []
    for number in range(requests):
        began = time.monotonic()
        connection.request("PUT", f"/rooms/latency-{number}", bytes(4096))
        connection.getresponse().read()
        took.append(time.monotonic() - began)
    connection.close()
    return median(took) * 1000


def values(figures: Sequence[Figures], bucket: float) -> dict[str, Any]:
    """For JSON: of each row, in the order of the hosts, a median, and its ratio to serve's.

    What was not measured is None. The ratio of a start is to serve's start from the snapshot.
    """
    bases = {one.title: one.of[SERVE] for one in figures}
    bases[BARE_STARTS] = bases.get(STARTS, [])
    rows = []
    for one in figures:
        cells: list[list[float] | None] = []
        for name in HOSTS:
            of = one.of.get(name)
            to = bases[one.title]
            found = of and astuple(ratio(of, to, processes=one.processes))
            cells.append([median(of), *found] if of and found else None)
        rows.append({"title": one.title, "unit": one.unit, "figures": cells})
    return {"hosts": list(HOSTS), "bucket": bucket, "rows": rows}
