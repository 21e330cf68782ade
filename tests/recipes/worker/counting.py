import time
from typing import Any, Protocol
from urllib.parse import urlsplit

from partyserver import (
    Connection,
    ConnectionContext,
    Server,
    get_server_by_name,
    route_partykit_request,
)
from partyserver.schedule import Schedule
from workers import Request, Response, WorkerEntrypoint

SOON = 2  # seconds after which a change is reported
AGAIN = 120  # seconds between the reports of a room in which nothing changes
COUNTERS = 4


class Env(Protocol):
    Hall: Any
    Counter: Any


class Hall(Schedule, Server[Env]):
    options = {"hibernate": True}

    async def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        await self.schedule(SOON, self.report, idempotent=True)  # one timer, however many come

    async def on_close(
        self, connection: Connection, code: int, reason: str, was_clean: bool
    ) -> None:
        await self.schedule(SOON, self.report, idempotent=True)

    async def report(self) -> None:
        people = len(self.get_connections())
        counter = await get_server_by_name(self.env.Counter, counter_of(self.name))
        await counter.set_count(self.name, people)
        if people:
            await self.schedule(AGAIN, self.report_again, idempotent=True)

    async def report_again(self) -> None:
        await self.report()


class Counter(Server[Env]):
    migrations = ["create table room (name text primary key, people integer, seen real)"]

    def set_count(self, name: str, people: int) -> None:
        self.sql("insert or replace into room values (?, ?, ?)", name, people, time.time())

    def total(self) -> int:
        self.sql("delete from room where people = 0 or seen < ?", time.time() - 3 * AGAIN)
        return int(self.sql_value("select coalesce(sum(people), 0) from room"))


def counter_of(room: str) -> str:
    return f"counter-{sum(room.encode()) % COUNTERS}"


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        if urlsplit(request.url).path == "/people":
            total = 0
            for number in range(COUNTERS):
                counter = await get_server_by_name(self.env.Counter, f"counter-{number}")
                total += await counter.total()
            return Response.from_json({"people": total}, headers={"cache-control": "max-age=10"})
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
