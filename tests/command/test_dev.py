"""`partyserver check` as the build command of `wrangler dev`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from ..ports import reserved
from .running import NODE_MODULES, ROOT

#: Seconds. Only a failing test waits this long.
TIMEOUT = 300

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


class Dev:
    """A running `wrangler dev`."""

    def __init__(self, folder, port, *program):
        self.port = port
        flags = ["python_workers", "python_workers_development", "experimental"]
        self.process = subprocess.Popen(
            [
                *(program or ("wrangler",)),
                *("dev", "--ip", "127.0.0.1", "--port", str(self.port)),
                *("--inspector-port", "0", "--show-interactive-dev-session=false"),
                *("--compatibility-flags", *flags),
            ],
            cwd=folder,
            env=os.environ
            | {
                "PATH": os.pathsep.join([str(NODE_MODULES / ".bin"), os.environ["PATH"]]),
                "MINIFLARE_WORKERD_PATH": str(ROOT / "tools" / "workerd.sh"),
                "WRANGLER_SEND_METRICS": "false",
                "CLOUDFLARE_CF_FETCH_ENABLED": "false",
                "FORCE_COLOR": "0",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.said += line
                self._news.notify_all()

    def wait_for(self, text, since=0):
        with self._news:
            assert self._news.wait_for(lambda: text in self.said[since:], TIMEOUT), self.said

    def answer(self, path="/parties/chat/lobby"):
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            return response.read().decode()

    def wait_until_it_answers(self, text, path="/parties/chat/lobby"):
        deadline = time.monotonic() + TIMEOUT
        answer = None
        while answer != text:
            assert time.monotonic() < deadline, (answer, self.said)
            assert self.process.poll() is None, self.said
            try:
                answer = self.answer(path)
            except (OSError, urllib.error.URLError) as error:
                answer = error
            time.sleep(0.1)

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()


@contextmanager
def running(folder, *program):
    with reserved() as port:
        dev = Dev(folder, port, *program)
        try:
            yield dev
        finally:
            dev.end()


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
