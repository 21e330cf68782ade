"""Rooms with migrations. A class of theirs is of the version that was deployed last."""

from typing import Any, ClassVar

from partyserver import Server, get_server_by_name
from workers import Response

FIRST = ["create table entry (text text)", "insert into entry values ('first')"]

#: What each version lists.
VERSIONS: dict[str, Any] = {
    "first": FIRST,
    "second": [*FIRST, "insert into entry values ('second')"],
    "formatted": ["\n  create table  entry\n (text text)\n", FIRST[1]],
    "changed": [FIRST[0], "insert into entry values ('changed')"],
    "broken": [
        *FIRST,
        "insert into entry values ('second'); create table half (a)",
        "insert into entry values ('half'); insert into nowhere values (1)",
    ],
    "mended": [
        *FIRST,
        "insert into entry values ('second'); create table half (a)",
        "insert into entry values ('mended')",
    ],
    "none": [],
    "renamed": ["insert into entry values ('renamed')"],
}


class Deployed(Server):
    def __new__(cls, ctx, env):
        """An object of the class that this deployment has under the name."""
        version = ctx.storage.kv.get("version") or "first"
        name = "Renamed" if version == "renamed" else "Deployed"
        members = {"migrations": VERSIONS[version], "__module__": f"version_{version}"}
        return super().__new__(type(name, (cls,), members))

    def on_start(self):
        self.at_start = self.entries()

    def entries(self):
        return [row["text"] for row in self.sql("select text from entry order by rowid")]

    async def fetch(self, request):
        """It runs before the migrations."""
        path = request.url.partition("/room")[2] or "/"
        if path.startswith("/deploy/"):
            self.kv["version"] = path.removeprefix("/deploy/")
        elif path == "/tables":
            tables = self.sql("select name from sqlite_master where type = 'table'")
            return Response.from_json(
                sorted(row["name"] for row in tables if row["name"] != "_cf_KV")
            )
        elif path == "/forget":
            version = self.kv.get("version")
            await self.ctx.storage.deleteAll()
            self.kv["version"] = version
        else:
            return await super().fetch(request)
        return Response("done")

    def on_request(self, request):
        return Response.from_json(self.at_start)

    def on_connect(self, connection, ctx):
        connection.send_json(self.at_start)

    def on_message(self, connection, message):
        connection.send_json(self.entries())

    def on_alarm(self):
        self.sql("insert into entry values ('alarm')")

    async def set_alarm(self):
        await self.ctx.storage.setAlarm(4 * 10**12)

    async def begin(self, name):
        before = self.sql("select name from sqlite_master where name = 'entry'")
        await self.set_name(name)
        return [before, self.entries()]


class DeployedSleepy(Deployed):
    options = {"hibernate": True}


class Votes:
    migrations: ClassVar = ["insert into step values ('Votes 1')"]


class Base(Server):
    migrations = [
        "create table step (text text)",
        "insert into step values ('Base 2')",
    ]


class Between(Base): ...


class Inheriting(Votes, Between):
    """Its bases come first, and each counts its own."""

    migrations = ["insert into step values ('Inheriting 1')"]

    def on_request(self, request):
        steps = [row["text"] for row in self.sql("select text from step order by rowid")]
        records = self.sql("select class, number from _partyserver_migrations order by rowid")
        return Response.from_json([steps, [list(row.values()) for row in records]])


class InheritingSleepy(Inheriting):
    options = {"hibernate": True}


async def call(worker, what, binding):
    namespace = getattr(worker.env, binding)
    try:
        if what == "unnamed":
            return await namespace.get(namespace.newUniqueId()).begin("given")
        room = await get_server_by_name(namespace, "room")
        return await getattr(room, what)()
    except Exception as error:
        return str(error).strip().splitlines()[-2:]
