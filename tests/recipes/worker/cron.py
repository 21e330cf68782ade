from typing import Any, Protocol

from partyserver import (
    Connection,
    ConnectionContext,
    Server,
    get_server_by_name,
    route_partykit_request,
)
from workers import Request, Response, WorkerEntrypoint

QUESTIONS = ("Tea or coffee?", "Mountains or the sea?", "Early or late?")


class Env(Protocol):
    Daily: Any


class Daily(Server[Env]):
    options = {"hibernate": True}

    def begin(self, day: str, question: str) -> None:  # over RPC
        if self.kv.get("day") == day:
            return  # a cron may come twice
        self.kv.update({"day": day, "question": question})
        self.broadcast_json({"type": "question", "day": day, "question": question})

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        day, question = self.kv.get("day"), self.kv.get("question")
        connection.send_json({"type": "question", "day": day, "question": question})


class Default(WorkerEntrypoint):
    env: Env

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        """Called at the times of `crons`."""
        day = int(controller.scheduledTime // 86_400_000)  # since 1970, in UTC
        room = await get_server_by_name(self.env.Daily, "world")
        await room.begin(str(day), QUESTIONS[day % len(QUESTIONS)])

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
