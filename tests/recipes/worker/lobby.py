import time
from typing import Any, Protocol

from partyserver import (
    Connection,
    ConnectionContext,
    Server,
    get_server_by_name,
    route_partykit_request,
)
from partyserver.schedule import Schedule
from workers import Request, Response, WorkerEntrypoint

SECONDS = 60


class Env(Protocol):
    Game: Any
    Rooms: Any


class Game(Schedule, Server[Env]):
    options = {"hibernate": True, "max_connections": 8}

    async def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        await self.schedule_every(SECONDS, self.report)  # while somebody is here
        self.ctx.waitUntil(self.report())  # nobody waits for the lobby

    def on_close(self, connection: Connection, code: int, reason: str, was_clean: bool) -> None:
        self.ctx.waitUntil(self.report())

    async def report(self) -> None:
        if not self.get_connections():
            for timer in self.list_schedules(callback=self.report):
                await self.cancel_schedule(timer.id)
        rooms = await get_server_by_name(self.env.Rooms, "all")
        await rooms.update(self.name, len(self.get_connections()))


class Rooms(Server[Env]):
    """The lobby, of which there is one. Whoever is connected sees the list live."""

    options = {"hibernate": True}
    migrations = ["create table room (name text primary key, players integer, seen real)"]

    def update(self, name: str, players: int) -> None:  # called by games
        self.sql("delete from room where name = ? or seen < ?", name, time.time() - 3 * SECONDS)
        if players:
            self.sql("insert into room values (?, ?, ?)", name, players, time.time())
        self.broadcast_json(self.shown())

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        connection.send_json(self.shown())

    def shown(self) -> dict[str, Any]:
        rows = self.sql("select name, players from room order by players desc limit 100")
        return {"type": "rooms", "rooms": rows}


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
