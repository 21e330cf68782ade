"""Rooms whose clients send and get typed messages."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Struct
from partyserver import ClientError, Server, get_server_by_name
from partyserver.events import Event, Events, Meta, on
from partyserver.history import History
from partyserver.parts import NOT_MINE, Part, attach
from partyserver.presence import Presence
from workers import Response

if TYPE_CHECKING:  # as users do, and the annotations are read all the same
    from partyserver import Connection, ConnectionContext
    from workers import Request


__all__ = [
    "Called",
    "CalledSleepy",
    "Full",
    "FullSleepy",
    "Mute",
    "MuteSleepy",
    "Typed",
    "TypedSleepy",
]


class Say(Event):
    """A text for all others."""

    text: Annotated[str, Meta(min_length=1, max_length=2000, description="What is said.")]


class Shout(Event):
    text: str
    times: Annotated[int, Meta(ge=1, le=3)] = 1


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Piece(Struct, rename="camel"):
    short_name: str
    color: Color = Color.RED


class Place(Event):
    piece: Piece
    at: tuple[int, int]
    history: list[Piece] = []
    mode: Literal["fast", "slow"] | None = None
    picture: bytes = b""
    when: datetime | None = None
    notes: dict[str, int | str] = {}


class Span(Event):
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("first is behind last")
        if self.first == self.last:
            raise TypeError("of the room's own code")
        if self.first < 0:
            raise ClientError("no negatives", code="negative")


class Act(Event):
    how: str


class Tell(Event):
    """Has the room send to some."""

    to: Literal[
        "all",
        "me",
        "others",
        "tag",
        "ids",
        "closed",
        "infinity",
        "half",
        "deep",
        "wrong",
        "no event",
    ]
    value: Any = None


class Said(Event):
    id: str
    text: str


class Told(Event, omit_defaults=True):
    value: Any = None


class Later:
    """An awaitable that gives a coroutine."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.send()

    async def send(self) -> None:
        await asyncio.sleep(0)
        self.connection.send("done")


class Typed(Events, Server):
    sends: ClassVar = (Said, Told)

    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> list[str]:
        return ["red"] if connection.id.startswith("red") else []

    @on
    def say(self, connection: Connection, event: Say) -> None:
        self.emit(Said(connection.id, event.text), exclude=[connection])

    @on
    async def shout(self, connection: Connection, event: Shout) -> None:
        await asyncio.sleep(0)
        self.emit(Said(connection.id, event.text.upper() * event.times))

    @on
    def set(self, connection: Connection, event: Place | Span) -> None:
        connection.send(repr(event))

    @on
    def act(self, connection: Connection, event: Act) -> Any:
        match event.how:
            case "refuse":
                raise ClientError("not now", code="later")
            case "exit":
                sys.exit("acted")
            case "exit later":
                return self.exit_later()
            case "cancelled":
                return self.cancelled()
            case "awaitable":
                return Later(connection)
        raise RuntimeError("acted")

    async def exit_later(self):
        await asyncio.sleep(0)
        sys.exit("acted")

    async def cancelled(self):
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    @on
    def tell(self, connection: Connection, event: Tell) -> None:
        told = Told(event.value)
        match event.to:
            case "all":
                self.emit(told)
            case "me":
                self.emit(told, to=connection)
            case "others":
                self.emit(told, to=self.get_connections(), exclude=[connection])
            case "tag":
                self.emit(told, to="red", exclude=["red 2"])
            case "ids":
                self.emit(told, exclude=["red 1", connection])
            case "closed":
                ends = self.get_connection("end")
                assert ends is not None
                ends.close(4000)
                self.emit(told, to=[ends, connection])
                self.emit(told, to=ends)
            case "infinity":
                self.emit(Told([float("inf")]))
            case "half":
                self.emit(Told("\ud83d"))
            case "deep":
                self.emit(Told(reduce(lambda value, _: [value], range(1000), event.value)))
            case "wrong":
                self.emit(told, to=["red"])  # type: ignore[list-item]
            case "no event":
                self.emit({"type": "told"})  # type: ignore[arg-type]

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        connection.send(message)

    def on_exception(self, error: Exception) -> None:
        for connection in self.get_connections():
            connection.send(f"{error.__notes__[0]}: {type(error).__name__}: {error}")

    async def on_request(self, request: Request) -> Response:
        """The path names a method, which is called over RPC in another room."""
        name = request.url.rpartition("/")[2]
        another = await get_server_by_name(self.env.Typed, "another")
        try:
            return Response(await getattr(another, name)())
        except Exception as error:
            return Response(str(error), status=400)

    def open_to_all(self) -> str:
        return "called"


class TypedSleepy(Typed):
    options = {"hibernate": True}


class Mute(Events, Server):
    """Without any `@on`: it sends events, and takes texts."""

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        self.emit(Told(len(message)))


class MuteSleepy(Mute):
    options = {"hibernate": True}


def claim(server: Any, connection: Connection, message: str | bytes) -> Any:
    if message == '{"type":"rpc"}':
        connection.send("called")
        return None
    return NOT_MINE


@attach(Part(name="calling", rank=100, message=claim, leaves_text=True, reserves=("rpc",)))
class Calling:
    """As an agent, which leaves what it does not know to `on_message`."""


class Called(Calling, Typed): ...


class CalledSleepy(Called):
    options = {"hibernate": True}


class Full(History, Presence, Events, Server):
    """With all that puts frames of its own on the wire."""

    sends: ClassVar = (Said,)

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        self.track(connection, connection.id)

    @on
    def say(self, connection: Connection, event: Say) -> None:
        self.publish({"text": event.text})
        self.emit(Said(connection.id, event.text), to=connection)


class FullSleepy(Full):
    options = {"hibernate": True}
