"""The testing kit on `partyserver serve`: what `pytest --serve` runs the fixture `party` with.

It has what `partyserver.testing.runtime.Runtime` has, as far as that is not the kit's alone: a test
that needs more is skipped, and says so.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from partyserver.testing.errors import RuntimeCommandError, RuntimeLostError
from partyserver.testing.logs import LogBook, LogLine
from partyserver.testing.runtime import RoomClass

from ..ports import reserved
from .running import LIMIT, Served, keep_snapshots, take_snapshots

#: In what workerd itself logs of an exception that a request ends with. The kit answers it first.
OF_RUNTIME = "workerd/server/server/listen"


class ServedRuntime:
    """A worker on `partyserver serve`, in place of the kit's `Runtime`."""

    def __init__(self, settings):
        (self._config,) = settings.configs
        self._vars = settings.vars
        self._folder = Path(tempfile.mkdtemp(prefix="partyserver-served-"))
        self.log = LogBook()
        self.lost = None
        self.wrangler = "none"
        self.is_reused, self.replaces, self.not_kept = False, None, None
        self.sleeps = {}
        self.is_alive = True
        self.start_seconds = 0.0
        config = tomllib.loads(self._config.read_text())
        bindings = config.get("durable_objects", {}).get("bindings", [])
        self.rooms = tuple(RoomClass(one["name"], one["class_name"]) for one in bindings)
        self._start()

    @classmethod
    def start(cls, settings, slot=None):
        began = time.monotonic()
        if len(settings.configs) > 1:
            pytest.skip("several workers in one runtime are the kit's")
        runtime = cls(settings)
        runtime.start_seconds = time.monotonic() - began
        return runtime

    def _start(self, *options):
        control = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{control.getsockname()[1]}"
        self._control = httpx.Client(base_url=url, timeout=LIMIT, trust_env=False)
        self._marks = Counter()
        data = self._folder / "data"
        take_snapshots(data, self._config)
        with control:
            self._served = Served(
                self._config,
                data,
                *("--log-format", "json", "--allow-private-network", *options),
                module="tests.hosting.launcher",
                environ={
                    "PARTY_TEST_CONTROL": str(control.fileno()),
                    "PARTY_TEST_VARS": json.dumps(self._vars),
                },
                inherited=[control.fileno()],
                hear=self._hear,
            )
        self.url = self._served.until_ready().url
        keep_snapshots(data)
        # As the kit's: the group of the runtime's processes.
        self._process = SimpleNamespace(pid=self._served.workerd())

    def check(self):
        if not self.is_alive:
            raise RuntimeLostError(self.lost or "the session is over, and the runtime stopped")

    def begin(self):
        self.flush()

    def flush(self, patience=None):
        """Have all that was logged so far in `log`."""
        self._command("flush")

    def wipe(self):
        self._command("wipe")
        for database in (self._folder / "data" / "objects").glob("*/*.sqlite"):
            # As the kit's: what was evicted is on the disk alone, and without a log beside it.
            if database.stem != "metadata" and not Path(f"{database}-wal").exists():
                database.unlink()

    def hibernate(self, room, name, timeout=10_000):
        deadline = time.monotonic() + timeout / 1000
        while True:
            try:
                return self._evict(room, name, "hibernate")
            except RuntimeCommandError:
                if time.monotonic() > deadline:
                    raise

    def evict(self, room, name):
        self._evict(room, name, "close")

    def _evict(self, room, name, sockets):
        self._command("evict", binding=room.binding, name=name, webSockets=sockets)

    def attributes(self, room, name):
        return None

    def run_alarm(self, *_):
        pytest.skip("an alarm before its time is the kit's")

    def run_due(self, *_):
        pytest.skip("timers before their time are the kit's")

    def restart(self):
        port = self.url.rpartition(":")[2]
        self._served.kill()
        self._control.close()
        with reserved(int(port)):
            self._start("--port", port)

    def keep(self, idle=None):
        self.stop()

    def stop(self):
        if self.is_alive:
            self.is_alive = False
            self._served.kill()
            self._control.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self, action, **options):
        mark = f"mark {secrets.token_hex(8)}"
        try:
            answer = self._control.post("/", json={"action": action, "mark": mark, **options})
        except httpx.TransportError as error:
            self.lost = f"the worker no longer answers: {error!r}\n{self._served.text[-2000:]}"
            self.stop()
            raise RuntimeLostError(self.lost) from None
        if not answer.is_success:
            raise RuntimeCommandError(answer.json()["message"])
        with self._served.changed:  # until it came by stdout and by stderr
            assert self._served.changed.wait_for(lambda: self._marks[mark] == 2, LIMIT)

    def _hear(self, line):
        """Have a line become an entry of the log."""
        if line.startswith("partyserver: "):
            return
        try:
            said = json.loads(line)
            message = " ".join(filter(None, (said.get("source"), said["message"])))
            entry = LogLine(said["level"], message, float(said["timestamp"]) / 1000)
        except (ValueError, TypeError, KeyError):
            entry = LogLine("error", line, time.time())
        if entry.message.startswith("mark "):
            self._marks[entry.message] += 1
        else:
            self.log.append(entry)
