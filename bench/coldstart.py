"""From the start of a process to its first response, without and with a snapshot."""

from __future__ import annotations

import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from .paths import WORK
from .servers import running

_URL = "http://127.0.0.1:{port}/parties/room/first"


@dataclass
class Start:
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def cold_starts(rounds: int) -> dict[str, Start]:
    """By title; the variants take turns, as in every measurement here."""
    with ExitStack() as stack:
        WORK.mkdir(parents=True, exist_ok=True)
        cases: dict[str, tuple[str, list[str]]] = {"npm": ("npm", [])}
        for variant in ("empty", "library"):
            folder = Path(stack.enter_context(TemporaryDirectory(dir=WORK)))
            cases[variant] = (variant, [])
            _start(variant, _saving(folder), Start())
            cases[f"{variant}, snapshot"] = (variant, _loading(folder))
        starts = {title: Start() for title in cases}
        for _ in range(rounds):
            for title, (variant, options) in cases.items():
                _start(variant, options, starts[title])
        return starts


def _saving(folder: Path) -> list[str]:
    return ["--python-save-snapshot", f"--python-snapshot-dir={folder}"]


def _loading(folder: Path) -> list[str]:
    (snapshot,) = folder.iterdir()
    return [f"--python-load-snapshot={snapshot.name}", f"--python-snapshot-dir={folder}"]


def from_snapshot(variant: str) -> dict[str, float | str]:
    """What a worker answers from a snapshot, and the CPU of that and of taking it."""
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as scratch:
        folder = Path(scratch)
        taking, restoring = Start(), Start()
        _start(variant, _saving(folder), taking)
        answer = _start(variant, _loading(folder), restoring)
    return {"answer": answer.decode(), "cpu": restoring.cpu[0], "cpu without": taking.cpu[0]}


def _fetch(port: int) -> bytes:
    with urllib.request.urlopen(_URL.format(port=port), timeout=60) as response:
        body: bytes = response.read()
    return body


def _start(variant: str, options: list[str], into: Start) -> bytes:
    # The time in which the config is written counts for none.
    with running(variant, None, *options) as server:
        answer = _fetch(server.port)
        into.seconds.append(time.monotonic() - server.started)
        into.cpu.append(server.cpu())
    return answer
