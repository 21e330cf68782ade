from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from partyserver import Connection, Server, route_partykit_request
from partyserver.events import Event, Events, Meta, on
from workers import Request, Response, WorkerEntrypoint


class Env(Protocol):
    Match: Any
    DB: Any  # a D1 database


class Point(Event):  # {"type": "point", "player": "ann"}
    player: Annotated[str, Meta(min_length=1, max_length=32)]


class End(Event):
    pass


class Match(Events, Server[Env]):
    """What happens in one match stays in the room. What is asked of all matches goes to D1."""

    options = {"hibernate": True}
    migrations = ["create table point (player text primary key, points integer)"]

    @on
    def point(self, connection: Connection, event: Point) -> None:
        query = "insert into point values (?, 1) on conflict do update set points = points + 1"
        self.sql(query, event.player)

    @on
    async def end(self, connection: Connection, event: End) -> None:
        insert = self.env.DB.prepare("insert or replace into result values (?, ?, ?)")
        rows = self.sql("select player, points from point")
        if rows:  # all or nothing, and again without harm: room and player are the key
            await self.env.DB.batch(
                [insert.bind(self.name, row["player"], row["points"]) for row in rows]
            )
        self.broadcast_json({"type": "ended"})


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        if urlsplit(request.url).path == "/best":
            query = "select player, sum(points) as points from result group by player"
            best = await self.env.DB.prepare(f"{query} order by points desc limit 10").all()
            return Response.from_json([dict(row) for row in best["results"]])
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
