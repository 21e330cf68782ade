"""The worker of the tests of synchronous HTTP: rooms that call the tests' own server.

`GET ...?call=<name>&url=<url>` makes the call of that name in calls.py, in on_request; a message
`[name, url]` makes it in on_message. What it returned, or raised, is the answer.
"""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import calls
import partyserver.http
from partyserver import Server, route_partykit_request
from workers import Response, WorkerEntrypoint

partyserver.http.enable()


def made(name, url):
    try:
        return ["returned", getattr(calls, name)(url)]
    except Exception as error:
        names = [one.__name__ for one in type(error).__mro__ if one is not object]
        return ["raised", names[: names.index("Exception")], str(error)]


class Waking(Server):
    """Calls the server when it starts, plainly or async, if it has been told its URL."""

    options = {"hibernate": True}

    def on_start(self):
        if self.name.startswith("async"):
            return self.start_later()
        self.start()
        return None

    async def start_later(self):
        self.start()

    def start(self):
        url = self.ctx._ctx.storage.kv.get("url")
        self.started = made("requests_text", url) if isinstance(url, str) else None

    def on_request(self, request):
        query = parse_qs(urlsplit(request.url).query, True)
        if "remember" in query:
            self.ctx._ctx.storage.kv.put("url", query["remember"][0])
            return Response("remembered")
        if "started" in query:
            return Response.from_json(self.started)
        if "alarm" in query:
            return self.set_alarm()
        return Response.from_json(made(query["call"][0], query["url"][0]))

    async def set_alarm(self):
        import time

        await self.ctx.storage.setAlarm(int(time.time() * 1000))
        return Response("set")

    def on_alarm(self):
        made("requests_text", self.ctx._ctx.storage.kv.get("url"))

    def on_connect(self, connection, ctx):
        query = parse_qs(urlsplit(ctx.request.url).query, True)
        if "url" in query:
            connection.send_json(made("requests_text", query["url"][0]))

    def on_close(self, connection, code, reason, was_clean):
        if reason == "call":
            outcome = made("requests_text", self.ctx._ctx.storage.kv.get("url"))
            self.broadcast(json.dumps(outcome))

    def on_message(self, connection, message):
        assert isinstance(message, str)
        if message == "ping":
            connection.send("pong")
        elif message == "started":
            connection.send_json(self.started)
        elif message.startswith("later "):
            return self.call_later(connection, message.removeprefix("later "))
        else:
            connection.send_json(made(*json.loads(message)))
        return None

    async def call_later(self, connection, message):
        await asyncio.sleep(0)
        connection.send_json(made(*json.loads(message)))


class Memory(Waking):
    options = {"hibernate": False}


class WakingSyncIo(Waking):
    options = {"sync_io": True}


class MemorySyncIo(Memory):
    options = {"sync_io": True}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/worker" in request.url:
            query = parse_qs(urlsplit(request.url).query, True)
            return Response.from_json(made(query["call"][0], query["url"][0]))
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
