"""Rooms with what stands beside the core, each capability's in a module of its own."""

from partyserver import Server, route_partykit_request
from timers import Timed, TimedSleepy  # noqa: F401
from workers import Response, WorkerEntrypoint


class Plain(Server):
    """A room with none of it."""

    def on_message(self, connection, message):
        connection.send(message)


class PlainSleepy(Plain):
    options = {"hibernate": True}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("Not Found", status=404)
