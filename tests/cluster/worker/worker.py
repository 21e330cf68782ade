"""The worker of the cluster's tests: rooms that number what they have written.

Each message is an entry of a room's ledger: it is written, and then acknowledged to its sender with
its number and told to all others. A number that is acknowledged twice, or one that is not in the
ledger afterwards, shows that two nodes had the room at once, or that a write was lost.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import uuid4

from js import Date, WebSocketRequestResponsePair
from partyserver import Connection, Server, get_server_by_name, route_partykit_request
from workers import Request, Response, WorkerEntrypoint


class Ledger(Server):
    options: ClassVar = {"hibernate": True}
    migrations: ClassVar = (
        "CREATE TABLE entries (number INTEGER PRIMARY KEY, entry TEXT UNIQUE, life TEXT NOT NULL)",
        "CREATE TABLE alarms (due REAL NOT NULL, ran REAL NOT NULL)",
        "CREATE TABLE crons (scheduled REAL NOT NULL, ran REAL NOT NULL)",
    )

    def on_start(self) -> None:
        #: Of one life in memory: another one shows that the room was started again.
        self.life = uuid4().hex
        # The platform answers it, also while the room sleeps, and does not wake it.
        pair = WebSocketRequestResponsePair.new("heartbeat", "alive")
        self.ctx.setWebSocketAutoResponse(pair)

    async def on_message(self, connection: Connection, message: str | bytes) -> None:
        entry = json.loads(message)
        if "ping" in entry:
            connection.send(json.dumps({"pong": entry["ping"], "life": self.life}))
        elif "alarm" in entry:
            due = Date.now() + entry["alarm"]
            await self.ctx.storage.setAlarm(due)
            self.kv["due"] = due
            connection.send(json.dumps({"due": due}))
        else:
            number = self.sql_value(
                "INSERT INTO entries (entry, life) VALUES (?, ?) RETURNING number",
                *(entry["entry"], self.life),
            )
            written = {"entry": entry["entry"], "number": number, "life": self.life}
            connection.send(json.dumps({"acknowledged": written}))
            self.broadcast(json.dumps({"written": written}), exclude=[connection])

    def on_alarm(self) -> None:
        due = self.kv["due"]
        self.sql("INSERT INTO alarms VALUES (?, ?)", due, Date.now())
        self.broadcast(json.dumps({"alarm": due}))

    def count(self, scheduled: float) -> None:
        self.sql("INSERT INTO crons VALUES (?, ?)", scheduled, Date.now())

    def on_request(self, request: Request) -> Response:
        held: dict[str, Any] = {
            "life": self.life,
            "entries": self.sql("SELECT * FROM entries ORDER BY number"),
            "alarms": self.sql("SELECT * FROM alarms"),
            "crons": self.sql("SELECT * FROM crons"),
        }
        return Response.json(held)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        return await route_partykit_request(request, self.env) or Response("Not found", status=404)

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        crons = await get_server_by_name(self.env.Ledger, "crons")
        await crons.count(controller.scheduledTime)
