import time
from typing import Annotated, Any

from partyserver import (
    ClientError,
    Connection,
    ConnectionContext,
    Lobby,
    Server,
    route_partykit_request,
)
from partyserver.events import Event, Events, Meta, on
from partyserver.schedule import Schedule
from workers import Request, Response, WorkerEntrypoint

SECONDS = 30


class Move(Event):  # {"type": "move", "to": "e4"}
    to: Annotated[str, Meta(min_length=1, max_length=20)]


class Duel(Events, Schedule, Server):
    options = {"hibernate": True}

    async def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        game, user = self.game(), connection.auth["user"]
        if user not in game["players"] and len(game["players"]) < 2:
            game["players"].append(user)
            await self.change(game, turn=0 if len(game["players"]) == 2 else None)
        else:  # back again, or only watching
            connection.send_json(self.shown())

    @on
    async def move(self, connection: Connection, event: Move) -> None:
        game = self.game()
        if game["turn"] is None or game["players"][game["turn"]] != connection.auth["user"]:
            raise ClientError("it is not your turn", code="turn")
        game["moves"].append(event.to)  # your rules: what is a move, and when has somebody won?
        await self.change(game, turn=1 - game["turn"])

    async def time_is_up(self, number: int) -> None:
        game = self.game()
        if game["number"] == number:  # else a move has come first
            game["winner"] = game["players"][1 - game["turn"]]
            await self.change(game, turn=None)

    async def change(self, game: dict[str, Any], turn: int | None) -> None:
        game["turn"], game["number"] = turn, game["number"] + 1
        game["ends"] = None if turn is None else time.time() + SECONDS
        # First what does not await: meanwhile other events come in.
        self.kv["game"] = game
        self.broadcast_json(self.shown())
        for clock in self.list_schedules(callback=self.time_is_up):
            await self.cancel_schedule(clock.id)
        if turn is not None:
            await self.schedule(SECONDS, self.time_is_up, game["number"])

    def shown(self) -> dict[str, Any]:
        game = self.game()
        left = None if game["ends"] is None else max(0.0, game["ends"] - time.time())
        return {"type": "game", **game, "left": left}

    def game(self) -> dict[str, Any]:
        game: dict[str, Any] = {"players": [], "moves": [], "turn": None, "winner": None}
        return self.kv.get("game") or game | {"ends": None, "number": 0}


def who(request: Request, lobby: Lobby) -> dict[str, str]:
    name = lobby.query.get("name", "").strip()
    if not 1 <= len(name) <= 32:
        raise ClientError("a name has 1 to 32 characters", code="name")
    return {"user": name}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env, on_before_connect=who)
        return answer or Response("Not Found", status=404)
