"""`partyserver check` as the build command of `wrangler dev`."""

from __future__ import annotations

import shutil
import sys

import pytest

from ..dev import running
from .running import ROOT

WORKER = """\
from partyserver import Server, route_partykit_request
from workers import Response, WorkerEntrypoint


class Chat(Server):
    def on_request(self, request):
        return Response("first")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("Not Found", status=404)
"""

CONFIG = f"""\
name = "lives"
main = "src/worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]

[[durable_objects.bindings]]
name = "Chat"
class_name = "Chat"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Chat"]

[build]
command = "{sys.executable} -m partyserver check"
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "worker.py").write_text(WORKER)
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    shutil.copytree(ROOT / "tests" / "worker" / "python_modules", tmp_path / "python_modules")
    return tmp_path


@pytest.fixture
def dev(project):
    with running(project) as dev:
        yield dev


def test_a_typo_shows_the_python_error_and_ends_nothing(project, dev):
    worker = project / "src" / "worker.py"
    dev.wait_until_it_answers("first")
    listing = worker.parent.stat().st_mtime_ns

    for text, told in [
        (WORKER.replace("return Response(", "return Response(("), "SyntaxError: "),
        (f"{WORKER}\nChatt.options = {{}}\n", "NameError: name 'Chatt' is not defined"),
        (f"import no_such_package\n{WORKER}", "`uv add no-such-package`"),
        (WORKER.replace("on_request", "on_requst"), "TypeError: "),
    ]:
        before = len(dev.said)
        worker.write_text(text)
        dev.wait_for(told, before)
        # Not only wrangler's own words, which follow.
        dev.wait_for("failed", before)
        assert 'File "src/worker.py", line' in dev.said[before:]
        assert dev.process.poll() is None

    worker.write_text(WORKER.replace("first", "mended"))
    dev.wait_until_it_answers("mended")
    # What the check does starts no other build: it writes nothing where wrangler looks.
    assert worker.parent.stat().st_mtime_ns == listing
    assert list(worker.parent.iterdir()) == [worker]
    # A save may be two builds, one of the file that is empty for a moment.
    assert dev.said.count("Running: ") <= 2 + 2 * 5, dev.said

    # A class that is not there is an internal error for each request, and is mended in the config:
    # a build that fails after a change of that ends wrangler.
    config = project / "wrangler.toml"
    before = len(dev.said)
    config.write_text(CONFIG.replace('class_name = "Chat"', 'class_name = "Chatt"'))
    dev.wait_for("error: the binding Chat in wrangler.toml is for the class Chatt", before)
    config.write_text(CONFIG)
    worker.write_text(WORKER.replace("first", "bound again"))
    dev.wait_until_it_answers("bound again")
