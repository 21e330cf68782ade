"""What is measured: each work is a unit that a server does many times."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass

from .load import Load, Message, Took
from .servers import Server

_serial = itertools.count()

ECHO = Message()


class Work(ABC):
    """One at a time is under way against a server: prepared, run many times, finished.

    Only `run` is measured.
    """

    #: A round is cut into so many short ones, of which what disturbs the machine spoils only some.
    slices = 1

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

    @property
    def granularity(self) -> int:
        # Every room has its turn, so none sleeps: a room does after ten seconds without an event.
        return self.message.fanout * self.rooms

    def prepare(self, load: Load, server: Server) -> None:
        names = [f"{next(_serial)}{self.suffix}" for _ in range(self.rooms)]
        paths = [f"/parties/{self.party}/{name}" for name in names] * self.connections
        load.open(server.name, server.port, paths)
        load.probe(server.name, self.message)
        server.settle()

    def run(self, load: Load, server: Server, units: int) -> Took:
        messages = units // self.message.fanout
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

    def run(self, load: Load, server: Server, units: int) -> Took:
        run = next(_serial)
        rooms = [f"{run}-{at}" for at in range(units)] if self.fresh_rooms else ["room"]
        return load.http(server.port, [f"/parties/room/{room}" for room in rooms], units)


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
