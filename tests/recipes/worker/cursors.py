import asyncio
from typing import ClassVar

from partyserver import Connection, Server, route_partykit_request
from partyserver.events import Event, Events, on
from workers import Request, Response, WorkerEntrypoint

INTERVAL = 0.05  # seconds: 20 times a second


class Move(Event):  # {"type": "move", "x": 0.5, "y": 0.25}
    x: float
    y: float


class Cursors(Event):
    """By connection: where it has moved to."""

    moved: dict[str, tuple[float, float]]


class Gone(Event):
    id: str


class Canvas(Events, Server):
    options = {
        "hibernate": True,
        "max_message_size": 200,
        "rate": {"messages": 25, "burst": 50, "action": "drop"},
        "max_connections": 50,
    }
    sends: ClassVar = (Cursors, Gone)

    def on_start(self) -> None:
        self.moved: dict[str, tuple[float, float]] = {}  # since the last frame

    @on
    async def move(self, connection: Connection, event: Move) -> None:
        is_first = not self.moved
        self.moved[connection.id] = (event.x, event.y)
        if is_first:  # it waits, and sends what has come in meanwhile with its own
            await asyncio.sleep(INTERVAL)
            frame, self.moved = Cursors(self.moved), {}
            self.emit(frame)

    def on_close(self, connection: Connection, code: int, reason: str, was_clean: bool) -> None:
        self.emit(Gone(connection.id))


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
