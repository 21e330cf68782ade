"""The servers that are compared, each in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.ports import reserved

from .machine import SERVER_CORE, cpu_seconds, on_core
from .paths import LIBRARY, MSGSPEC, ROOT, VARIANTS, WORK
from .workerd import Worker, serve

_BASIC = ("Echo", "AsyncEcho", "Room", "Others")
_ALL = (*_BASIC, "Tagged", "Stateful")
_OURS = (*_ALL, "Caller")
_STEPS = (
    *("Naive", "Plain", "Cached", "Bound", "Direct", "Fronted", "Dispatched"),
    *("DispatchedBinary", "CopiedBinary", "DispatchedAsync"),
)
_ROOM_STEPS = ("RoomNaive", "RoomPlain", "RoomBound", "RoomFanout")

_ROOMS = (
    *("Chat", "Moves", "Who", "Teams", "TeamsAtOnce", "Keyed", "Counted", "Noted"),
    *("Scored", "Rows", "RowsAsJson", "Values", "Calls", "Sleeping", "Typed"),
)
_LEAST_ROOMS = ("Chat", "Moves", "Teams", "Keyed", "Rows", "RowsAsJson", "Calls")

_CAPACITY = (
    *("Echo", "Everybody", "Written", "Read"),
    *("Chat", "Cursors", "CollectedCursors", "Game"),
)
#: What `rooms.py` imports.
_WITH_EVENTS = (LIBRARY, MSGSPEC, VARIANTS / "events.py")

_AGENTS = ("Plain", "Counter")
_CAPABILITIES = ("Echo", "Idle", "Rated", "Publishing", "Writing")
_EVENTS = ("Echo", "Typed", "ByHand", "TypedRoom", "ByHandRoom")

WORKERS = {
    worker.name: worker
    for worker in (
        Worker("npm", "npm.js", _ALL),
        Worker("library", "library.py", _OURS, (LIBRARY,)),
        Worker("unshortened", "unshortened.py", _OURS, (LIBRARY, VARIANTS / "library.py")),
        Worker("with_part", "with_part.py", _OURS, (LIBRARY, VARIANTS / "library.py")),
        Worker("naive", "naive.py", _BASIC),
        Worker("raw", "raw.js", _BASIC),
        Worker("steps", "steps.py", (*_STEPS, *_ROOM_STEPS), (LIBRARY,)),
        Worker("least", "least.py", ("Room", "Echo"), (LIBRARY,)),
        Worker("least_rooms", "least_rooms.py", _LEAST_ROOMS, (LIBRARY, VARIANTS / "steps.py")),
        Worker("rooms", "rooms.py", _ROOMS, _WITH_EVENTS, has_evictor=True),
        Worker("npm_rooms", "rooms.js", _ROOMS, has_evictor=True),
        Worker("raw_rooms", "rooms_raw.js", _ROOMS, has_evictor=True),
        Worker("capacity", "capacity.py", _CAPACITY, (*_WITH_EVENTS, VARIANTS / "rooms.py")),
        Worker("npm_capacity", "capacity.js", _CAPACITY),
        Worker("agents", "agents.py", _AGENTS, (LIBRARY,)),
        Worker("sdk_agents", "agents.ts", _AGENTS, has_agents_sdk=True),
        Worker("documents", "documents.py", ("Notes",), (LIBRARY,), has_evictor=True),
        Worker("npm_documents", "documents.js", ("Notes",), has_evictor=True),
        Worker("empty", "empty.py"),
        Worker("capabilities", "capabilities.py", _CAPABILITIES, (LIBRARY,)),
        Worker("events", "events.py", _EVENTS, (LIBRARY, MSGSPEC)),
        Worker("logged", "logged.py", ("Room", "Echo", "Logging"), (LIBRARY,)),
    )
}

#: Not on workerd, but on uvicorn: the modules of the apps.
FASTAPI = {
    "fastapi": "fastapi_app",
    "fastapi_capacity": "fastapi_capacity",
    "fastapi_hosting": "fastapi_hosting",
}

#: Those of them that are this library with all of its classes, written in different ways.
LIBRARIES = tuple(worker.name for worker in WORKERS.values() if worker.classes == _OURS)


@dataclass(frozen=True)
class Server:
    name: str
    pid: int
    port: int
    #: When the process was started, on the monotonic clock.
    started: float
    #: Puts rooms to sleep; 0 if there is none.
    evictor_port: int = 0

    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def settle(self) -> None:
        """Wait until the server has done what it still had to do."""
        deadline = time.monotonic() + 60
        quiet = 0
        while quiet < 3 and time.monotonic() < deadline:
            before = self.cpu()
            time.sleep(0.02)
            quiet = quiet + 1 if self.cpu() - before < 0.001 else 0


def fetch(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def running(
    name: str,
    variant: str | Worker | None = None,
    *options: str,
    v8_flags: Sequence[str] = (),
    in_memory: bool = False,
    classes: Sequence[str] | None = None,
) -> Iterator[Server]:
    """Run `variant` (by default the worker called `name`) on the servers' core.

    Of its Durable Object classes those in `classes` are bound, by default all.
    """
    variant = variant or name
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK, prefix=f"{name}-".replace(" ", "-")) as scratch:
        folder = Path(scratch)
        started = time.monotonic()
        if isinstance(variant, str) and variant in FASTAPI:
            process, ports = _fastapi(FASTAPI[variant], folder)
        else:
            worker = variant if isinstance(variant, Worker) else WORKERS[variant]
            worker = replace(worker, v8_flags=v8_flags, in_memory=in_memory)
            if classes is not None:
                worker = replace(worker, classes=classes)
            config = worker.build(folder)
            started = time.monotonic()
            process, ports = serve(config, *options, log=folder / "log")
        try:
            yield Server(name, process.pid, ports["http"], started, ports.get("evictor", 0))
        finally:
            process.kill()
            process.communicate()


def _fastapi(app: str, storage: Path) -> tuple[subprocess.Popen[str], dict[str, int]]:
    with reserved() as port:
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(VARIANTS), f"{app}:app"]
        process = subprocess.Popen(
            [*command, f"--port={port}", "--no-access-log", "--log-level=warning"],
            cwd=ROOT,
            env={**os.environ, "STORAGE": str(storage)},
            text=True,
            preexec_fn=partial(on_core, SERVER_CORE),
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process, {"http": port}
            if process.poll() is not None:
                break
            time.sleep(0.05)
    process.kill()
    raise RuntimeError("uvicorn did not start")
