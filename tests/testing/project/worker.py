"""A worker without partyserver: two Durable Objects written against the platform itself."""

import asyncio
import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

import js
from pyodide.ffi import create_proxy
from workers import DurableObject, Response, WorkerEntrypoint

LOCK = threading.Lock()


def loop():
    while True:
        pass


class EchoRoom(DurableObject):
    """Hibernating sockets, storage, an alarm."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.messages = 0
        ctx.storage.sql.exec("create table if not exists visits (what text)")

    async def fetch(self, request):
        url = urlsplit(request.url)
        if request.headers.get("upgrade"):
            if "refuse" in parse_qs(url.query):
                return Response("go away", status=403)
            client, server = js.WebSocketPair.new().object_values()
            self.ctx.acceptWebSocket(server)
            return Response(None, status=101, web_socket=client)
        match url.path.rsplit("/", 1)[-1]:
            case "raise":
                raise ValueError("raised by the room")
            case "loop":
                loop()
            case "close-all":
                for socket in self.ctx.getWebSockets():
                    socket.close(4002, "all")
            case "print":
                print("printed by the room")
            case "alarm":
                await self.ctx.storage.setAlarm(int(time.time() * 1000) + 1000)
            case "alarm-in-an-hour" | "alarm-that-fails" | "alarm-that-loops" as name:
                self.visit(name)
                await self.ctx.storage.setAlarm(int(time.time() * 1000) + 3_600_000)
            case "url":
                return Response.from_json({"url": request.url})
            case "vars":
                return Response.from_json([self.env.FROM_CONFIG, self.env.FROM_INI])
        self.visit("fetch")
        return Response.from_json(self.visits())

    def visits(self):
        return [
            visit.what for visit in self.ctx.storage.sql.exec("select what from visits").toArray()
        ]

    def visit(self, what):
        self.ctx.storage.sql.exec("insert into visits values (?)", what)

    async def alarm(self, info=None):
        print("alarm fired")
        if "alarm-that-fails" in self.visits():
            raise ValueError("raised by the alarm")
        if "alarm-that-loops" in self.visits():
            loop()
        self.visit("alarm")

    async def webSocketMessage(self, ws, message):
        self.messages += 1
        if not isinstance(message, str):
            ws.send(message)
        elif message == "close":
            ws.close(4001, "asked to")
        elif message == "crash":
            json.loads("[" * 100_000)  # which ends the process
        elif message == "loop":
            print("looping")
            loop()
        elif message == "lock":
            with LOCK:
                await asyncio.sleep(0.1)
        elif message == "raise":
            raise ValueError("raised by the hook")
        else:
            ws.send(f"{self.messages} {message}")

    async def webSocketClose(self, ws, code, reason, was_clean):
        ws.close(code, reason)


class MemoryRoom(DurableObject):
    """Sockets that keep the object in memory."""

    async def fetch(self, request):
        client, server = js.WebSocketPair.new().object_values()
        server.accept()
        messages = 0

        def on_message(event):
            nonlocal messages
            messages += 1
            server.send(f"{messages} {event.data}")

        server.addEventListener("message", create_proxy(on_message))
        return Response(None, status=101, web_socket=client)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        _, *party = urlsplit(request.url).path.split("/")
        if len(party) < 3:
            return Response("no room")
        namespace = {"echo": self.env.Echo, "memory-room": self.env.MEMORY_ROOM}[party[1]]
        return await namespace.getByName(party[2])._binding.fetch(request.js_object)
