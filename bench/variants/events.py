"""The same room, once with `Events`, and once by hand."""

from typing import Annotated

from partyserver import Server, parse_json, route_partykit_request
from partyserver.events import Event, Events, Meta, on
from workers import Response, WorkerEntrypoint


class Say(Event):
    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class Move(Event):
    x: int
    y: int


class Said(Event):
    id: str
    text: str


class Echo(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.send(message)


class Typed(Events, Server):
    options = {"hibernate": True}

    @on
    def say(self, connection, event: Say):
        self.emit(Said("somebody", event.text), to=connection)

    @on
    def move(self, connection, event: Move): ...


class ByHand(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        try:
            event = parse_json(message)
        except ValueError:
            connection.send_json({"type": "error", "error": "not JSON"})
            return
        match event:
            case {"type": "say", "text": str(text)} if 1 <= len(text) <= 2000:
                said = {"type": "said", "id": "somebody", "text": text}
                connection.send_json(said)
            case {"type": "move", "x": int(), "y": int()}:
                pass
            case _:
                connection.send_json({"type": "error", "error": "no such event"})


class TypedRoom(Events, Server):
    options = {"hibernate": True}

    @on
    def say(self, connection, event: Say):
        self.emit(Said("somebody", event.text))


class ByHandRoom(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        event = parse_json(message)
        match event:
            case {"type": "say", "text": str(text)} if 1 <= len(text) <= 2000:
                self.broadcast_json({"type": "said", "id": "somebody", "text": text})


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("none", status=404)
