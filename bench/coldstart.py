"""From the start of a process to its first response, without and with a snapshot."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from .paths import WORK
from .servers import fetch, running

WORKER, ROOM = "/", "/parties/room/first"

#: What answers first: the worker itself, as an empty one does, or a room.
_CASES = {
    "npm partyserver, from a room": ("npm", ROOM),
    "an empty Python worker": ("empty", WORKER),
    "this library, from the worker": ("library", WORKER),
    "naive Python, from a room": ("naive", ROOM),
    "this library, from a room": ("library", ROOM),
}
#: The ratios of interest.
RATIOS = {
    "the library's worker to an empty one": (
        "this library, from the worker",
        "an empty Python worker",
    ),
    "the library's room to a naive one": (
        "this library, from a room",
        "naive Python, from a room",
    ),
}
SNAPSHOT = ", snapshot"


@dataclass
class Start:
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def cold_starts(rounds: int, *, of_rooms: bool = True) -> dict[str, Start]:
    """By title; the variants take turns, as in every measurement here."""
    with ExitStack() as stack:
        WORK.mkdir(parents=True, exist_ok=True)
        cases: dict[str, tuple[str, str, list[str]]] = {}
        snapshots = {}
        for title, (variant, path) in _CASES.items():
            if path == ROOM and variant != "npm" and not of_rooms:
                continue
            cases[title] = (variant, path, [])
            if variant == "npm":
                continue
            if variant not in snapshots:
                snapshots[variant] = Path(stack.enter_context(TemporaryDirectory(dir=WORK)))
                _start(variant, path, saving(snapshots[variant]), Start())
            cases[title + SNAPSHOT] = (variant, path, loading(snapshots[variant]))
        starts = {title: Start() for title in cases}
        for _ in range(rounds):
            for title, case in cases.items():
                _start(*case, starts[title])
        return starts


def saving(folder: Path) -> list[str]:
    return ["--python-save-snapshot", f"--python-snapshot-dir={folder}"]


def loading(folder: Path) -> list[str]:
    (snapshot,) = folder.iterdir()
    return [f"--python-load-snapshot={snapshot.name}", f"--python-snapshot-dir={folder}"]


def from_snapshot(variant: str) -> dict[str, float | str]:
    """What a worker answers from a snapshot, and the CPU of that and of taking it."""
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as scratch:
        folder = Path(scratch)
        taking, restoring = Start(), Start()
        _start(variant, ROOM, saving(folder), taking)
        answer = _start(variant, ROOM, loading(folder), restoring)
    return {"answer": answer.decode(), "cpu": restoring.cpu[0], "cpu without": taking.cpu[0]}


def _start(variant: str, path: str, options: list[str], into: Start) -> bytes:
    # The time in which the config is written counts for none.
    classes = [] if variant == "empty" else ["Room"]
    with running(variant, None, *options, classes=classes) as server:
        answer = fetch(server.port, path)
        into.seconds.append(time.monotonic() - server.started)
        into.cpu.append(server.cpu())
    return answer
