"""Rooms to fill, as this library's guides say to write them."""

import asyncio
import time

from partyserver import parse_json, route_partykit_request
from rooms import Chat, Hibernating  # noqa: F401 -- bound, too
from workers import Response, WorkerEntrypoint


class Echo(Hibernating):
    def on_message(self, connection, message):
        connection.send(message)


class Everybody(Hibernating):
    def on_message(self, connection, message):
        self.broadcast(message)

    def on_request(self, request):
        return Response("ok")


class Written(Hibernating):
    """Each message is a row."""

    def on_start(self):
        self.sql("create table if not exists entry (id integer primary key, text text)")

    def on_message(self, connection, message):
        self.sql("insert into entry (text) values (?)", message)
        connection.send(message)


class Read(Hibernating):
    """Answers with the last hundred rows."""

    def on_start(self):
        self.sql(
            "create table if not exists entry (id integer primary key, author text, text text)"
        )
        for number in range(self.sql_value("select count(*) from entry"), 1000):
            self.sql(
                "insert into entry (author, text) values (?, ?)",
                f"author {number % 7}",
                f"entry {number}: hello, how are you today?",
            )

    def on_message(self, connection, message):
        rows = self.sql("select * from entry order by id desc limit 100")
        connection.send_json({"to": message, "rows": rows})


class Cursors(Hibernating):
    """Each move goes to all others at once."""

    def on_message(self, connection, message):
        move = parse_json(message)
        self.broadcast_json(
            {
                "type": "move",
                "id": connection.id,
                "x": move["x"],
                "y": move["y"],
                "at": move["at"],
            },
            exclude=[connection],
        )


class CollectedCursors(Hibernating):
    """Moves are collected, and go to all together, twenty times a second."""

    def on_start(self):
        self.moves = {}
        self.is_sending = False

    def on_message(self, connection, message):
        move = parse_json(message)
        self.moves[connection.id] = [move["x"], move["y"], move["at"]]
        if not self.is_sending:
            self.is_sending = True
            self.ctx.waitUntil(self.send_moves())

    async def send_moves(self):
        beat = time.monotonic()
        while self.moves:
            moves, self.moves = self.moves, {}
            self.broadcast_json({"type": "moves", "moves": moves})
            beat += 1 / 20
            await asyncio.sleep(max(0, beat - time.monotonic()))
        self.is_sending = False


class Game(Hibernating):
    """Inputs come in, and ten times a second all get where everybody is."""

    def on_start(self):
        self.players = {}
        self.is_running = False

    def on_message(self, connection, message):
        given = parse_json(message)
        player = self.players.setdefault(connection.id, {"x": 0, "y": 0})
        player["dx"], player["dy"], player["seq"] = given["dx"], given["dy"], given["seq"]
        if not self.is_running:
            self.is_running = True
            self.ctx.waitUntil(self.run())

    def on_close(self, connection, code, reason, was_clean):
        self.players.pop(connection.id, None)

    async def run(self):
        beat = time.monotonic()
        while self.players:
            for player in self.players.values():
                player["x"] = (player["x"] + player["dx"]) % 1000
                player["y"] = (player["y"] + player["dy"]) % 1000
            self.broadcast_json(
                {
                    "type": "state",
                    "players": {
                        id: [player["x"], player["y"], player["seq"]]
                        for id, player in self.players.items()
                    },
                }
            )
            beat += 1 / 10
            await asyncio.sleep(max(0, beat - time.monotonic()))
        self.is_running = False


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("none", status=404)
