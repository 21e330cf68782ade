"""Rooms with all capabilities, in several orders of their bases. No hook calls `super()`."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from partyserver import ClientError, Server
from partyserver.events import Event, Events, on
from partyserver.history import History
from partyserver.presence import Presence
from partyserver.schedule import Schedule
from workers import Response


class Env(Protocol):
    """What the worker has."""

    One: Any


class Say(Event):
    text: str


class Hooks:
    """Of the user's, in a mixin of their own."""

    migrations: ClassVar[Sequence[str]] = ["create table said (text text)"]

    async def on_connect(self: Any, connection, ctx):
        self.track(connection, ctx.query["key"], {"n": 1})
        if connection.id == "a":
            await self.schedule(3600, "tick", {"n": 1})

    def on_message(self: Any, connection, message):
        connection.send(message)

    def on_close(self: Any, connection, code, reason, was_clean):
        self.publish(["closed", sorted(self.present())])

    def on_alarm(self: Any):
        self.publish("the room's own alarm")

    async def on_request(self: Any, request):
        await self.ctx.storage.setAlarm(4 * 10**12)
        timers = [one.callback for one in self.list_schedules()]
        said = [row["text"] for row in self.sql("select text from said")]
        return Response.from_json([timers, sorted(self.present()), said, self.read_events()])

    @on
    def say(self: Any, connection, event: Say):
        if not event.text:
            raise ClientError("say something", code="empty")
        self.sql("insert into said values (?)", event.text)
        self.publish(event)

    def tick(self: Any, payload):
        self.publish(payload)


class One(Hooks, Events, Presence, History, Schedule, Server[Env]): ...


class Two(Schedule, History, Presence, Hooks, Events, Server["Env"]): ...


class Three(History, Schedule, Events, Presence, Hooks, Server): ...


class OneSleepy(One):
    options = {"hibernate": True}


class TwoSleepy(Two):
    options = {"hibernate": True}


class ThreeSleepy(Three):
    options = {"hibernate": True}
