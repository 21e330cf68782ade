"""Rooms, and routing, whose code acts (see acting.py) at the place that their name tells."""

import json
from typing import Any

from acting import NOTES, act
from checks import FakeNamespace
from partyserver import (
    RoutingRetry,
    Server,
    get_server_by_name,
    route_partykit_request,
)
from partyserver.parts import NOT_MINE, Part, attach
from partyserver.presence import Presence
from workers import Response


class Acting(Server):
    """A room called `on_message.exit` exits in `on_message`, and so on."""

    options = {"rate": {"messages": 1, "per": 3600, "action": "drop"}}

    def at(self, place, value=None):
        where, _, how = self.name.partition(".")
        return act(how, self.name, value) if where == place else value

    def fetch(self, request):
        if self.name.startswith("fetch."):
            return self.at("fetch", Response("answered"))
        return super().fetch(request)

    def on_start(self, props=None):
        return self.at("on_start")

    def get_connection_tags(self, connection, ctx):
        return self.at("get_connection_tags", ["tagged"])

    def on_connect(self, connection, ctx):
        return self.at("on_connect")

    def on_message(self, connection, message):
        if self.name.startswith("on_exception."):
            raise ValueError("for on_exception")
        if self.name.startswith("set_state."):
            connection.set_state(lambda _: self.at("set_state"))
        return self.at("on_message")

    def on_rate_limited(self, connection):
        return self.at("on_rate_limited")

    def on_close(self, connection, code, reason, was_clean):
        return self.at("on_close")

    def on_error(self, connection, error):
        return self.at("on_error")

    def on_request(self, request):
        if self.name.startswith("waitUntil."):
            ctx: Any = self.ctx  # it may be no awaitable, too
            ctx.waitUntil(self.at("waitUntil"))
        return self.at("on_request", Response("answered"))

    def on_alarm(self):
        return self.at("on_alarm")

    def on_exception(self, error):
        super().on_exception(error)
        return self.at("on_exception")

    def call(self):
        return self.at("call", "answered")

    async def set_alarm(self):
        await self.ctx.storage.setAlarm(4 * 10**12)

    def fail(self):
        """As the runtime does where the network under a socket has failed."""
        (connection,) = self.get_connections()
        runtimes: Any = self  # type checkers, and editors, know no handlers
        runtimes.webSocketError(connection.socket, RuntimeError("the network has failed"))


class ActingSleepy(Acting):
    options = {"hibernate": True}


def at(place, value=None):
    return lambda server, *_: server.at(place, value)


@attach(
    Part(
        name="acting",
        rank=1,
        construct=at("construct"),
        connecting=at("connecting"),
        accepted=at("accepted"),
        message=at("message", NOT_MINE),
        closed=at("closed"),
        alarm=at("alarm", NOT_MINE),
    )
)
class InParts: ...


class ActingInParts(InParts, Presence, Acting):
    """The hooks of mixins act, too."""

    def on_connect(self, connection, ctx):
        self.track(connection, "somebody")

    def on_join(self, key, meta):
        return self.at("on_join")

    def on_leave(self, key):
        return self.at("on_leave")


class ActingInPartsSleepy(ActingInParts):
    options = {"hibernate": True}


async def route(worker, path, request):
    """`/acting/<place>/<how>/parties/...`: routing that acts at a place of its own."""
    place, how = path.split("/")[2:4]
    if place == "notes":
        return Response.from_json(NOTES)
    name = f"{place}.{how}"
    if place == "on_retry":
        retry = RoutingRetry(base_delay_ms=1, on_retry=lambda event: act(how, name))
        namespace = FakeNamespace(2, retryable=True)
        await get_server_by_name(namespace, "x", routing_retry=retry)
        return Response(json.dumps(namespace.calls))
    prefix = f"acting/{place}/{how}/parties"
    hook: Any = {place: lambda request, lobby: act(how, name)}
    return await route_partykit_request(request, worker.env, prefix=prefix, **hook)
