"""This checkout's library beside another one's: what a change costs, or saves.

Three servers take turns in all of it: `this`, `this again` and `other`. They run the same sources,
which use the library as its documentation says, so the insides of the two may differ.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from .coldstart import ROOM, loading, saving
from .comparison import Row, named
from .load import Load, Message
from .memory import connections_take, rooms_take
from .paths import LIBRARY, WORK
from .ratios import Ratio, difference, ratio
from .rounds import measure
from .servers import WORKERS, Server, fetch, running
from .workerd import Worker
from .works import Connects, Messages, Requests, deliveries, echo

THIS, CONTROL, OTHER = "this", "this again", "other"

#: Fresh rooms come last, because the process is busy with their end for a while.
ROWS = [
    Row("echo, plain hook", echo(), warm_up=10_000),
    Row("echo, `async` hook", echo(asynchronous=True), warm_up=5000),
    Row("echo, binary", echo(binary=True), warm_up=5000),
    Row("echo, 16 KB", echo(16_384), warm_up=2000, quick=False),
    Row(
        "`set_state` for each message",
        Messages("stateful", message=Message(reply="kept")),
        warm_up=2000,
        quick=False,
    ),
    Row("delivery, room of 10", deliveries(10), warm_up=10_000),
    Row("delivery, room of 10, `exclude`", deliveries(10, exclude=True), warm_up=5000, quick=False),
    Row("delivery, room of 100", deliveries(100), warm_up=10_000, quick=False),
    Row("RPC to another room", Messages("caller"), warm_up=1000, quick=False),
    Row("HTTP request to a room", Requests(), warm_up=1000),
    Row("a new connection", Connects(), warm_up=1000),
    Row("a connection, opened and closed", Connects(and_closes=True), warm_up=500, quick=False),
    Row("a fresh room, by a connection", Connects(fresh_rooms=True), warm_up=100, quick=False),
]
START, FROM_SNAPSHOT = "cold start", "cold start, from a snapshot"
PER_ROOM, PER_CONNECTION = "memory of an idle room with its connection", "memory of a connection"


@dataclass(frozen=True)
class Effort:
    #: Of each server for the works, and for what a process can show once only.
    processes: int
    short_processes: int
    rounds: int
    seconds: float
    #: At most so many units come before a work.
    warm_up: int
    rooms: int
    connections: int
    quick: bool = False


WHOLE = Effort(
    processes=5,
    short_processes=7,
    rounds=5,
    seconds=0.12,
    warm_up=10_000,
    rooms=500,
    connections=1000,
)
QUICK = Effort(
    processes=3,
    short_processes=5,
    rounds=3,
    seconds=0.06,
    warm_up=1000,
    rooms=200,
    connections=500,
    quick=True,
)


@dataclass
class Line:
    """The figures of one work: those of each server are of the same moments, one after another."""

    title: str
    unit: str = "us"
    #: The figures of a server are of so many processes in a row, if not of one for each.
    processes: int | None = None
    figures: dict[str, list[float]] = field(
        default_factory=lambda: {THIS: [], CONTROL: [], OTHER: []}
    )

    def median(self, name: str) -> float:
        return median(self.figures[name])

    def to(self, name: str) -> Ratio:
        """Of `this` to another."""
        figures = self.figures[THIS]
        processes = self.processes or len(figures)
        return ratio(figures, self.figures[name], processes=processes)

    @property
    def verdict(self) -> str:
        words = ("smaller", "larger") if self.unit == "KB" else ("faster", "slower")
        return difference(self.to(OTHER), self.to(CONTROL), less=words[0], more=words[1])


def library_in(checkout: Path) -> Path | None:
    library = checkout.resolve() / "src" / LIBRARY.name
    return library if (library / "__init__.py").exists() else None


def compare(other: Path, effort: Effort, *, variant: str, works: Sequence[str] = ()) -> list[Line]:
    """The lines with one of `works` in the title; `variant` of this library, beside `other`'s."""
    mine, before = WORKERS[variant], WORKERS["library"]
    packages = [other if package == LIBRARY else package for package in before.packages]
    workers = {THIS: mine, CONTROL: mine, OTHER: replace(before, packages=packages)}
    rows = [row for row in ROWS if named(row.title, works) and (row.quick or not effort.quick)]
    lines = []
    if rows or named(START, works):
        lines += _works(workers, rows, effort)
    if any(named(title, works) for title in (FROM_SNAPSHOT, PER_ROOM, PER_CONNECTION)):
        lines += _starts_and_memory(workers, effort)
    return [line for line in lines if named(line.title, works)]


def _works(workers: Mapping[str, Worker], rows: Sequence[Row], effort: Effort) -> list[Line]:
    start = Line(START, "ms")
    lines = [Line(row.title, processes=effort.processes) for row in rows]
    for at in range(effort.processes):
        with ExitStack() as stack:
            servers = []
            for name in random.sample(list(workers), len(workers)):
                print(f"  {name}, process {at + 1} of {effort.processes}", flush=True)
                server, cpu = stack.enter_context(_started(name, workers[name]))
                start.figures[name].append(cpu)
                servers.append(server)
            load = stack.enter_context(Load())
            for row, line in zip(rows, lines, strict=True):
                print(f"  {row.title}", flush=True)
                samples = measure(
                    row.work,
                    load,
                    servers,
                    rounds=effort.rounds,
                    seconds=effort.seconds,
                    warm_up=min(row.warm_up, effort.warm_up),
                )
                for name, of in samples.items():
                    line.figures[name] += of.cpu
    return [*lines, start]


def _starts_and_memory(workers: Mapping[str, Worker], effort: Effort) -> list[Line]:
    start, per_room = Line(FROM_SNAPSHOT, "ms"), Line(PER_ROOM, "KB")
    per_connection = Line(PER_CONNECTION, "KB")
    with ExitStack() as stack:
        snapshots = {}
        for name, worker in workers.items():
            print(f"  {name}, snapshot", flush=True)
            folder = Path(stack.enter_context(TemporaryDirectory(dir=WORK)))
            with _started(name, worker, *saving(folder)):
                snapshots[name] = loading(folder)
        for at in range(effort.short_processes):
            print(f"  memory, process {at + 1} of {effort.short_processes}", flush=True)
            for name in random.sample(list(workers), len(workers)):
                with (
                    _started(name, workers[name], *snapshots[name]) as (server, cpu),
                    Load() as rooms,
                    Load() as connections,
                ):
                    start.figures[name].append(cpu)
                    # The rooms stay while the connections come, so that what these take is new.
                    room = rooms_take(rooms, server, effort.rooms)
                    connection = connections_take(connections, server, effort.connections)
                per_room.figures[name].append(room / 1024)
                per_connection.figures[name].append(connection / 1024)
    return [start, per_connection, per_room]


@contextmanager
def _started(name: str, worker: Worker, *options: str) -> Iterator[tuple[Server, float]]:
    """A server that has answered once, and the milliseconds of CPU that it took to do so."""
    with running(name, worker, *options) as server:
        fetch(server.port, ROOM)
        yield server, server.cpu() * 1000
