"""An agent with typed messages."""

from partyserver import agents
from partyserver.events import Event, Events, on


class Say(Event):
    text: str


class Said(Event):
    text: str


class Typed(Events, agents.Agent):
    initial_state = 0

    @on
    def say(self, connection, event: Say):
        self.emit(Said(event.text), to=connection)

    def on_message(self, connection, message):
        connection.send(f"hook: {message!r}")

    @agents.callable
    def add(self, by: int):
        self.set_state(self.state + by)
        return self.state
