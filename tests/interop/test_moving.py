"""A class in Python that takes the place of one in TypeScript has what its rooms have stored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ..dev import ROOT, running

pytestmark = pytest.mark.once

CONFIG = """\
name = "my-chat"
main = "{main}"
compatibility_date = "2026-11-17"
compatibility_flags = [{flags}]

[[durable_objects.bindings]]
name = "Chat"
class_name = "Chat"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Chat"]
"""

IN_JAVASCRIPT = """\
import { Server, routePartykitRequest } from "partyserver";

export class Chat extends Server {
  async onRequest() {
    const { sql } = this.ctx.storage;
    sql.exec("create table message (text text, picture blob)");
    sql.exec("insert into message values (?, ?)", "hello", new Uint8Array([1, 2]));
    await this.ctx.storage.put({
      object: { list: [1, "two", null, 0.5], yes: true },
      map: new Map([["key", 1]]),
      set: new Set(["a member"]),
      date: new Date(0),
      bytes: new Uint8Array([3, 4]),
    });
    const alarm = Date.now() + 3_600_000;
    await this.ctx.storage.setAlarm(alarm);
    return Response.json({ name: this.name, id: this.ctx.id.toString(), alarm });
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) || new Response(null, { status: 404 });
  },
};
"""

IN_PYTHON = """\
from partyserver import Server, route_partykit_request
from workers import Response, WorkerEntrypoint


class Chat(Server):
    migrations = [
        "create table if not exists message (text text, picture blob)",
        "alter table message add column at integer not null default 0",
    ]

    async def on_request(self, request):
        messages = [repr(dict(row)) for row in self.sql("select * from message")]
        kept = {key: repr(self.kv.get(key)) for key in ("object", "map", "set", "date", "bytes")}
        alarm = await self.ctx.storage.getAlarm()
        found = {"name": self.name, "id": self.ctx.id.toString(), "alarm": alarm}
        return Response.from_json([found, messages, kept])


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("", status=404)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def deploy(project: Path, main: str, code: str, flags: str = "") -> None:
    (project / "src" / main).write_text(code)
    (project / "wrangler.toml").write_text(CONFIG.format(main=f"src/{main}", flags=flags))


def test_a_room_has_what_it_had_in_typescript(project):
    deploy(project, "worker.js", IN_JAVASCRIPT)
    with running(project) as dev:
        dev.wait_for("Ready")
        before = json.loads(dev.answer("/parties/chat/lobby"))
    assert before["name"] == "lobby"

    shutil.copytree(ROOT / "tests" / "worker" / "python_modules", project / "python_modules")
    deploy(project, "worker.py", IN_PYTHON, '"python_workers"')
    with running(project) as dev:
        dev.wait_for("Ready")
        after, messages, kept = json.loads(dev.answer("/parties/chat/lobby"))
        other, no_messages, _ = json.loads(dev.answer("/parties/chat/kitchen"))
    assert after == before
    assert messages == ["{'text': 'hello', 'picture': b'\\x01\\x02', 'at': 0}"]
    assert kept == {
        "object": "{'list': [1, 'two', None, 0.5], 'yes': True}",
        "map": "{'key': 1}",
        "set": "{'a member'}",
        "date": "datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)",
        "bytes": r"b'\x03\x04'",
    }
    assert (other["name"], other["alarm"], no_messages) == ("kitchen", None, [])
