"""`run_alarm` says what became of the alarm, whatever its hook does."""

from __future__ import annotations

import pytest

from .conftest import Project

ROOMS = """
import asyncio
import json
import time

from partyserver import Server, route_partykit_request
from workers import DurableObject, Response, WorkerEntrypoint

HOUR = 3_600_000


class EchoRoom(Server):
    async def on_request(self, request):
        await self.ctx.storage.put("what", request.url.rpartition("/")[2])
        await self.ctx.storage.setAlarm(int(time.time() * 1000) + HOUR)
        return Response("set")

    async def on_alarm(self):
        what = await self.ctx.storage.get("what")
        print("alarm:", what)
        await getattr(self, what)()

    async def delete_all(self):
        await self.ctx.storage.deleteAll()

    async def delete_all_and_set(self):
        await self.ctx.storage.deleteAll()
        await self.ctx.storage.setAlarm(int(time.time() * 1000) + HOUR)

    async def delete_all_and_abort(self):
        await self.ctx.storage.deleteAll()
        self.ctx.abort("all is deleted")

    async def abort(self):
        self.ctx.abort()

    async def fail_to_start(self):
        async def fail():
            raise ValueError("not to be started")

        await self.ctx.blockConcurrencyWhile(fail)

    async def wait(self):
        await asyncio.Event().wait()

    async def crash(self):
        json.JSONDecoder().scan_once("[" * 100_000, 0)  # past what guards it


class EchoRoomSleepy(EchoRoom):
    options = {"hibernate": True}


class Broken(DurableObject):
    def __init__(self, ctx, env):
        raise ValueError("cannot be made")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        for name in ("Scripted", "Old"):
            if f"/{name.lower()}/" in request.url:
                stub = getattr(self.env, name).getByName("a")
                return await stub._binding.fetch(request.js_object)
        return await route_partykit_request(request, self.env)
"""

SCRIPT = """
import { DurableObject } from "cloudflare:workers";

const room = {
  async fetch() {
    await this.ctx.storage.setAlarm(Date.now() + 3_600_000);
    return new Response("set");
  },
  async alarm() {},
};

export class Scripted extends DurableObject {}
export class Old {
  constructor(ctx) {
    this.ctx = ctx;
  }
}
Object.assign(Scripted.prototype, room);
Object.assign(Old.prototype, room);
export default { fetch: () => new Response("hello") };
"""

SCRIPT_CONFIG = """
name = "script"
main = "worker.js"
compatibility_date = "2026-11-17"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Scripted", "Old"]
"""

CONFIG = """
name = "alarms"
main = "worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]

[[migrations]]
tag = "v1"
new_sqlite_classes = ["EchoRoom", "EchoRoomSleepy", "Broken"]
"""

TESTS = """
import re

import pytest
from partyserver.testing import AlarmError

@pytest.fixture(params=["EchoRoom", "EchoRoomSleepy"])
def room(party, request):
    return party.room(request.param, "a")

def fire(room, what):
    with room.connect() as socket:
        room.fetch("/" + what)
        room.run_alarm()

def why(room, what):
    with pytest.raises(AlarmError) as caught:
        fire(room, what)
    assert f"alarm: {what}" in str(caught.value)
    assert "Python class" not in str(caught.value)
    return str(caught.value)

def test_delete_all_is_an_alarm_like_others(room):
    fire(room, "delete_all")
    with pytest.raises(LookupError, match="no pending alarm"):
        room.run_alarm()

def test_so_it_is_with_an_alarm_set_after_it(room):
    fire(room, "delete_all_and_set")
    room.fetch("/delete_all")
    room.run_alarm()

def test_abort_is_told(room):
    message = f"{room!r} was aborted or reset while its alarm ran: Application called abort()"
    assert message in why(room, "abort")

def test_abort_is_told_with_its_reason(room):
    message = f"{room!r} was aborted or reset while its alarm ran: all is deleted\\n"
    assert why(room, "delete_all_and_abort").startswith(message)

def test_a_reset_by_an_error_is_told(room):
    message = why(room, "fail_to_start")
    assert f"{room!r} was aborted or reset while its alarm ran: " in message
    assert "ValueError: not to be started" in message

def test_a_hook_that_does_not_end_is_told(room, monkeypatch):
    monkeypatch.setattr("partyserver.testing.party.ALARM_TIMEOUT", 1)
    monkeypatch.setattr(room._party, "_timeout", 1)
    message = f"the alarm of {room!r} has not ended within 1 s: its hook is still running\\n"
    assert why(room, "wait").startswith(message)

def test_a_crash_is_told(party):
    message = "the runtime crashed while the alarm of <Room EchoRoom 'a'> ran"
    assert message in why(party.room("EchoRoom", "a"), "crash")

@pytest.mark.parametrize("name", ["Scripted", "Old"])
def test_a_class_in_javascript(party, name):
    room = party.room(name, "a")
    room.fetch("/")
    reason = "it must be of a Python class in the worker's main module"
    with pytest.raises(AlarmError, match=f"the alarm of {room!r} cannot be fired: {reason}"):
        room.run_alarm()

def test_an_object_that_cannot_be_made(party):
    with pytest.raises(AlarmError, match="(?s)cannot be fired: .*cannot be made") as caught:
        party.room("Broken", "a").run_alarm()
    assert "Python class" not in str(caught.value)
    assert "probe" not in str(caught.value)
"""


@pytest.fixture(autouse=True)
def _workers(project: Project) -> None:
    project.use_partyserver()
    script = project.folder / "script"
    script.mkdir()
    (script / "worker.js").write_text(SCRIPT)
    (script / "wrangler.toml").write_text(SCRIPT_CONFIG)
    own = [binding(name) for name in ("EchoRoom", "EchoRoomSleepy", "Broken")]
    others = [f'{binding(name)}script_name = "script"\n' for name in ("Scripted", "Old")]
    (project.folder / "wrangler.toml").write_text(CONFIG + "".join(own + others))
    with (project.folder / "pytest.ini").open("a") as ini:
        ini.write("\nparty_config =\n    wrangler.toml\n    script/wrangler.toml\n")
    project.write(worker=ROOMS, test_it=TESTS)


def test_what_became_of_an_alarm(project: Project) -> None:
    result = project.run("-q")
    assert "16 passed" in result.stdout, result.stdout


def binding(name: str) -> str:
    return f'\n[[durable_objects.bindings]]\nname = "{name}"\nclass_name = "{name}"\n'
