"""Rooms that log what their clients say, and what happens to them."""

import asyncio
import json
import logging
import time
from inspect import isawaitable

import checks
import js
from partyserver import Server, get_server_by_name, logs, partykit, route_partykit_request
from pyodide.ffi import run_sync
from workers import Response, WorkerEntrypoint

#: Has the worker imported at each start, for the lines below: no snapshot holds such an object.
OF_JAVASCRIPT = js.Object.new()

logging.warning("at import, before it is enabled")
logs.enable()
logging.info("at import, when it is enabled")


class Speaking(Server):
    """Does what a message says: `[command, *arguments]`."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        logging.info("__init__")
        self.gate = asyncio.Event()
        self.begun = asyncio.create_task(self.begin())

    async def begin(self):
        logging.info("of a task of __init__")

    async def on_start(self, props=None):
        logging.info("on_start")
        await asyncio.sleep(0)
        logging.info("on_start awaits")

    async def get_connection_tags(self, connection, ctx):
        logging.info("get_connection_tags")
        return []

    async def on_connect(self, connection, ctx):
        if "fail" in ctx.query:
            raise ValueError("on_connect fails")
        await asyncio.sleep(0)
        logging.info("on_connect")
        connection.send_json("connected")

    def on_message(self, connection, message):
        command, *arguments = json.loads(message)
        result = getattr(self, f"do_{command}")(*arguments)
        if isawaitable(result):
            return self.answer(connection, result)
        connection.send_json("done")
        return None

    async def answer(self, connection, result):
        await result
        connection.send_json("done")

    def do_say(self, level, text):
        logging.getLogger().log(level, "%s", text)

    async def do_pause(self, text):
        logging.info("%s before", text)
        await asyncio.sleep(0.01)
        logging.info("%s after", text)

    def do_wait_until(self, text):
        self.ctx.waitUntil(self.do_pause(text))

    def do_later(self, text):
        async def later():
            await self.gate.wait()
            logging.info("%s", text)

        self.task = asyncio.create_task(later())

    def do_block(self, text):
        run_sync(self.gate.wait())
        logging.info("%s", text)

    def do_release(self):
        self.gate.set()

    async def do_fail(self, text):
        raise ValueError(text)

    async def do_set_alarm(self):
        await self.ctx.storage.setAlarm(int(time.time() * 1000) + 3_600_000)

    def on_close(self, connection, code, reason, was_clean):
        logging.info("on_close")

    def on_alarm(self):
        logging.info("on_alarm")

    def on_request(self, request):
        logging.info("on_request")
        return Response("ok")

    def shout(self, text):
        logging.info("%s", text)


class SpeakingSleepy(Speaking):
    options = {"hibernate": True}


class Handling(Speaking):
    """Logs its failures itself."""

    async def on_exception(self, error):
        logging.error("caught %s", error)
        await asyncio.sleep(0)
        logging.exception("still %s", error, exc_info=error, extra={"where": self.name})


class HandlingSleepy(Handling):
    options = {"hibernate": True}


class Blocking(Speaking):
    options = {"sync_io": True}


class BlockingSleepy(Blocking):
    options = {"sync_io": True, "hibernate": True}


class Speaker(partykit.Server):
    """The same in PartyKit's style."""

    def on_message(self, message, sender):
        logging.info("%s", message)


partykit.entrypoint(Speaker)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        match request.url.split("/")[3:]:
            case ["form", form]:
                logs.enable(json=form == "json")
                return Response(form)
            case ["check", name]:
                return Response.from_json(getattr(checks, f"check_{name}")())
            case ["rpc", binding, name, text]:
                room = await get_server_by_name(getattr(self.env, binding), name)
                await room.shout(text)
                return Response("called")
        logging.info("in the worker")
        return await route_partykit_request(request, self.env) or Response("Not Found", status=404)
