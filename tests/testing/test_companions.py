"""A worker and the JavaScript worker that it talks to, in one runtime."""

from __future__ import annotations

import pytest

from .conftest import Project

COMPANION = """
import { DurableObject } from "cloudflare:workers";

// With SQLite, as its own config says; the binding to it does not know.
export class Counter extends DurableObject {
  #inMemory = 0;

  async fetch() {
    this.ctx.storage.sql.exec("create table if not exists call (n)");
    this.ctx.storage.sql.exec("insert into call values (1)");
    const { stored } = this.ctx.storage.sql.exec("select count(*) as stored from call").one();
    return Response.json([stored, ++this.#inMemory]);
  }
}

export default {
  async fetch(request, env) {
    console.log("the companion is asked");
    const echo = env.ECHO.getByName("room");
    return Response.json(["companion", await (await echo.fetch(request)).json()]);
  },
};
"""

COMPANION_CONFIG = """
name = "companion"
main = "worker.js"
compatibility_date = "2026-11-17"

[[durable_objects.bindings]]
name = "ECHO"
class_name = "EchoRoom"
script_name = "raw"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Counter"]
"""

BINDINGS = """
[[services]]
binding = "COMPANION"
service = "companion"

[[durable_objects.bindings]]
name = "COUNTER"
class_name = "Counter"
script_name = "companion"
"""

WORKER = """

class Default(Default):
    async def fetch(self, request):
        if "/ask" in request.url:
            return await self.env.COMPANION.fetch("https://companion/vars")
        if "/count" in request.url:
            return await self.env.COUNTER.getByName("a").fetch("https://companion/")
        return await super().fetch(request)
"""

TESTS = """
def test_the_workers_call_each_other(party):
    assert party.fetch("/ask").json() == ["companion", ["config", "from the ini file"]]
    assert "the companion is asked" in party.logs
    assert party.room("Echo", "a").fetch("/").json() == ["fetch"]

def test_objects_of_the_companion_can_be_evicted(party):
    assert party.fetch("/count").json() == [1, 1]
    assert party.fetch("/count").json() == [2, 2]
    party.room("COUNTER", "a").evict()
    assert party.fetch("/count").json() == [3, 1]

def test_their_storage_is_empty_at_first(party):
    assert party.fetch("/count").json() == [1, 1]

def test_their_storage_outlives_a_restart(party):
    party.fetch("/count")
    party.restart()
    assert party.fetch("/count").json() == [2, 1]
"""


@pytest.fixture
def configs(project: Project) -> list[str]:
    companion = project.folder / "companion"
    companion.mkdir()
    (companion / "worker.js").write_text(COMPANION)
    (companion / "wrangler.toml").write_text(COMPANION_CONFIG)
    for name, more in (("wrangler.toml", BINDINGS), ("worker.py", WORKER)):
        with (project.folder / name).open("a") as file:
            file.write(more)
    project.write(test_it=TESTS)
    return ["wrangler.toml", "companion/wrangler.toml"]


def test_configs_in_the_ini_file(project: Project, configs: list[str]) -> None:
    with (project.folder / "pytest.ini").open("a") as ini:
        ini.write("\nparty_config =\n" + "".join(f"    {config}\n" for config in configs))
    result = project.run("-v")
    assert "4 passed" in result.stdout, result.stdout + result.stderr
    assert "partyserver: the workers of " in result.stdout


def test_configs_of_a_fixture(project: Project, configs: list[str]) -> None:
    project.write(
        test_it="import pathlib, pytest\n\n@pytest.fixture\ndef party_config():\n"
        f"    return [pathlib.Path(path).absolute() for path in {configs}]\n" + TESTS
    )
    result = project.run("-q", "-k", "call_each_other")
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def test_a_companion_that_is_not_there(project: Project, configs: list[str]) -> None:
    project.write(
        test_it="import pathlib, pytest\n\n@pytest.fixture\ndef party_config():\n"
        "    return [pathlib.Path('wrangler.toml'), pathlib.Path('nowhere.toml')]\n" + TESTS
    )
    result = project.run("-q")
    assert "nowhere.toml: set the ini option party_config" in result.stdout


def test_a_companion_that_does_not_build(project: Project, configs: list[str]) -> None:
    (project.folder / "companion" / "worker.js").write_text("export default {")
    with (project.folder / "pytest.ini").open("a") as ini:
        ini.write("\nparty_config =\n" + "".join(f"    {config}\n" for config in configs))
    result = project.run("-q")
    assert "the worker does not start:" in result.stdout
    assert "worker.js" in result.stdout
