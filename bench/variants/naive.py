"""A Durable Object in Python, written as the platform's examples are."""

from urllib.parse import urlparse

from js import WebSocketPair
from workers import DurableObject, Response, WorkerEntrypoint


class Sockets(DurableObject):
    async def fetch(self, request):
        if request.headers.get("upgrade") != "websocket":
            return Response("ok")
        client, server = WebSocketPair.new().object_values()
        self.ctx.acceptWebSocket(server)
        return Response(None, status=101, web_socket=client)

    async def webSocketClose(self, socket, code, reason, was_clean):
        if code not in (1005, 1006):
            socket.close(code, reason)


class Echo(Sockets):
    async def webSocketMessage(self, socket, message):
        socket.send(message)


class AsyncEcho(Echo):
    pass


class Room(Sockets):
    async def webSocketMessage(self, sender, message):
        for socket in self.ctx.getWebSockets():
            socket.send(message)


class Others(Sockets):
    async def webSocketMessage(self, sender, message):
        for socket in self.ctx.getWebSockets():
            if socket != sender:
                socket.send(message)


NAMESPACES = {"echo": "Echo", "async-echo": "AsyncEcho", "room": "Room", "others": "Others"}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        _, _, kind, room = urlparse(request.url).path.split("/")
        namespace = getattr(self.env, NAMESPACES[kind])
        stub = namespace.get(namespace.idFromName(room))
        return await stub.fetch(request)
