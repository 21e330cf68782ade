"""All recipes in one worker. What a recipe's own worker answers, it answers here, too."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import counting
import cron
import cursors
import d1_for_tests
import fastapi_room
import llm
import lobby
import migrating_for_tests
import r2
import rate_limits
import read_only_guests
import reconnect
import room_calls_room_for_tests
import several_tabs
import turns
import typing_indicator
import webhooks
from counting import Counter, Hall
from cron import Daily
from cursors import Canvas
from d1 import Match
from fastapi_room import Poll
from lobby import Game, Rooms
from migrating_for_tests import Notes
from r2 import Album
from rate_limits import Wall
from read_only_guests import Board
from reconnect import Feed
from room_calls_room import Order, Stock
from several_tabs import Desk
from turns import Duel
from typing_indicator import Chat
from webhooks import Repository
from workers import WorkerEntrypoint

#: Where a request goes, by the first segments of its path.
RECIPES = {
    "parties/feed": reconnect,
    "parties/chat": typing_indicator,
    "parties/game": lobby,
    "parties/rooms": lobby,
    "parties/order": room_calls_room_for_tests,
    "parties/stock": room_calls_room_for_tests,
    "parties/repository": webhooks,
    "parties/wall": rate_limits,
    "parties/board": read_only_guests,
    "parties/desk": several_tabs,
    "parties/canvas": cursors,
    "parties/hall": counting,
    "people": counting,
    "parties/conversation": llm,
    "parties/poll": fastapi_room,
    "parties/daily": cron,
    "parties/match": d1_for_tests,
    "best": d1_for_tests,
    "parties/album": r2,
    "parties/duel": turns,
    "parties/notes": migrating_for_tests,
    "test/add_to_stock": room_calls_room_for_tests,
    "test/run_in_d1": d1_for_tests,
    "test/write_version_1": migrating_for_tests,
}

__all__ = [
    "Album",
    "Board",
    "Canvas",
    "Chat",
    "Conversation",
    "Counter",
    "Daily",
    "Default",
    "Desk",
    "Duel",
    "Feed",
    "Game",
    "Hall",
    "Match",
    "Notes",
    "Order",
    "Poll",
    "Repository",
    "Rooms",
    "Stock",
    "Wall",
]


class Conversation(llm.Conversation):
    """It asks the tests' own server: the name of a room is where that is."""

    def on_start(self):
        super().on_start()
        self.env = OfTheTests(f"http://127.0.0.1:{self.name}/v1")


@dataclass
class OfTheTests:
    OPENAI_BASE_URL: str
    OPENAI_API_KEY: str = "sk-of-the-tests"
    OPENAI_MODEL: str = "a-model"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        parts = urlsplit(request.url).path.strip("/").split("/")
        return await self._of(RECIPES["/".join(parts[:2])]).fetch(request)

    async def scheduled(self, controller, env=None, ctx=None):
        await self._of(cron).scheduled(controller, env, ctx)

    def _of(self, recipe):
        """The recipe's own entrypoint, as the runtime would have made it."""
        entrypoint = object.__new__(recipe.Default)
        entrypoint.env, entrypoint.ctx = self.env, self.ctx
        return entrypoint
