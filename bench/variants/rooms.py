"""The real work of a room, as this library's documentation says to write it."""

from partyserver import Server, get_server_by_name, parse_json, route_partykit_request
from partyserver.events import Events, on
from workers import Response, WorkerEntrypoint

from events import Move, Said, Say

SOMEBODY = {"name": "somebody", "color": "#2e6fdb", "x": 10, "y": 20}


class Hibernating(Server):
    options = {"hibernate": True}


class Chat(Hibernating):
    """Keeps the last hundred messages."""

    def on_start(self):
        self.sql(
            "create table if not exists message (id integer primary key, author text, text text)"
        )

    def on_message(self, connection, message):
        said = parse_json(message)
        [row] = self.sql(
            "insert into message (author, text) values (?, ?) returning id, author, text",
            said["author"],
            said["text"],
        )
        self.sql("delete from message where id <= ?", row["id"] - 100)
        self.broadcast_json({"type": "message", **row})


class Moves(Hibernating):
    def on_message(self, connection, message):
        move = parse_json(message)
        connection.set_state({"x": move["x"], "y": move["y"]})
        self.broadcast_json({"type": "move", "id": connection.id, "x": move["x"], "y": move["y"]})


class Who(Hibernating):
    def on_connect(self, connection, ctx):
        connection.set_state(SOMEBODY)

    def on_message(self, connection, message):
        connection.send_json([one.state for one in self.get_connections()])


class Teams(Hibernating):
    def get_connection_tags(self, connection, ctx):
        return [ctx.query["team"]]

    def on_message(self, connection, message):
        for one in self.get_connections("red"):
            one.send(message)


class TeamsAtOnce(Teams):
    def on_message(self, connection, message):
        self.broadcast(message, to="red")


class Keyed(Hibernating):
    async def on_message(self, connection, message):
        count = await self.ctx.storage.get("count")
        await self.ctx.storage.put("count", (count or 0) + 1)
        connection.send("kept")


class Counted(Hibernating):
    def on_message(self, connection, message):
        self.kv["count"] = self.kv.get("count", 0) + 1
        connection.send("kept")


class Noted(Hibernating):
    def on_message(self, connection, message):
        before = self.kv.get("last")
        self.kv["last"] = message
        connection.send(before or message)


class Scored(Hibernating):
    def on_message(self, connection, message):
        player = self.kv.get("player") or {"name": "somebody", "score": 0, "teams": ["red", "blue"]}
        player["score"] += 1
        self.kv["player"] = player
        connection.send("kept")


class Rows(Hibernating):
    """As many rows as the room's name says, which ends in -N."""

    def on_start(self):
        self.sql(
            "create table if not exists entry "
            "(id integer primary key, author text, text text, at real)"
        )
        if not self.sql_value("select count(*) from entry"):
            for number in range(int(self.name.rpartition("-")[2])):
                self.sql(
                    "insert into entry (author, text, at) values (?, ?, ?)",
                    f"author {number % 7}",
                    f"entry {number}: hello, how are you today?",
                    1_700_000_000.25 + number,
                )

    def on_request(self, request):
        return Response.from_json(self.sql("select * from entry order by id"))


class RowsAsJson(Rows):
    def on_request(self, request):
        return Response(
            self.sql_json("select * from entry order by id"),
            headers={"content-type": "application/json"},
        )


class Values(Hibernating):
    """Keeps each message as a row's value, and sends back what it reads."""

    def on_start(self):
        self.sql("create table if not exists note (id integer primary key, text text)")

    def on_message(self, connection, message):
        self.sql("insert or replace into note (id, text) values (1, ?)", message)
        [row] = self.sql("select text from note where id = 1")
        connection.send(row["text"])


class Calls(Hibernating):
    async def on_message(self, connection, message):
        room = await get_server_by_name(self.env.Calls, "called")
        connection.send_json(await room.repeat(parse_json(message)))

    def repeat(self, event):
        return event


class Sleeping(Hibernating):
    """Says how many are here."""

    def on_message(self, connection, message):
        connection.send(str(sum(1 for _ in self.get_connections())))

    def on_request(self, request):
        return Response(str(sum(1 for _ in self.get_connections())))


class Typed(Events, Hibernating):
    @on
    def say(self, connection, event: Say):
        self.emit(Said(connection.id, event.text))

    @on
    def move(self, connection, event: Move): ...


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("none", status=404)
