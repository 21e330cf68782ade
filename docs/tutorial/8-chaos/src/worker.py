import time
from typing import Annotated, Any, ClassVar, Protocol
from urllib.parse import urlsplit

from login import Login, Secrets, log_in, login_of
from partyserver import (
    ClientError,
    Connection,
    ConnectionContext,
    Lobby,
    Server,
    route_partykit_request,
)
from partyserver.events import Event, Events, Meta, on
from partyserver.history import History, HistoryOptions
from partyserver.presence import Presence
from partyserver.schedule import Schedule
from workers import Request, Response, WorkerEntrypoint

REMOVED = 4403  # the code that closes a connection: a room's own are 4000 to 4999


class Env(Secrets, Protocol):
    """What the worker has of wrangler.toml: bindings, variables, and secrets beside them."""

    Chat: Any


class Say(Event):
    """From the page: what somebody says."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]


class Remind(Event):
    """From the page: what the room shall hear again, and when."""

    minutes: Annotated[float, Meta(gt=0, le=7 * 24 * 60)]
    text: Annotated[str, Meta(min_length=1, max_length=200)]


class Topic(Event):
    """From a moderator, and to all pages: what the room is about."""

    text: Annotated[str, Meta(max_length=100)]


class Kick(Event):
    """From a moderator: somebody has to leave, and may come back."""

    name: Annotated[str, Meta(max_length=32)]


class Ban(Event):
    """From a moderator: somebody has to leave, and stay away."""

    name: Annotated[str, Meta(max_length=32)]


class Welcome(Event):
    """To the page: who it is logged in as."""

    name: str
    moderator: bool


class Said(Event):
    name: str
    text: str
    at: int  # milliseconds since 1970


class Notice(Event):
    text: str


class Chat(Events, History, Presence, Schedule, Server[Env]):
    options = {
        "hibernate": True,
        "rate": {"messages": 2, "per": 1.0, "burst": 10, "action": "drop"},
        "max_connections": 100,
        "max_message_size": 16 * 1024,
    }
    history_options = HistoryOptions(max_events=200, max_age=None)
    migrations = ["create table banned (name text primary key)"]
    sends: ClassVar = (Welcome, Topic)

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        name = connection.auth["name"]
        if self.sql_value("select 1 from banned where name = ?", name):
            raise ClientError("You are banned from this room.", code="banned")
        self.emit(Welcome(name, connection.auth["moderator"]), to=connection)
        self.emit(Topic(self.kv.get("topic", "")), to=connection)
        self.track(connection, name)

    @on
    def say(self, connection: Connection, event: Say) -> None:
        self.publish(Said(connection.auth["name"], event.text, now()))

    @on
    async def remind(self, connection: Connection, event: Remind) -> None:
        if len(self.list_schedules(callback=self.ring)) >= 100:
            raise ClientError("This room has 100 reminders already.")
        name = connection.auth["name"]
        await self.schedule(event.minutes * 60, self.ring, {"name": name, "text": event.text})
        self.publish(Notice(f"{name} has set a reminder, {event.minutes:g} min from now"))

    def ring(self, payload: dict[str, str]) -> None:
        """The room may have slept for days until now, and wakes for it."""
        self.publish(Notice(f"Reminder from {payload['name']}: {payload['text']}"))

    @on
    def topic(self, connection: Connection, event: Topic) -> None:
        only_moderators(connection)
        self.kv["topic"] = event.text
        self.emit(event)

    @on
    def kick(self, connection: Connection, event: Kick) -> None:
        only_moderators(connection)
        if event.name not in self.present():
            raise ClientError(f"{event.name} is not here.")
        self._remove(event.name, "You were removed from this room.")
        self.publish(Notice(f"{event.name} was removed by {connection.auth['name']}"))

    @on
    def ban(self, connection: Connection, event: Ban) -> None:
        only_moderators(connection)
        self.sql("insert or ignore into banned values (?)", event.name)
        self._remove(event.name, "You are banned from this room.")
        self.publish(Notice(f"{event.name} was banned by {connection.auth['name']}"))

    def on_rate_limited(self, connection: Connection) -> None:
        raise ClientError("Not so fast: this message was not sent.", code="rate")

    def _remove(self, name: str, why: str) -> None:
        """All tabs of somebody. The underscore: nobody calls it from outside of the room."""
        for one in self.get_connections():
            if one.auth["name"] == name:
                one.send_json({"type": "error", "error": why, "code": "removed"})
                one.close(REMOVED, why)


def only_moderators(connection: Connection) -> None:
    if not connection.auth["moderator"]:
        raise ClientError("Only moderators may do that.", code="moderators")


def now() -> int:
    return int(time.time() * 1000)


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        if request.method == "POST" and urlsplit(request.url).path == "/login":
            return await log_in(request, self.env)
        answer = await route_partykit_request(
            request,
            self.env,
            on_before_connect=self.who,
            on_before_request=self.who,
            allowed_origins=[],  # the pages of this worker alone, and of no other site
        )
        return answer or Response("Not Found", status=404)

    def who(self, request: Request, lobby: Lobby) -> Login:
        return login_of(request, self.env)
