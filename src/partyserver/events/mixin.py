"""`Events`, the mixin, and `@on`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..parts import Mark, attach
from ..reserved import life_of
from .annotations import annotation_of, events_in
from .event import Event
from .handlers import EXAMPLE, ON
from .part import EVENTS

if TYPE_CHECKING:
    from ..connection import Connection

Room = TypeVar("Room")
Handled = TypeVar("Handled", bound=Event)
Result = TypeVar("Result")


def on(
    method: Callable[[Room, Connection, Handled], Result], /
) -> Callable[[Room, Connection, Handled], Result]:
    """Have a method called with the events that the annotation of its second parameter names.

        class Chat(Events, Server):
            @on
            def say(self, connection: Connection, event: Say):
                self.emit(Said(connection.id, event.text))

    The method may be plain or async, and fails as `on_message` does. Its annotation may be a union,
    `event: Say | Shout`. A subclass may override it, with or without `@on`, and calls no `super()`.
    It cannot be called over RPC.

    Mistakes are a `TypeError` when the class is created: an annotation that is no event, two
    methods for one type, a type that another mixin of the class sends itself.
    """
    if not isinstance(method, FunctionType):
        given = f"@on({method.__name__})" if isinstance(method, type) else "@on"
        raise TypeError(
            f"{given}: @on takes no arguments and goes on a method, whose second parameter has the "
            f"event for its annotation, {EXAMPLE}"
        )
    Mark(EVENTS, ON, "Events", _events_of(method)).put_on(method)
    return method


def _events_of(method: Any) -> list[Any] | None:
    """The events, if the annotation is a text that can be read now; later its scopes are gone."""
    annotation = annotation_of(method)
    if not isinstance(annotation, str):
        return None
    frame = sys._getframe(2)  # of the class; and of the function, if the class is in one
    around = frame.f_back
    try:
        return events_in(annotation, method, around.f_locals if around else {}, frame.f_locals)
    except (NameError, TypeError):  # as for all others, when the class is created
        return None


@attach(EVENTS)
class Events:
    """A room whose clients send and get typed messages, in JSON.

        class Chat(Events, Server):
            sends: ClassVar = (Said,)

            @on
            def say(self, connection: Connection, event: Say):
                self.emit(Said(connection.id, event.text), exclude=[connection])

    It takes all text. What is no JSON object, has an unknown `type`, or does not validate, reaches
    no method, and its sender is told what is wrong, and where:

        {"type": "error", "error": "$.text: Expected `str`, got `int`", "event": "say"}

    `event` is the type that was sent, if there is one. Binary messages go to `on_message`, and so
    does text in a class without any `@on`.
    """

    sends: ClassVar[Sequence[type[Event]]] = ()
    """The events that clients may get, for `partyserver types`. Those of bases count, too. Others
    may be sent all the same."""

    def emit(
        self,
        event: Event,
        *,
        to: Connection | Iterable[Connection] | str | None = None,
        exclude: Iterable[str | Connection] = (),
    ) -> None:
        """Send an event to every open connection, or to some, but for those in `exclude`.

            self.emit(Said("a", "hello"))
            self.emit(Said("a", "hello"), to=connection)
            self.emit(Said("a", "hello"), to="team:red", exclude=[connection])

        `to` is a connection, several of them, or a tag. A connection's id is one of its tags, and
        any client may choose any id: what only some may hear must not be sent by a tag alone. None
        is everybody: mind a `get_connection(id)` that has found nobody. `exclude` holds connections
        and ids, as in `broadcast`. The event is encoded once.
        Connections that have closed are left out.

        Raises:
            TypeError: `event` is no event, or holds what JSON cannot; or `to` or `exclude` holds
                anything else. Nobody has got anything.
            ValueError: the event holds NaN or infinity, which JSON has not, or has more than 500
                levels. Likewise.
        """
        life = life_of(self)
        text = life.kept_by_parts[EVENTS].text_of(event)
        if to is None:
            life.connections.broadcast(text, exclude)
        else:
            life.connections.send_to(text, to, exclude)
