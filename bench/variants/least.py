"""The least that a request needs of Python: both hops enter it, by the shortcuts, and do nothing.

The worker looks at no URL and no header, and the rooms are not asked for their names.
"""

from partyserver import Server, route_partykit_request
from partyserver.runtime import sockets
from partyserver.runtime.requests import PassedOn
from partyserver.runtime.values import builtin
from workers import Response, WorkerEntrypoint


class Room(Server):
    async def fetch(self, request):
        return Response("ok")


class Echo(Server):
    async def fetch(self, request):
        client, socket = sockets.socket_pair()
        self.ctx.acceptWebSocket(socket)
        return PassedOn(builtin("Response").new(None, status=101, webSocket=client))


class Default(WorkerEntrypoint):
    rooms: dict = {}

    async def fetch(self, request):
        if not self.rooms:
            await route_partykit_request(request, self.env)  # takes the shortcuts
            for party in ("Room", "Echo"):
                self.rooms[party] = getattr(self.env._env, party)
        room = self.rooms["Echo" if "/echo/" in request.url else "Room"]
        return PassedOn(await room.getByName("room").fetch(request.js_object))
