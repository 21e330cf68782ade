"""The table: every work on every server, in one run, with what is to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from .load import Load
from .rounds import Samples, measure
from .servers import running
from .works import Connects, Requests, Work, deliveries, echo

#: What all are compared with, and the same again: how far a difference is noise.
BASE, CONTROL, LIBRARY = "npm", "npm again", "library"
SERVERS = {BASE: "npm", CONTROL: "npm", LIBRARY: "library"} | {
    name: name for name in ("naive", "raw", "fastapi")
}


@dataclass(frozen=True)
class Row:
    title: str
    work: Work
    #: The ratio to npm partyserver that the library is to reach, if there is one.
    target: float | None = None
    #: Whether `make bench-quick` has it.
    quick: bool = True
    #: So many units come first, so that JavaScript's compilers have had their time.
    warm_up: int = 0
    #: Without the disk on which a room otherwise has its database, as deployed rooms have.
    in_memory: bool = False


def _echoes() -> list[Row]:
    return [
        Row("echo, plain hook", echo(), 1.5, warm_up=10_000),
        Row("echo, `async` hook", echo(asynchronous=True), 1.7, warm_up=10_000),
        Row("echo, binary", echo(binary=True), 1.5, warm_up=10_000),
        Row(
            "echo, binary, `async` hook",
            echo(binary=True, asynchronous=True),
            1.7,
            quick=False,
            warm_up=10_000,
        ),
        Row("echo, 16 KB", echo(16_384), 1.5, warm_up=2000),
        Row("echo, 16 KB, binary", echo(16_384, binary=True), 1.5, quick=False, warm_up=2000),
        Row(
            "echo, 16 KB, `async` hook",
            echo(16_384, asynchronous=True),
            1.7,
            quick=False,
            warm_up=2000,
        ),
        Row(
            "echo, 16 KB, binary, `async` hook",
            echo(16_384, binary=True, asynchronous=True),
            1.7,
            quick=False,
            warm_up=2000,
        ),
    ]


def _deliveries() -> list[Row]:
    rows = []
    for connections, target in ((10, 1.3), (100, 1.05), (1000, 1.0)):
        room = f"delivery, room of {connections:,}"
        of = partial(deliveries, connections)
        rows += [
            Row(room, of(), target, warm_up=10_000),
            Row(f"{room}, `exclude`", of(exclude=True), target, quick=False),
            Row(f"{room}, binary", of(binary=True), target, quick=False),
            Row(
                f"{room}, binary, `exclude`",
                of(binary=True, exclude=True),
                target,
                quick=False,
            ),
        ]
    return rows


ECHOES, DELIVERIES = _echoes(), _deliveries()
REQUESTS = [
    Row("a new connection, young process", Connects(), 4),
    Row("a new connection", Connects(), 4, warm_up=5000, quick=False),
    Row("a connection, opened and closed", Connects(and_closes=True), quick=False),
    Row("HTTP request to a room", Requests(), 5, warm_up=5000),
    Row("a fresh room, by a connection", Connects(fresh_rooms=True), 3),
    Row("a fresh room, by HTTP", Requests(fresh_rooms=True), 3, quick=False),
]
WITHOUT_DISK = [
    Row(f"{row.title}, no disk", row.work, quick=False, in_memory=True)
    for row in REQUESTS
    if "fresh room" in row.title
]
#: Each group runs on processes of its own, which owe nothing to the others.
GROUPS = [ECHOES, DELIVERIES, REQUESTS, WITHOUT_DISK]
ROWS = [row for group in GROUPS for row in group]


@dataclass(frozen=True)
class Result:
    row: Row
    samples: dict[str, Samples]


def compare(
    rows: Sequence[Row], *, processes: int, rounds: int, seconds: float, warm_up: int
) -> list[Result]:
    """So many rounds with each of so many processes: two of the same server differ, by chance.

    At most `warm_up` units come before each.
    """
    results = []
    for group in GROUPS:
        chosen = [row for row in group if row in rows]
        if chosen:
            first, *others = (
                _compare(chosen, rounds=rounds, seconds=seconds, most=warm_up)
                for _ in range(processes)
            )
            for other in others:
                for result, more in zip(first, other, strict=True):
                    for name, samples in result.samples.items():
                        samples.extend(more.samples[name])
            results += first
    return results


def _compare(rows: Sequence[Row], *, rounds: int, seconds: float, most: int) -> list[Result]:
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        servers = [
            stack.enter_context(running(*pair, in_memory=rows[0].in_memory))
            for pair in SERVERS.items()
        ]
        results = []
        for row in rows:
            print(f"  {row.title}", flush=True)
            samples = measure(
                row.work,
                load,
                servers,
                rounds=rounds,
                seconds=seconds,
                warm_up=min(row.warm_up, most),
            )
            results.append(Result(row, samples))
        return results
