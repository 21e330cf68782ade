"""A room that overrides, without `super()`, and whose annotations Python reads when asked."""

from typing import TYPE_CHECKING

from partyserver.events import Event, on
from typed import Said, Say, Typed

if TYPE_CHECKING:
    from partyserver import Connection, ConnectionContext

__all__ = ["Quieter", "QuieterSleepy"]


class Whisper(Event):
    text: str
    to: str


class Quieter(Typed):
    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        """A hook, whose annotations are not there either."""

    def say(self, connection: Connection, event: Say) -> None:
        self.emit(Said("somebody", event.text))

    @on
    def whisper(self, connection: Connection, event: Whisper) -> None:
        self.emit(Said(connection.id, event.text), to=event.to)


class QuieterSleepy(Quieter):
    options = {"hibernate": True}
