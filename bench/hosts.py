"""One worker, hosted in each of the ways that are compared, and the same rooms with FastAPI."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPException
from pathlib import Path

from tests.ports import reserved

from .machine import CLIENT_CORE, SERVER_CORE, cpu_seconds, family, on_core, shared_bytes
from .paths import NODE, ROOT, WORKERD
from .servers import WORKERS, Server, fetch, running
from .workerd import COMPATIBILITY_DATE, PYTHON_FLAGS

SERVE, OWNER, RELAYED, DEV, FASTAPI = "serve", "owner", "relayed", "dev", "fastapi"
#: In the order of the table. A cluster is two of them: a room's own node, and another one.
HOSTS = (SERVE, OWNER, RELAYED, DEV, FASTAPI)

_WORKER = replace(WORKERS["capacity"], classes=("Echo", "Everybody", "Written"))
_NAME = "hosted"
BUNDLE = ROOT / ".cache" / "pyodide-bundle"
_WRANGLER = ROOT / "node_modules" / "wrangler" / "bin" / "wrangler.js"
#: Seconds: limits against hangs.
_PATIENCE = 300.0
_LOOK = 0.005
_READY = r"^partyserver: serving .*:(\d+)$"

#: What answers first.
FIRST = "/parties/everybody/first"


@dataclass(frozen=True)
class Host(Server):
    """What serves a room, with all of its processes.

    Attributes:
        pids: those whose CPU and memory are counted.
        owner_pid, owner_port: of the node that has the rooms, where it is another one.
        seconds: from the start of the process to the first answer.
    """

    pids: tuple[int, ...] = ()
    owner_pid: int = 0
    owner_port: int = 0
    seconds: float = 0

    def cpu(self) -> float:
        return sum(map(cpu_seconds, self.pids))

    def memory(self) -> int:
        """Bytes, of which those that several processes have in common count once."""
        return sum(map(shared_bytes, self.pids))

    def place(self, path: str) -> None:
        """Have a room begin where it is to be: it stays with the node that is asked first."""
        fetch(self.owner_port or self.port, path)


class Hosts:
    """Starts them, with the files of all in one folder. The start-up snapshot is made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._project = folder / "project"
        self._project.mkdir()
        _WORKER.python_modules(self._project)
        (self._project / "node_modules").symlink_to(ROOT / "node_modules")
        (self._project / "wrangler.toml").write_text(_config())
        self._snapshots = folder / "snapshots"
        self._snapshots.mkdir()

    def prepare(self) -> None:
        """Make the snapshot: once for `serve`, and once for the nodes where theirs is another."""
        with self.serve():
            pass
        with self.cluster():
            pass

    @contextmanager
    def all(self) -> Iterator[dict[str, Host]]:
        with ExitStack() as stack:
            served = stack.enter_context(self.serve())
            owner, relayed = stack.enter_context(self.cluster())
            dev = stack.enter_context(self.dev())
            fastapi = stack.enter_context(self.fastapi())
            yield {host.name: host for host in (served, owner, relayed, dev, fastapi)}

    @contextmanager
    def host(self, name: str) -> Iterator[Host]:
        with ExitStack() as stack:
            if name in (OWNER, RELAYED):
                nodes = stack.enter_context(self.cluster())
                yield next(node for node in nodes if node.name == name)
            else:
                start = {SERVE: self.serve, DEV: self.dev, FASTAPI: self.fastapi}[name]
                yield stack.enter_context(start())

    @contextmanager
    def serve(self, *options: str) -> Iterator[Host]:
        with self._served(SERVE, options, {}) as host:
            yield host

    @contextmanager
    def cluster(self) -> Iterator[tuple[Host, Host]]:
        """Two nodes, of which the first has all rooms, and the second relays to it."""
        key = secrets.token_hex(32)
        # Addresses of their own, so that no other process has the ports.
        network = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}"
        with ExitStack() as stack:
            bucket = stack.enter_context(self.bucket())
            environ = {
                "PARTY_CLUSTER_KEY": key,
                "AWS_ENDPOINT_URL": bucket,
                "AWS_ACCESS_KEY_ID": "me",
                "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
            }
            options = ["--cluster", f"s3://rooms/{_NAME}", "--peer"]
            owner, other = (
                stack.enter_context(
                    self._served(name, [*options, f"{network}.{number + 10}:7000"], environ)
                )
                for number, name in enumerate((OWNER, RELAYED))
            )
            pids = owner.pids + other.pids
            yield (
                replace(owner, pids=pids),
                replace(other, pids=pids, owner_pid=owner.pids[-1], owner_port=owner.port),
            )

    @contextmanager
    def dev(self) -> Iterator[Host]:
        state = self._new("state")
        with reserved() as port:
            command = [
                *(NODE, str(_WRANGLER), "dev", "--ip", "127.0.0.1", "--port", str(port)),
                *("--inspector-port", "0", "--show-interactive-dev-session=false"),
                *("--persist-to", str(state), "--compatibility-flags", *PYTHON_FLAGS),
            ]
            environ = {
                "MINIFLARE_WORKERD_PATH": str(WORKERD),
                "NODE_COMPILE_CACHE": str(ROOT / ".cache" / "node"),
                "WRANGLER_SEND_METRICS": "false",
                "CLOUDFLARE_CF_FETCH_ENABLED": "false",
                "FORCE_COLOR": "0",
            }
            with _process(command, state / "log", environ, folder=self._project) as process:
                yield process.host(DEV, lambda: port)

    @contextmanager
    def fastapi(self) -> Iterator[Host]:
        with running(FASTAPI, "fastapi_hosting") as server:
            fetch(server.port, FIRST)
            seconds = time.monotonic() - server.started
            yield Host(
                *(FASTAPI, server.pid, server.port, server.started),
                pids=family(server.pid),
                seconds=seconds,
            )

    @contextmanager
    def _served(
        self, name: str, options: Sequence[str], environ: Mapping[str, str]
    ) -> Iterator[Host]:
        data = self._data(name)
        command = [
            *(sys.executable, "-m", "partyserver", "serve", "-c", "wrangler.toml"),
            *("--data", str(data), "--port", "0", "--pyodide-bundle", str(BUNDLE), *options),
        ]
        log = data.with_suffix(".log")
        with _process(command, log, environ, folder=self._project) as process:
            host = process.host(name, lambda: int(process.line(_READY)))
            _link(data / "snapshots", self._snapshots)
            yield host

    @contextmanager
    def bucket(self) -> Iterator[str]:
        """An S3 server beside the clients: it stands for another machine."""
        command = [sys.executable, "-m", "tests.cluster.bucket"]
        log = self._new("bucket") / "log"
        with _process(command, log, {}, folder=ROOT, core=CLIENT_CORE) as process:
            yield process.line(r"^(http://.*)$")

    def _data(self, name: str) -> Path:
        """A data folder that has the snapshots which were made before."""
        data = self._new(name)
        data.chmod(0o700)
        snapshots = data / "snapshots"
        snapshots.mkdir(mode=0o700)
        _link(self._snapshots, snapshots)
        (data / "worker.json").write_text(json.dumps({"format": 1, "worker": _NAME}))
        return data

    def _new(self, name: str) -> Path:
        folder = self._folder / f"{name}-{secrets.token_hex(4)}"
        folder.mkdir()
        return folder


def _config() -> str:
    bindings = "".join(
        f'[[durable_objects.bindings]]\nname = "{name}"\nclass_name = "{name}"\n'
        for name in _WORKER.classes
    )
    return (
        f'name = "{_NAME}"\nmain = "worker.py"\ncompatibility_date = "{COMPATIBILITY_DATE}"\n'
        f'compatibility_flags = ["python_workers"]\n{bindings}'
        f'[[migrations]]\ntag = "v1"\nnew_sqlite_classes = {json.dumps(_WORKER.classes)}\n'
    )


def _link(source: Path, target: Path) -> None:
    for path in source.iterdir():
        with suppress(FileExistsError):
            os.link(path, target / path.name)


class _Process:
    """A process whose log is read, from its start to its end."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, started: float) -> None:
        self._process, self._log, self._started = process, log, started

    def line(self, pattern: str) -> str:
        """What a line of the log has in its first group, when there is one."""
        while True:
            if found := re.search(pattern, self._log.read_text(errors="replace"), re.MULTILINE):
                return found[1]
            self._wait()

    def host(self, name: str, port: Callable[[], int]) -> Host:
        """When it has answered for the first time."""
        number = port()
        while True:
            with suppress(OSError, HTTPException):
                if fetch(number, FIRST) == b"ok":
                    break
            self._wait()
        seconds = time.monotonic() - self._started
        pid = self._process.pid
        return Host(name, pid, number, self._started, pids=family(pid), seconds=seconds)

    def _wait(self) -> None:
        late = time.monotonic() - self._started > _PATIENCE
        if late or self._process.poll() is not None:
            raise RuntimeError(f"it did not start:\n{self._log.read_text(errors='replace')}")
        time.sleep(_LOOK)


@contextmanager
def _process(
    command: Sequence[str],
    log: Path,
    environ: Mapping[str, str],
    *,
    folder: Path,
    core: set[int] = SERVER_CORE,
) -> Iterator[_Process]:
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,  # the bucket ends with it
            stdout=output,
            stderr=output,
            preexec_fn=partial(on_core, core),
        )
    try:
        yield _Process(process, log, started)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started, which must not disturb what is measured next."""
    pids = family(process.pid) if process.poll() is None else ()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + _PATIENCE
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(_LOOK)


def _runs(pid: int) -> bool:
    """Whether it is there, and not only its exit status, for which nobody has asked."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
