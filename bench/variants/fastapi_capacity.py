"""The same rooms with FastAPI: everything in one process, and SQLite's file beside it."""

import asyncio
import itertools
import json
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import PlainTextResponse

app = FastAPI()


class Room:
    #: When a commit is on the disk: "normal", soon after it; "full", before it is over.
    synchronous = "normal"

    def __init__(self, file: str) -> None:
        self.sockets: dict[str, WebSocket] = {}
        self.file = file
        self.tasks: set[asyncio.Task[None]] = set()
        self.start()

    def start(self) -> None:
        return

    def database(self, schema: str) -> sqlite3.Connection:
        database = sqlite3.connect(self.file, isolation_level=None)
        database.row_factory = sqlite3.Row
        database.execute("pragma journal_mode = wal")
        database.execute(f"pragma synchronous = {self.synchronous}")
        database.execute(schema)
        return database

    def begin(self, work) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def on_message(self, id: str, message: str) -> None:
        raise NotImplementedError

    async def broadcast(self, value: object, exclude: str | None = None) -> None:
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for id, socket in list(self.sockets.items()):
            if id != exclude:
                with suppress(WebSocketDisconnect, RuntimeError):  # it has left
                    await socket.send_text(text)


class Echo(Room):
    async def on_message(self, id, message):
        await self.sockets[id].send_text(message)


class Everybody(Room):
    async def on_message(self, id, message):
        await self.broadcast(message)


class Written(Room):
    def start(self):
        self.sql = self.database("create table entry (id integer primary key, text text)")

    async def on_message(self, id, message):
        self.sql.execute("insert into entry (text) values (?)", [message])
        await self.sockets[id].send_text(message)


class Read(Room):
    def start(self):
        self.sql = self.database(
            "create table entry (id integer primary key, author text, text text)"
        )
        self.sql.executemany(
            "insert into entry (author, text) values (?, ?)",
            [
                (f"author {number % 7}", f"entry {number}: hello, how are you today?")
                for number in range(1000)
            ],
        )

    async def on_message(self, id, message):
        rows = self.sql.execute("select * from entry order by id desc limit 100").fetchall()
        answer = {"to": message, "rows": [dict(row) for row in rows]}
        await self.sockets[id].send_text(json.dumps(answer, separators=(",", ":")))


class Chat(Room):
    def start(self):
        self.sql = self.database(
            "create table message (id integer primary key, author text, text text)"
        )

    async def on_message(self, id, message):
        said = json.loads(message)
        [row] = self.sql.execute(
            "insert into message (author, text) values (?, ?) returning id, author, text",
            [said["author"], said["text"]],
        ).fetchall()
        self.sql.execute("delete from message where id <= ?", [row["id"] - 100])
        await self.broadcast({"type": "message", **dict(row)})


class Cursors(Room):
    async def on_message(self, id, message):
        move = json.loads(message)
        await self.broadcast(
            {"type": "move", "id": id, "x": move["x"], "y": move["y"], "at": move["at"]}, id
        )


class CollectedCursors(Room):
    def start(self):
        self.moves = {}
        self.is_sending = False

    async def on_message(self, id, message):
        move = json.loads(message)
        self.moves[id] = [move["x"], move["y"], move["at"]]
        if not self.is_sending:
            self.is_sending = True
            self.begin(self.send_moves())

    async def send_moves(self):
        beat = time.monotonic()
        while self.moves:
            moves, self.moves = self.moves, {}
            await self.broadcast({"type": "moves", "moves": moves})
            beat += 1 / 20
            await asyncio.sleep(max(0, beat - time.monotonic()))
        self.is_sending = False


class Game(Room):
    def start(self):
        self.players = {}
        self.is_running = False

    async def on_message(self, id, message):
        given = json.loads(message)
        player = self.players.setdefault(id, {"x": 0, "y": 0})
        player["dx"], player["dy"], player["seq"] = given["dx"], given["dy"], given["seq"]
        if not self.is_running:
            self.is_running = True
            self.begin(self.run())

    async def run(self):
        beat = time.monotonic()
        while self.sockets:
            for player in self.players.values():
                player["x"] = (player["x"] + player["dx"]) % 1000
                player["y"] = (player["y"] + player["dy"]) % 1000
            where = {
                id: [player["x"], player["y"], player["seq"]]
                for id, player in self.players.items()
                if id in self.sockets
            }
            await self.broadcast({"type": "state", "players": where})
            beat += 1 / 10
            await asyncio.sleep(max(0, beat - time.monotonic()))
        self.is_running = False


PARTIES = {
    "echo": Echo,
    "everybody": Everybody,
    "written": Written,
    "read": Read,
    "chat": Chat,
    "cursors": Cursors,
    "collected-cursors": CollectedCursors,
    "game": Game,
}
rooms: dict[tuple[str, str], Room] = {}
serial = itertools.count()


@app.get("/parties/{party}/{name}")
async def answer(party: str, name: str) -> PlainTextResponse:
    return PlainTextResponse("ok")


@app.websocket("/parties/{party}/{name}")
async def connect(socket: WebSocket, party: str, name: str) -> None:
    await socket.accept()
    key = party, name
    if key not in rooms:
        rooms[key] = PARTIES[party](str(Path(os.environ["STORAGE"], f"{party}-{name}")))
    room = rooms[key]
    id = socket.query_params.get("_pk") or f"connection-{next(serial)}"
    room.sockets[id] = socket
    try:
        while True:
            await room.on_message(id, await socket.receive_text())
    except (WebSocketDisconnect, RuntimeError):  # it has left, as it is read or written to
        pass
    finally:
        del room.sockets[id]
