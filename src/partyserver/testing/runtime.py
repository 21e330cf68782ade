"""Runtime: the Node process that runs the user's worker, and how to talk to it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from . import imports
from .errors import RuntimeCommandError, RuntimeLostError, RuntimeStartError
from .installed import find_node, find_wrangler
from .logs import LogBook, LogLine
from .processes import Patience

#: Seconds. Starting includes the user's build command, and on a first run the runtime's download
#: of its interpreter.
START_TIMEOUT = 180.0
STOP_TIMEOUT = 10.0

#: Seconds of CPU that the runtime may take for an answer before it counts as hung. The platform
#: ends a hook after 30; where a wait of the test's own has timed out already, that is suspicious.
PATIENCE = 40.0
SUSPICION = 8.0
#: Seconds that it may neither compute nor answer.
IDLE = 60.0
#: Seconds between two looks at a runtime that has not answered yet.
_LOOK = 0.5

#: Milliseconds that a room is given to come to rest before it is evicted. The first is one that a
#: test waits for in vain only if it fails; after the second, a stronger means is there.
HIBERNATE_MS = 10_000
EVICT_MS = 500

#: Milliseconds that a room is given to tell its attributes.
ATTRIBUTES_MS = 1000

_RECORD = "\x1e"
_TRACEBACK = "Traceback (most recent call last):"
_NO_INTERPRETER = "Request for Pyodide bundle failed"


class _NodeEndedError(RuntimeCommandError):
    """The Node process that runs the worker is gone."""


_HUNG = (
    "the worker no longer answers: a hook seems to be in an endless loop or to hold a "
    "threading.Lock across an await; the runtime was replaced"
)
_ENDED = "the Node.js process that runs the worker has ended; the runtime was replaced"


@dataclass(frozen=True)
class RoomClass:
    """A Durable Object binding of the worker."""

    binding: str
    class_name: str


@dataclass(frozen=True)
class Settings:
    """What to run, and how."""

    configs: tuple[Path, ...]
    """The wrangler configs: first the primary worker's, then those of the workers it talks to."""
    search: tuple[Path, ...]
    """Folders from which node and wrangler are looked for, upward."""
    vars: Mapping[str, str]
    env: str | None = None
    pyodide_bundle: Path | None = None
    """A folder with the interpreter, or for the runtime to keep it in once it has downloaded it."""


class Runtime:
    """A running worker. `start()` returns one; `stop()` leaves nothing of it.

    Every command raises `RuntimeLostError` if the worker turns out to be hung or gone. Nothing of
    it is left then either.
    """

    url: str
    rooms: tuple[RoomClass, ...]
    wrangler: str
    start_seconds: float

    def __init__(self, settings: Settings) -> None:
        self.log: LogBook = LogBook()
        #: Why it is gone, once it was found hung or ended.
        self.lost: str | None = None
        self.patience = PATIENCE
        self._stopped = False
        #: Which classes let an object with open sockets leave memory, as far as it is known.
        self.sleeps: dict[RoomClass, bool] = {}
        self._answers: dict[int, Future[Any]] = {}
        #: The workers, primary or not, that are built and not started yet.
        self._bundles: queue.SimpleQueue[imports.Bundle | None] = queue.SimpleQueue()
        self._next_id = 0
        self._lock = threading.Lock()
        node = find_node(settings.search)
        wrangler = find_wrangler(settings.search)
        self._folder = tempfile.TemporaryDirectory(prefix="partyserver-testing-")
        options = {
            "wranglerPackage": str(wrangler),
            "configs": [str(config) for config in settings.configs],
            "env": settings.env,
            "vars": settings.vars,
            "persist": str(Path(self._folder.name, "storage")),
            "temporary": self._folder.name,
            "pyodideBundle": settings.pyodide_bundle and str(settings.pyodide_bundle),
        }
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name("harness.mjs")), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=settings.configs[0].parent,
            env=os.environ | _QUIET,
            encoding="utf-8",
            errors="replace",
            # Its own group: Ctrl-C is for pytest alone, which then stops it in order.
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream, level), daemon=True)
            for stream, level in ((self._process.stdout, "info"), (self._process.stderr, "error"))
        ]
        for reader in self._readers:
            reader.start()
        atexit.register(self.stop)

    @classmethod
    def start(cls, settings: Settings) -> Runtime:
        """Start the worker.

        Raises:
            RuntimeStartError: with what node, wrangler or the user's own module said.
        """
        began = time.monotonic()
        runtime = cls(settings)
        try:
            with _one_build_at_a_time(settings.configs[0]):
                started = runtime._start()
        except (TimeoutError, RuntimeCommandError) as error:
            runtime.stop()
            slow = f"it was not ready within {START_TIMEOUT:g} s"
            why = slow if isinstance(error, TimeoutError) else str(error)
            raise RuntimeStartError(_why_not_started(why, runtime.log.lines, settings)) from None
        except RuntimeStartError:
            runtime._clear()  # what it is busy with takes long
            raise
        except BaseException:
            runtime.stop()
            raise
        runtime.url = started["url"]
        runtime.wrangler = started["wrangler"]
        runtime.rooms = tuple(RoomClass(**room) for room in started["rooms"])
        runtime.start_seconds = time.monotonic() - began
        return runtime

    def _start(self) -> Any:
        """Where an import is known to fail, do not wait until it does."""
        started = self._send("start")
        started.add_done_callback(lambda _: self._bundles.put(None))
        deadline = time.monotonic() + START_TIMEOUT
        while not started.done():
            try:
                bundle = self._bundles.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError from None
            if bundle and (found := imports.missing_import(bundle)):
                why = imports.why_missing(found, bundle)
                raise RuntimeStartError(f"the worker does not start: {why}")
        return started.result()

    def begin(self) -> None:
        """Wait until the log of what was before is complete."""
        try:
            self.flush()
        except RuntimeCommandError as error:
            self._lose(f"the runtime has crashed and does not come back ({error})")

    def flush(self, patience: float | None = None) -> None:
        """Wait until all that the runtime has logged so far is in `log`.

        `patience` is in seconds of CPU that the runtime may take for it.
        """
        self._command("flush", patience)

    @property
    def is_alive(self) -> bool:
        """Whether it was neither lost nor stopped, as far as it is known."""
        return not self._stopped

    def check(self) -> None:
        """Raise `RuntimeLostError` if it is known to be gone."""
        if self._stopped:
            raise RuntimeLostError(self.lost or "the session is over, and the runtime stopped")

    def wipe(self) -> None:
        """Evict every object, close its sockets, delete its storage and its alarm."""
        if self._stopped and not self.lost:
            return
        try:
            self._command("wipe")
        except RuntimeCommandError as error:
            self._lose(f"the runtime has crashed and does not come back ({error})")
        except RuntimeLostError:
            raise
        except BaseException:  # such as pytest-timeout's: it may be wiped, or not
            self._end("the runtime was interrupted; it was replaced")
            raise

    def hibernate(self, room: RoomClass, name: str, timeout: int = HIBERNATE_MS) -> None:
        """Remove one object from memory and keep its sockets, within `timeout` milliseconds."""
        self._command("hibernate", binding=room.binding, name=name, timeout=timeout)

    def evict(self, room: RoomClass, name: str) -> None:
        """Remove one object from memory and close its sockets."""
        self._command("evict", binding=room.binding, name=name, timeout=EVICT_MS)

    def attributes(self, room: RoomClass, name: str) -> dict[str, Any] | None:
        """What an object holds; `None` if it cannot tell, as one in JavaScript cannot.

        See `attributes` in probe.py.
        """
        try:
            held: dict[str, Any] = self._command(
                "attributes", binding=room.binding, name=name, timeout=ATTRIBUTES_MS
            )
        except RuntimeCommandError:
            return None
        return held

    def run_alarm(self, room: RoomClass, name: str, timeout: float) -> dict[str, Any]:
        """Fire an object's alarm, which may take `timeout` seconds.

        See `run_alarm` in probe.py.
        """
        answer: dict[str, Any] = self._command(
            "run_alarm", binding=room.binding, name=name, timeout=int(timeout * 1000)
        )
        return answer

    def run_due(
        self, room: RoomClass, name: str, timeout: float, order: dict[str, Any]
    ) -> dict[str, Any]:
        """Run an object's timers; see `run_due` in probe.py."""
        answer: dict[str, Any] = self._command(
            "run_due",
            binding=room.binding,
            name=name,
            timeout=int(timeout * 1000),
            order=json.dumps(order),
        )
        return answer

    def restart(self) -> None:
        """Kill the runtime and start it again: everything but storage and alarms is lost."""
        self.url = self._command("restart")["url"]

    def stop(self) -> None:
        """Stop everything that was started. Stopping twice is nothing."""
        if not self._stopped:
            with contextlib.suppress(RuntimeCommandError, TimeoutError, subprocess.TimeoutExpired):
                self._send("stop").exception(STOP_TIMEOUT)
                self._process.wait(STOP_TIMEOUT)
            self._clear()

    def _lose(self, reason: str) -> NoReturn:
        self._end(reason)
        raise RuntimeLostError(reason) from None

    def _end(self, reason: str) -> None:
        self.lost = reason
        self._clear()

    def _clear(self) -> None:
        """Kill what still runs, and remove what lies about."""
        if self._stopped:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        # Also where node has ended by itself: what it has started may be left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._folder.cleanup()

    def _command(self, command: str, patience: float | None = None, **options: Any) -> Any:
        self.check()
        # Some commands have a limit of their own, at which node answers that nothing came.
        idle = IDLE + options.get("timeout", 0) / 1000
        limit = Patience(self._process.pid, computing=patience or self.patience, idle=idle)
        try:
            answer = self._send(command, **options)
            while True:
                try:
                    return answer.result(_LOOK)
                except TimeoutError:
                    if limit.is_over():
                        self._lose(_HUNG)
        except _NodeEndedError:
            self._lose(_ENDED)

    def _send(self, command: str, **options: Any) -> Future[Any]:
        assert self._process.stdin
        answer: Future[Any] = Future()
        with self._lock:
            self._next_id += 1
            self._answers[self._next_id] = answer
            line = json.dumps({"id": self._next_id, "command": command, **options})
            try:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                raise _NodeEndedError("the runtime's node process has ended") from None
        return answer

    def _read(self, stream: Any, level: str) -> None:
        for line in stream:
            if line.startswith(_RECORD):
                self._hear(json.loads(line[1:]))
            elif line.strip():
                self.log.append(LogLine(level, line.rstrip("\n"), time.time()))
        if level == "info":
            for answer in list(self._answers.values()):
                if not answer.done():
                    answer.set_exception(_NodeEndedError("the runtime's node process has ended"))

    def _hear(self, message: dict[str, Any]) -> None:
        if "log" in message:
            line = message["log"]
            self.log.append(LogLine(line["level"], line["message"], line["timestamp"] / 1000))
            return
        if "bundle" in message:
            self._bundles.put(_bundle(**message["bundle"]))
            return
        answer = self._answers.pop(message["id"])
        if "error" in message:
            answer.set_exception(RuntimeCommandError(message["error"], message.get("kind")))
        else:
            answer.set_result(message["result"])


#: Nothing of wrangler's may reach for the network, run beside the worker, or colour what ends up in
#: error messages.
_QUIET = {
    "WRANGLER_SEND_METRICS": "false",
    "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    "X_LOCAL_EXPLORER": "false",
    "X_LOCAL_OBSERVABILITY": "false",
    "FORCE_COLOR": "0",
}


def _bundle(
    folder: str, main: str, names: list[str], vendored: list[str], python_modules: str
) -> imports.Bundle:
    return imports.Bundle(
        Path(folder), main, frozenset(names), frozenset(vendored), Path(python_modules)
    )


def _why_not_started(error: str, log: list[LogLine], settings: Settings) -> str:
    """The traceback of the user's own module, if there is one; else all that was said."""
    for line in log:
        if _NO_INTERPRETER in line.message:
            return (
                "the worker does not start: the runtime could not download its Python interpreter. "
                "Connect this machine to the Internet once, with the ini option "
                "party_pyodide_bundle set to a folder to keep it in\n"
                f"{line.message}"
            )
        _, mark, traceback = line.message.partition(_TRACEBACK)
        if mark:
            vendored = settings.configs[0].with_name("python_modules")
            hint = imports.hint(traceback, vendored)
            return f"the worker does not start:\n{mark}{traceback}{hint}"
    said = "".join(f"\n{line.message}" for line in log)
    return f"the worker does not start: {error}{said}"


@contextlib.contextmanager
def _one_build_at_a_time(config: Path) -> Iterator[None]:
    """Under pytest-xdist each process starts the worker, and builds share the user's folder."""
    if "PYTEST_XDIST_WORKER" not in os.environ or sys.platform == "win32":
        yield
        return
    import fcntl

    key = sha256(str(config).encode()).hexdigest()[:16]
    with Path(tempfile.gettempdir(), f"partyserver-testing-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
