"""Typed messages, as users write them: what type checkers accept, and what they refuse.

Read, and not run, as rooms.py.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, assert_type

from partyserver import Connection, Server
from partyserver.events import Event, Events, Meta, on

# --- accepted -------------------------------------------------------------------------


class Say(Event):
    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    loud: bool = False


class Move(Event, tag="moved"):
    x: int


class Said(Event, omit_defaults=True):
    id: str
    text: str


type Command = Say | Move


class Chat(Events, Server):
    options = {"hibernate": True}
    sends: ClassVar = (Said,)

    @on
    def say(self, connection: Connection, event: Say) -> None:
        assert_type(event, Say)
        self.emit(Said(connection.id, event.text), exclude=[connection])
        self.emit(Said(connection.id, event.text), to=connection)
        self.emit(Said("a", "b"), to=[connection], exclude=[connection.id])
        self.emit(Said("a", "b"), to=self.get_connections())
        self.emit(Said("a", "b"), to="team:red", exclude=(connection, "a"))

    @on
    async def move(self, connection: Connection, event: Move) -> None: ...

    @on
    def many(self, connection: Connection, event: Say | Move) -> None:
        if isinstance(event, Move):
            assert_type(event.x, int)

    @on
    def named(self, connection: Connection, event: Command) -> Any: ...

    @on
    def unannotated_connection(self, connection: Any, event: Say) -> None: ...


class Plain(Events, Server):
    sends = (Said, Move)


class Listed(Events, Server):
    sends: ClassVar[Sequence[type[Event]]] = [Said]


class Louder(Listed):
    sends: ClassVar[Sequence[type[Event]]] = [Said, Move]


class Quieter(Chat):
    def say(self, connection: Connection, event: Say) -> None: ...

    @on
    async def move(self, connection: Connection, event: Move) -> None: ...


def what_things_are(chat: Chat, connection: Connection, say: Say) -> None:
    assert_type(Say("a").text, str)
    assert_type(Say(text="a", loud=True), Say)
    assert_type(chat.say(connection, say), None)
    assert_type(chat.emit(say), None)


# --- refused --------------------------------------------------------------------------


class Wrong(Events, Server):
    sends = (Connection,)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    @on  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    def no_event(self, connection: Connection, event: str) -> None: ...

    @on  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    def too_few(self, event: Say) -> None: ...

    @on  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    def no_connection(self, connection: str, event: Say) -> None: ...


def misuse(chat: Chat, connection: Connection) -> None:
    Say()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Say(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chat.emit({"type": "said"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chat.emit(Said)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chat.emit(Said("a", "b"), connection)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    chat.emit(Said("a", "b"), to=["red"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    chat.emit(Said("a", "b"), to=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chat.say(connection, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
