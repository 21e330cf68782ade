"""`partyserver serve` as a process of a test's: started, listened to, and never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from partyserver.hosting.data import write_private

ROOT = Path(__file__).parent.parent.parent
BUNDLE = ROOT / ".cache" / "pyodide-bundle-compiled"
#: Snapshots of all test runs: their names say what they were made of.
SNAPSHOTS = ROOT / ".cache" / "serve-snapshots"

#: How many are kept.
KEPT = 12

#: Seconds against hangs.
LIMIT = 120.0
READY = "partyserver: serving "
HEALTH = "partyserver: health on "


class NotServedError(Exception):
    """It has ended before it was ready; the message is what it has said."""


class Served:
    """A running `partyserver serve`, as a context. Its config may be a folder that is built."""

    def __init__(
        self,
        config: Path,
        data: Path,
        *options: str,
        module: str = "partyserver",
        environ: Mapping[str, str] | None = None,
        inherited: Sequence[int] = (),
        hear: Callable[[str], object] = str,
    ) -> None:
        self.data = data
        self._hear = hear
        #: Lines of stdout and of stderr, in the order in which they came.
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self._ended = 0
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", module, "serve"),
                *("--built" if config.is_dir() else "--config", str(config)),
                *("--data", str(data), "--port", "0", "--health", "127.0.0.1:0"),
                *("--pyodide-bundle", str(BUNDLE), *options),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            pass_fds=inherited,
            process_group=0,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self._hear(self.lines[-1])
                self.changed.notify_all()
        with self.changed:
            self._ended += 1
            self.changed.notify_all()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line(self, text: str, start: int = 0) -> str:
        """The first line that holds a text, when there is one."""
        deadline = time.monotonic() + LIMIT
        with self.changed:
            while True:
                for line in self.lines[start:]:
                    if text in line:
                        return line
                if self._ended == len(self._readers):
                    raise NotServedError(self.text)
                if not self.changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"no line holds {text!r}:\n{self.text}")

    def until_ready(self) -> Served:
        self.url = self.line(READY).split()[-1]
        self.health = self.line(HEALTH).split()[-1]
        return self

    def websocket(self, path: str) -> str:
        return self.url.replace("http", "ws", 1) + path

    def workerd(self) -> int:
        """The process of workerd."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])

    def workerd_soon(self) -> int:
        """The same, where it is about to be started."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError):
                return self.workerd()
            time.sleep(0.005)
        raise TimeoutError(f"workerd was not started:\n{self.text}")

    def wait(self) -> int:
        """Its exit status, when all that it has said is in `lines`."""
        status = self.process.wait(LIMIT)
        for reader in self._readers:
            reader.join(LIMIT)
        return status

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        self.signal()
        return self.wait()

    def kill(self) -> None:
        """Both processes, at once, as a loss of power would. Killing it twice is nothing."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, AssertionError, FileNotFoundError):
                os.kill(self.workerd(), signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        self.wait()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_) -> None:
        self.kill()


@contextlib.contextmanager
def serving(config: Path, data: Path, *options: str, **more) -> Iterator[Served]:
    """A worker that is ready, from a snapshot where an earlier test or run has made it."""
    take_snapshots(data, config)
    with Served(config, data, *options, **more) as served:
        served.until_ready()
        keep_snapshots(data)
        yield served


def take_snapshots(data: Path, config: Path) -> None:
    """Make a new data folder for a worker, with all snapshots that were kept."""
    if not data.exists():
        (data / "snapshots").mkdir(parents=True)
        (data / "snapshots").chmod(0o700)
        name = tomllib.loads(config.read_text())["name"]
        write_private(data / "worker.json", json.dumps({"format": 1, "worker": name}).encode())
        SNAPSHOTS.mkdir(parents=True, exist_ok=True)
        _link(SNAPSHOTS, data / "snapshots")


def keep_snapshots(data: Path) -> None:
    _link(data / "snapshots", SNAPSHOTS)
    by_use = sorted(SNAPSHOTS.glob("*.bin"), key=lambda path: path.stat().st_mtime)
    for path in by_use[:-KEPT]:
        path.unlink(missing_ok=True)
        path.with_suffix(".sha256").unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    for path in source.iterdir():
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(path, target / path.name)


def project(folder: Path, source: str, *classes: str, name: str = "served", more: str = "") -> Path:
    """A project with a worker in Python; the path of its config."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "worker.py").write_text(source)
    shutil.copytree(ROOT / "tests" / "worker" / "python_modules", folder / "python_modules")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    bindings = ", ".join(f'{{ name = "{one}", class_name = "{one}" }}' for one in classes)
    config = folder / "wrangler.toml"
    config.write_text(
        f"""
name = "{name}"
main = "src/worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]
{more}
[durable_objects]
bindings = [{bindings}]
[[migrations]]
tag = "v1"
new_sqlite_classes = [{", ".join(f'"{one}"' for one in classes)}]
"""
    )
    return config


#: A room that stores each message before it says so, and an alarm that says when it rings.
WRITING = """
from partyserver import Server, route_partykit_request
from workers import Response, WorkerEntrypoint

class Room(Server):
    options = {"hibernate": True}

    def on_start(self):
        print("started", self.name)
        self.sql("CREATE TABLE IF NOT EXISTS told (number INTEGER PRIMARY KEY, text TEXT)")

    def on_message(self, connection, message):
        self.sql("INSERT INTO told (text) VALUES (?)", message)
        connection.send(message)

    def on_close(self, connection, code, reason, was_clean):
        print("closed", code)

    async def on_request(self, request):
        if request.method == "POST":
            await self.ctx.storage.setAlarm(int(await request.text()))
        return Response.json([row["text"] for row in self.sql("SELECT text FROM told")])

    def on_alarm(self):
        print("rang", self.name)
        self.sql("INSERT INTO told (text) VALUES ('alarm')")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("worker")
"""
