"""What is measured: each work is a unit that a server does many times."""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .load import Load, Message, Took
from .servers import Server, fetch

_serial = itertools.count()

ECHO = Message()


class Work(ABC):
    """One at a time is under way against a server: prepared, run many times, finished.

    Only `run` is measured.
    """

    #: A round is cut into so many short ones, of which what disturbs the machine spoils only some.
    slices = 1

    #: So many units are a run, where it cannot have more; else they are as many as take some time.
    fixed: int | None = None

    @property
    def granularity(self) -> int:
        """The units of a run are a multiple of these."""
        return 1

    def prepare(self, load: Load, server: Server) -> None:
        """Before the first run."""
        return

    @abstractmethod
    def run(self, load: Load, server: Server, units: int) -> Took:
        """Do so many units."""

    def clear(self, load: Load, server: Server) -> None:
        """After each run."""
        return

    def finish(self, load: Load, server: Server) -> None:
        """After the last run."""
        return


@dataclass(frozen=True)
class Messages(Work):
    """Messages on sockets that are open: echoes, or deliveries to a room.

    A unit is a frame that comes back, so an echo is one and a delivery is one.
    """

    slices = 3

    party: str
    connections: int = 1
    message: Message = ECHO
    #: The answers to so many messages are under way at the same time.
    window: int = 100
    rooms: int = 1
    #: Ends the room's name, for a party that reads a number there.
    suffix: str = ""
    #: The queries of the connections' URLs, which they take in turn.
    queries: Sequence[str] = ("",)
    #: Whether a message that is sent counts once, and not each that comes back.
    each_is_a_unit: bool = False
    #: Begins the URL's path.
    prefix: str = "parties"
    #: So many messages come to each connection before it sends any.
    greeting: int = 0

    @property
    def granularity(self) -> int:
        # Every room has its turn, so none sleeps: a room does after ten seconds without an event.
        return self.rooms if self.each_is_a_unit else self.message.fanout * self.rooms

    def prepare(self, load: Load, server: Server) -> None:
        names = [f"{next(_serial)}{self.suffix}" for _ in range(self.rooms)]
        queries = itertools.islice(itertools.cycle(self.queries), self.connections)
        party = f"/{self.prefix}/{self.party}"
        paths = [f"{party}/{name}{query}" for query in queries for name in names]
        # The first of a room alone: others would also hear of what it makes when it begins.
        alone = len(names) if self.greeting else 0
        for some in (paths[:alone], paths[alone:]):
            load.open(server.name, server.port, some, greeting=self.greeting)
        load.probe(server.name, self.message)
        server.settle()

    def run(self, load: Load, server: Server, units: int) -> Took:
        messages = units if self.each_is_a_unit else units // self.message.fanout
        return load.run(server.name, messages, self.message, window=self.window)

    def finish(self, load: Load, server: Server) -> None:
        load.close(server.name)
        server.settle()


def echo(size: int = 32, *, binary: bool = False, asynchronous: bool = False) -> Messages:
    party = "async-echo" if asynchronous else "echo"
    window = max(1, min(100, 1_000_000 // size))
    return Messages(party, message=Message(size, binary), window=window)


def deliveries(connections: int, *, binary: bool = False, exclude: bool = False) -> Messages:
    fanout = connections - 1 if exclude else connections
    return Messages(
        "others" if exclude else "room",
        connections,
        Message(32, binary, fanout),
        window=max(1, 1000 // connections),
    )


@dataclass(frozen=True)
class Requests(Work):
    """HTTP requests: to one room, or each to a room that is made for it."""

    fresh_rooms: bool = False
    party: str = "room"
    room: str = "room"
    #: The JSON that has to come, if it matters.
    answer: Any = None

    def prepare(self, load: Load, server: Server) -> None:
        if self.answer is not None:
            found = json.loads(fetch(server.port, f"/parties/{self.party}/{self.room}"))
            if found != self.answer:
                raise RuntimeError(f"another answer of {server.name}: {str(found)[:200]}")

    def run(self, load: Load, server: Server, units: int) -> Took:
        run = next(_serial)
        rooms = [f"{run}-{at}" for at in range(units)] if self.fresh_rooms else [self.room]
        return load.http(server.port, [f"/parties/{self.party}/{room}" for room in rooms], units)


@dataclass(frozen=True)
class Connects(Work):
    """New connections to one room, or each to a fresh one; with `and_closes`, their end too."""

    and_closes: bool = False
    fresh_rooms: bool = False
    party: str = "echo"
    room: str = "connects"

    def prepare(self, load: Load, server: Server) -> None:
        self.run(load, server, 1)
        self.clear(load, server)

    def run(self, load: Load, server: Server, units: int) -> Took:
        rooms = (
            [f"{next(_serial)}-{at}" for at in range(units)]
            if self.fresh_rooms
            else [self.room] * units
        )
        opening = load.open(
            server.name, server.port, [f"/parties/{self.party}/{room}" for room in rooms]
        )
        if not self.and_closes:
            return opening
        closing = load.close(server.name, handshake=True)
        return Took(opening.seconds + closing.seconds, opening.cpu + closing.cpu)

    def clear(self, load: Load, server: Server) -> None:
        if not self.and_closes:
            load.close(server.name)
        server.settle()


@dataclass(frozen=True)
class Wakes(Work):
    """Rooms that sleep, each with so many connections, woken by a message or by HTTP."""

    connections: int = 1
    rooms: int = 1
    by_http: bool = False

    @property
    def fixed(self) -> int:  # type: ignore[override]
        return self.rooms

    @property
    def _names(self) -> list[str]:
        return [f"{self.connections}-{at}" for at in range(self.rooms)]

    @property
    def _message(self) -> Message:
        return Message(reply=str(self.connections))

    def prepare(self, load: Load, server: Server) -> None:
        paths = [f"/parties/sleeping/{name}" for name in self._names]
        load.open(server.name, server.port, paths * self.connections)
        load.probe(server.name, self._message)
        self.clear(load, server)

    def run(self, load: Load, server: Server, units: int) -> Took:
        if not self.by_http:
            # Sockets take turns, and those of a room do not follow each other.
            return load.run(server.name, units, self._message, window=100)
        return load.http(server.port, [f"/parties/sleeping/{name}" for name in self._names], units)

    def clear(self, load: Load, server: Server) -> None:
        for name in self._names:
            fetch(server.evictor_port, f"/Sleeping/{name}")
        server.settle()

    def finish(self, load: Load, server: Server) -> None:
        load.close(server.name)
        server.settle()
