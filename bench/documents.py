"""Shared documents beside those of npm's `y-partyserver`: the same clients' frames to both."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from .comparison import BASE, CONTROL, LIBRARY, Group, Row
from .load import Document, Load, Took
from .machine import resident_bytes
from .ratios import ratio
from .rounds import Samples
from .servers import Server, fetch, running
from .works import Work

#: Its table in the report.
TITLE = "documents"
SERVERS = {BASE: "npm_documents", CONTROL: "npm_documents", LIBRARY: "documents"}

#: What a room says to each who comes: it asks for what they have.
_GREETING = 1
_serial = itertools.count()


@dataclass(frozen=True)
class Keystrokes(Work):
    """In one room, by all in turn. The next one comes when all have heard of the one before."""

    slices = 3

    connections: int

    def prepare(self, load: Load, server: Server) -> None:
        path = _path(f"typing-{next(_serial)}")
        load.open(server.name, server.port, [path] * self.connections, greeting=_GREETING)
        load.listen(server.name)
        server.settle()

    def run(self, load: Load, server: Server, units: int) -> Took:
        return load.type(server.name, units)

    def finish(self, load: Load, server: Server) -> None:
        load.close(server.name)
        server.settle()


@dataclass(frozen=True)
class Newcomers(Work):
    """Who comes with nothing, until they have the whole document; somebody else is there."""

    document: Document

    @property
    def _path(self) -> str:
        return _path(f"read-{self.document.kind}-{self.document.size}")

    def prepare(self, load: Load, server: Server) -> None:
        load.open(_resident(server), server.port, [self._path], greeting=_GREETING)
        load.write(_resident(server), self.document)
        load.newcomers(_resident(server), server.port, self._path, 1, is_checked=True)
        load.open(server.name, server.port, [])
        server.settle()

    def run(self, load: Load, server: Server, units: int) -> Took:
        return load.newcomers(server.name, server.port, self._path, units)

    def clear(self, load: Load, server: Server) -> None:
        load.close(server.name, handshake=True)
        load.open(server.name, server.port, [])
        server.settle()

    def finish(self, load: Load, server: Server) -> None:
        load.close(server.name)
        load.close(_resident(server))
        server.settle()


def _resident(server: Server) -> str:
    return f"{server.name}, resident"


@dataclass(frozen=True)
class DocumentWakes(Work):
    """Rooms of two that sleep, each woken by a keystroke. It ends when the other has heard of it.

    The keystrokes are of clients of their own, since what npm's has not saved yet goes with its
    sleep here, which is put upon it sooner than it would come.
    """

    document: Document
    rooms: int

    @property
    def fixed(self) -> int:  # type: ignore[override]
        return self.rooms

    @property
    def _names(self) -> list[str]:
        return [f"asleep-{self.document.size}-{at}" for at in range(self.rooms)]

    def prepare(self, load: Load, server: Server) -> None:
        paths = [_path(name) for name in self._names]
        load.open(server.name, server.port, paths * 2, greeting=_GREETING)
        load.write(server.name, self.document, rooms=self.rooms)
        _saved(server, self._names, self.document.size // 2)
        self.clear(load, server)
        load.listen(server.name, rooms=self.rooms)
        self.clear(load, server)

    def run(self, load: Load, server: Server, units: int) -> Took:
        return load.wake(server.name, rooms=units)

    def clear(self, load: Load, server: Server) -> None:
        for name in self._names:
            fetch(server.evictor_port, f"/Notes/{name}")
        server.settle()

    def finish(self, load: Load, server: Server) -> None:
        load.close(server.name)
        server.settle()


def _path(room: str) -> str:
    return f"/parties/notes/{room}"


def _stored(server: Server, room: str) -> int:
    return int(json.loads(fetch(server.port, _path(room)))["stored"])


def _saved(server: Server, rooms: Sequence[str], size: int, *, seconds: float = 0.2) -> list[int]:
    """How much they have stored once it is so many bytes, and has not changed for a while."""
    deadline = time.monotonic() + 60
    before: list[int] = []
    since = time.monotonic()
    while (now := time.monotonic()) < deadline:
        found = [_stored(server, room) for room in rooms]
        if found != before or min(found) < size:
            before, since = found, now
        elif now - since >= seconds:
            return found
        time.sleep(0.2)
    raise RuntimeError(f"{server.name} has not saved all: {before}")


_KB = 1000
ROWS = [
    *(
        Row(f"a keystroke, room of {count}", Keystrokes(count), 2, warm_up=warm_up)
        for count, warm_up in ((2, 2000), (10, 1000), (50, 500))
    ),
    Row("a newcomer, 10 KB typed", Newcomers(Document(10 * _KB)), 3, warm_up=100),
    Row("a newcomer, 100 KB typed", Newcomers(Document(100 * _KB)), 3, warm_up=50),
    Row("a newcomer, 1 MB typed", Newcomers(Document(1000 * _KB)), 3, quick=False, warm_up=10),
    Row(
        "a newcomer, 1 MB pasted",
        Newcomers(Document(1000 * _KB, "pasted")),
        3,
        quick=False,
        warm_up=10,
    ),
    Row("a room wakes by a keystroke, 10 KB", DocumentWakes(Document(10 * _KB), 10), 2),
    Row(
        "a room wakes by a keystroke, 1 MB",
        DocumentWakes(Document(1000 * _KB), 2),
        2,
        quick=False,
    ),
]
GROUP = Group(TITLE, ROWS, SERVERS)


def titles() -> list[str]:
    return [row.title for row in ROWS]


@dataclass(frozen=True)
class Typed:
    """After many keystrokes in a room of two.

    Attributes:
        encoded: bytes that Yjs needs for the document.
        stored: bytes that are stored of it.
        memory: bytes of the process, and by how much they grew.
        cpu: seconds, from the first keystroke until all was stored.
    """

    keystrokes: int
    encoded: int
    stored: int
    memory: int
    grown: int
    cpu: float


#: One in so many is a backspace.
BACKSPACES = 0.1
_AT_ONCE = 1000


def type_much(variant: str, keystrokes: int) -> Typed:
    """By two people, a tenth of it backspaces, in a process of its own."""
    with running(variant, SERVERS.get(variant, variant)) as server, Load() as load:
        load.open("typing", server.port, [_path("long")] * 2, greeting=_GREETING)
        load.listen("typing")
        server.settle()
        memory, cpu = resident_bytes(server.pid), server.cpu()
        for _ in range(0, keystrokes, _AT_ONCE):
            load.type("typing", min(_AT_ONCE, keystrokes), window=20, backspaces=BACKSPACES)
        encoded = load.encoded_size("typing")
        # npm's saves two seconds after the last edit.
        (stored,) = _saved(server, ["long"], encoded // 2, seconds=5)
        load.newcomers("typing", server.port, _path("long"), 1, is_checked=True)
        server.settle()
        after = resident_bytes(server.pid)
        return Typed(
            keystrokes=keystrokes,
            encoded=encoded,
            stored=stored,
            memory=after,
            grown=after - memory,
            cpu=server.cpu() - cpu,
        )


def times(samples: dict[str, Samples]) -> dict[str, dict[str, Any]]:
    """Milliseconds on the clock for each unit, and their ratio to npm's: of what comes alone."""
    of = {
        name: [cpu / busy / 1000 for cpu, busy in zip(one.cpu, one.server_busy, strict=True)]
        for name, one in samples.items()
    }
    return {
        name: {"milliseconds": sorted(one)[len(one) // 2], "ratio": astuple(ratio(one, of[BASE]))}
        for name, one in of.items()
    }
