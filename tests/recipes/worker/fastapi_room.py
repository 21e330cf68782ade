from typing import Annotated, Any

import fastapi
from partyserver import Connection, ConnectionContext, Server, route_partykit_request
from partyserver.asgi import respond
from pydantic import BaseModel, StringConstraints
from workers import Request, Response, WorkerEntrypoint

api = fastapi.FastAPI(docs_url=None, redoc_url=None)


class Vote(BaseModel):
    voter: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    choice: Annotated[str, StringConstraints(min_length=1, max_length=64)]


def the_room(request: fastapi.Request) -> Any:
    return request.scope["partyserver.server"]


Room = Annotated[Any, fastapi.Depends(the_room)]


@api.get("/votes")
async def votes(room: Room) -> dict[str, int]:
    tally: dict[str, int] = room.tally()
    return tally


@api.post("/votes", status_code=201)
async def vote(vote: Vote, room: Room) -> dict[str, int]:
    room.sql("insert or replace into vote values (?, ?)", vote.voter, vote.choice)
    tally: dict[str, int] = room.tally()
    room.broadcast_json({"type": "votes", "votes": tally})
    return tally


class Poll(Server):
    options = {"hibernate": True}
    migrations = ["create table vote (voter text primary key, choice text)"]

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        connection.send_json({"type": "votes", "votes": self.tally()})

    async def on_request(self, request: Request) -> Response:
        return await respond(api, request, self.env, server=self)

    def tally(self) -> dict[str, int]:
        rows = self.sql("select choice, count(*) as votes from vote group by choice")
        return {row["choice"]: row["votes"] for row in rows}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
