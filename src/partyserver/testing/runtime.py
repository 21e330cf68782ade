"""Runtime: the Node process that runs the user's worker, and how to talk to it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NoReturn

from . import imports
from .errors import RuntimeCommandError, RuntimeLostError, RuntimeStartError
from .keeping import IDLE, Slot, Waiting
from .logs import LogBook, LogLine
from .processes import Patience
from .starting import (
    Folder,
    Settings,
    bundle_of,
    identity_of,
    in_files,
    one_build_at_a_time,
    started_node,
    why_not_started,
)

#: Seconds. Starting includes the user's build command, and on a first run the runtime's download
#: of its interpreter.
START_TIMEOUT = 180.0
STOP_TIMEOUT = 10.0

#: Seconds of CPU that the runtime may take for an answer before it counts as hung. The platform
#: ends a hook after 30; where a wait of the test's own has timed out already, that is suspicious.
PATIENCE = 40.0
SUSPICION = 8.0
#: Seconds that it may neither compute nor answer.
STUCK = 60.0
#: The same for one that waits for the next run: to start another costs less.
ADOPT_TIMEOUT = 10.0
#: Seconds between two looks at a runtime that has not answered yet.
_LOOK = 0.5

#: Milliseconds that a room is given to come to rest before it is evicted. The first is one that a
#: test waits for in vain only if it fails; after the second, a stronger means is there.
HIBERNATE_MS = 10_000
EVICT_MS = 500

#: Milliseconds that a room is given to tell its attributes.
ATTRIBUTES_MS = 1000

_RECORD = "\x1e"


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


class Runtime:
    """A running worker. `start()` returns one; `stop()` leaves nothing of it.

    Every command raises `RuntimeLostError` if the worker turns out to be hung or gone. Nothing of
    it is left then either.
    """

    url: str
    rooms: tuple[RoomClass, ...]
    wrangler: str
    start_seconds: float

    def __init__(self, process: subprocess.Popen[str] | Waiting, folder: str) -> None:
        self.log: LogBook = LogBook()
        #: Why it is gone, once it was found hung or ended.
        self.lost: str | None = None
        self.patience = PATIENCE
        self._stopped = False
        #: Whether it is as at its start.
        self._clean = True
        #: Where it may wait for the next run of pytest.
        self._slot: Slot | None = None
        #: Whether an earlier run has started it.
        self.is_reused = False
        #: Why the one of an earlier run was not the same.
        self.replaces: str | None = None
        #: Why the next run cannot have it, where it was to be kept.
        self.not_kept: str | None = None
        #: Which classes let an object with open sockets leave memory, as far as it is known.
        self.sleeps: dict[RoomClass, bool] = {}
        self._answers: dict[int, Future[Any]] = {}
        #: The workers that are built, first those that were looked at; `None` ends the others.
        self._built: list[imports.Bundle] = []
        self._bundles: queue.SimpleQueue[imports.Bundle | None] = queue.SimpleQueue()
        self._next_id = 0
        self._has_ended = False
        self._lock = threading.Lock()
        self._process = process
        self._folder = Folder(folder)
        self._readers = [
            threading.Thread(target=self._read, args=(stream, level), daemon=True)
            for stream, level in ((process.stdout, "info"), (process.stderr, "error"))
            if stream
        ]
        for reader in self._readers:
            reader.start()
        atexit.register(self.stop)

    @classmethod
    def start(cls, settings: Settings, slot: Slot | None = None) -> Runtime:
        """Start the worker, or take the one that waits in a slot, if it is the same.

        Raises:
            RuntimeStartError: with what node, wrangler or the user's own module said.
        """
        began = time.monotonic()
        why = None
        try:
            identity = identity_of(settings)
            if slot and (waiting := slot.find()):
                runtime = cls(waiting, waiting.folder)
                why = runtime._adopt(identity)
                if why is None:
                    runtime.is_reused = True
                    return runtime._ready(began, slot)
            runtime = cls(*started_node(settings))
        except BaseException:
            if slot:
                slot.clear()
            raise
        runtime.replaces = why
        runtime._slot = slot  # which is free again where the start fails
        try:
            with one_build_at_a_time(settings.configs[0]):
                runtime._describe(runtime._start(vars=settings.vars, identity=slot and identity))
        except (TimeoutError, RuntimeCommandError) as error:
            runtime.stop()
            slow = TimeoutError(f"it was not ready within {START_TIMEOUT:g} s")
            shown = slow if isinstance(error, TimeoutError) else error
            why = why_not_started(shown, runtime.log.lines, settings)
            raise RuntimeStartError(in_files(why, runtime._built)) from None
        except RuntimeStartError:
            runtime._clear()  # what it is busy with takes long
            raise
        except BaseException:
            runtime.stop()
            raise
        return runtime._ready(began, slot)

    def _ready(self, began: float, slot: Slot | None) -> Runtime:
        self._slot = slot
        self.start_seconds = time.monotonic() - began
        return self

    def _describe(self, answer: dict[str, Any]) -> None:
        self.url = answer["url"]
        self.wrangler = answer["wrangler"]
        self.rooms = tuple(RoomClass(**room) for room in answer["rooms"])

    def _adopt(self, identity: dict[str, Any]) -> str | None:
        """Begin to use one that was started by an earlier run, or end it and say why."""
        try:
            answer = self._command("adopt", SUSPICION, ADOPT_TIMEOUT, identity=identity)
        except (RuntimeCommandError, RuntimeLostError):
            self._clear()
            return "that of an earlier run did not answer"
        except BaseException:
            self._clear()
            raise
        if "why" in answer:
            self.stop()
            return str(answer["why"])
        self._describe(answer)
        return None

    def _start(self, **options: Any) -> Any:
        """Where an import is known to fail, do not wait until it does."""
        started = self._send("start", **options)
        started.add_done_callback(lambda _: self._bundles.put(None))
        deadline = time.monotonic() + START_TIMEOUT
        while bundle := self._next_bundle(deadline):
            self._built.append(bundle)
            if why := imports.why_no_import(bundle):
                raise RuntimeStartError(f"the worker does not start: {why}")
        answer = started.result()
        for bundle in self._built:
            if why := imports.why_no_class(bundle):
                raise RuntimeStartError(why)
        return answer

    def _next_bundle(self, deadline: float) -> imports.Bundle | None:
        try:
            return self._bundles.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None

    def begin(self) -> None:
        """Wait until the log of what was before is complete."""
        self._clean = False
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
            self._clean = True
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
        self._describe(self._command("restart"))

    def stop(self) -> None:
        """Stop everything that was started. Stopping twice is nothing."""
        if not self._stopped:
            with contextlib.suppress(RuntimeCommandError, TimeoutError):
                self._send("stop").exception(STOP_TIMEOUT)
                self._readers[0].join(STOP_TIMEOUT)  # until it has ended
            self._clear()

    def keep(self, idle: float = IDLE) -> None:
        """Leave it to the next run for `idle` seconds, where that may be; else stop it.

        It is left as after a start, or not at all.
        """
        if self._stopped:
            return
        if self._slot and self._clean:
            with contextlib.suppress(RuntimeCommandError, TimeoutError):
                control = str(self._slot.control)
                answer = self._send("keep", control=control, idle=idle).result(STOP_TIMEOUT)
                self.not_kept = answer.get("why")
                if not self.not_kept:
                    self._leave()
                    return
        self.stop()

    def _leave(self) -> None:
        self._stopped = True
        atexit.unregister(self.stop)
        if isinstance(self._process, Waiting):
            self._process.leave()
        else:
            self._process.returncode = 0  # what runs on is not to be warned of
        for reader in self._readers:
            reader.join(STOP_TIMEOUT)
        if not any(reader.is_alive() for reader in self._readers):
            self._close_streams()
        if self._slot:
            self._slot.release()

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
        if isinstance(self._process, Waiting):
            self._process.end()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for reader in self._readers:
            reader.join()
        self._close_streams()
        self._folder.cleanup()
        if self._slot:
            self._slot.clear()

    def _close_streams(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        if isinstance(self._process, Waiting):
            self._process.leave()

    def _command(
        self, command: str, patience: float | None = None, idle: float = STUCK, **options: Any
    ) -> Any:
        self.check()
        # Some commands have a limit of their own, at which node answers that nothing came.
        idle += options.get("timeout", 0) / 1000
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
                if self._has_ended:  # a socket takes what nobody will read
                    raise OSError
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            except OSError:
                raise _NodeEndedError("the runtime's node process has ended") from None
        return answer

    def _read(self, stream: Any, level: str) -> None:
        with contextlib.suppress(ConnectionError):
            for line in stream:
                if line.startswith(_RECORD):
                    message = json.loads(line[1:])
                    if "end" in message:  # of this run: the process goes on
                        return
                    self._hear(message)
                elif line.strip():
                    self.log.append(LogLine(level, line.rstrip("\n"), time.time()))
        if level == "info":
            with self._lock:
                self._has_ended = True
            for answer in list(self._answers.values()):
                if not answer.done():
                    answer.set_exception(_NodeEndedError("the runtime's node process has ended"))

    def _hear(self, message: dict[str, Any]) -> None:
        if "log" in message:
            line = message["log"]
            self.log.append(LogLine(line["level"], line["message"], line["timestamp"] / 1000))
            return
        if "bundle" in message:
            self._bundles.put(bundle_of(**message["bundle"]))
            return
        answer = self._answers.pop(message["id"])
        if "error" in message:
            answer.set_exception(RuntimeCommandError(message["error"], message.get("kind")))
        else:
            answer.set_result(message["result"])
