"""An echo in a worker with `partyserver.logs`, and one that logs each message."""

import logging

from partyserver import Server, logs, route_partykit_request
from workers import Response, WorkerEntrypoint

logs.enable()
logging.warning("the worker is imported")


class Room(Server):
    options = {"hibernate": True}

    def on_request(self, request):
        return Response("ok")


class Echo(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.send(message)


class Logging(Echo):
    def on_message(self, connection, message):
        logging.warning("%d characters", len(message))
        connection.send(message)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("none", status=404)
