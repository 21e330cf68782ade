"""This library, as its documentation says to use it."""

from partyserver import Server, get_server_by_name, route_partykit_request
from workers import Response, WorkerEntrypoint


class Echo(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.send(message)


class AsyncEcho(Server):
    options = {"hibernate": True}

    async def on_message(self, connection, message):
        connection.send(message)


class Room(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        self.broadcast(message)

    def on_request(self, request):
        return Response("ok")


class Others(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        self.broadcast(message, exclude=[connection.id])


class Tagged(Server):
    """As many tags as the room's name says, which ends in -N; echoes."""

    options = {"hibernate": True}

    def get_connection_tags(self, connection, ctx):
        return [f"tag-{number}" for number in range(int(self.name.rpartition("-")[2]))]

    def on_message(self, connection, message):
        connection.send(message)


class Stateful(Server):
    """Keeps each message as its connection's state."""

    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.set_state(message)
        connection.send("kept")


class Caller(Server):
    """Calls another room for each message, and sends back what that returns."""

    options = {"hibernate": True}

    async def on_message(self, connection, message):
        room = await get_server_by_name(self.env.Caller, "called")
        connection.send(await room.repeat(message))

    def repeat(self, message):
        return message


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("none", status=404)
