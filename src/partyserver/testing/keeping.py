"""The runtime that waits for the next run of pytest, and how a run comes to use it."""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

from .processes import group_has

#: Seconds without a run after which a runtime ends itself.
IDLE = 600.0
#: What JavaScript can wait.
LONGEST_IDLE = 2_000_000.0
#: Seconds that one which waits may take to say that it does.
GREETING = 5.0

#: Names, and beginnings of names, of what differs from one terminal to the next, and from test to
#: test, and means nothing to a worker. All else may, by its build command or by wrangler.
_PASSING = {
    *("INVOCATION_ID", "JOURNAL_STREAM", "PYTHONHASHSEED", "RUN_TEST_IDS_PIPE", "TEST_RUN_PIPE"),
    *("_", "COLORTERM", "COLUMNS", "DISPLAY", "LINES", "LS_COLORS", "MAKEFLAGS", "MAKELEVEL"),
    *("MAKE_TERMERR", "MAKE_TERMOUT", "MFLAGS", "OLDPWD", "PS1", "PWD", "SECURITYSESSIONID"),
    "WAYLAND_DISPLAY",
    *("SHLVL", "STY", "TERM", "TMUX", "TMUX_PANE", "WINDOWID"),
}
_PASSING_BEGIN = (
    *("COVERAGE_", "COV_CORE_", "DBUS_", "GITHUB_", "GPG_", "ITERM_", "KITTY_", "KONSOLE_"),
    *("PYTEST_", "SSH_", "TERM_", "VSCODE_", "VTE_", "WEZTERM_", "XDG_", "XPC_"),
)


def lasting(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the environment a worker may depend on."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _PASSING and not name.startswith(_PASSING_BEGIN)
    }


class Waiting:
    """A Node process that waits for a run, used in the way of a `subprocess.Popen`."""

    def __init__(self, pid: int, folder: str, connection: socket.socket) -> None:
        self.pid = pid
        self.folder = folder
        self._connection = connection
        self.stdin: TextIO = connection.makefile("w", encoding="utf-8")
        self.stdout: TextIO = connection.makefile("r", encoding="utf-8", errors="replace")
        self.stderr: None = None

    def wait(self) -> None:
        """Nothing: it is no child of this process, and its end is the end of `stdout`."""

    def end(self) -> None:
        """Kill it and all that it has started, as far as its process is not another's by now."""
        self.leave()
        _end(self.pid, self.folder)

    def leave(self) -> None:
        """End what reads from it."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class NoSlotError(Exception):
    """A runtime cannot be kept; the message, a half of a sentence, says why."""


class Slot:
    """The place of a runtime between two runs, in a folder of the project. One run has it at once.

    Two runs at once do not share a runtime: the one that comes later starts its own.
    """

    def __init__(self, folder: Path, name: str, lock: int) -> None:
        self.control: Path = folder / f"{name}.json"
        self._lock: int | None = lock

    @classmethod
    def take(cls, folder: Path, configs: Sequence[Path]) -> Slot:
        """The place of the runtime of these configs.

        Raises:
            NoSlotError: there is none, or another run has it.
        """
        if sys.platform == "win32":  # which has no such locks
            raise NoSlotError("that is not possible on Windows")
        import fcntl

        # Each process of pytest-xdist has a place of its own.
        keys = [os.environ.get("PYTEST_XDIST_WORKER", ""), *map(str, configs)]
        name = sha256("\n".join(keys).encode()).hexdigest()[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NoSlotError(f"{folder} cannot be written to: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise NoSlotError("another run has the one that is kept, at this moment") from None
        return cls(folder, name, lock)

    def find(self) -> Waiting | None:
        """The runtime that waits here. One that does not answer is ended."""
        known = self._read()
        if known is None:
            return None
        try:
            return _greet(**known)
        except (OSError, ValueError):
            self.control.unlink(missing_ok=True)
            _end(known["pid"], known["folder"])
            return None

    def release(self) -> None:
        """Let another run have the place. Releasing it twice is nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def clear(self) -> None:
        """Release it, and let nobody look for a runtime here."""
        if self._lock is not None:
            self.control.unlink(missing_ok=True)
            self.release()

    def _read(self) -> dict[str, Any] | None:
        try:
            with self.control.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    return None
                known = json.load(file)
            return {
                "pid": int(known["pid"]),
                "port": int(known["port"]),
                **{name: str(known[name]) for name in ("secret", "proof", "folder")},
            }
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _greet(pid: int, port: int, secret: str, proof: str, folder: str) -> Waiting:
    connection = socket.create_connection(("127.0.0.1", port), timeout=GREETING)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        connection.sendall(secret.encode())
        waiting = Waiting(pid, folder, connection)
        # The port may be another's by now, who is to learn nothing more.
        said = waiting.stdout.readline(len(proof) + 1)
        if not hmac.compare_digest(said.encode(), f"{proof}\n".encode()):
            raise ValueError("not the runtime that was left here")
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return waiting


def _end(pid: int, folder: str) -> None:
    """Leave nothing of a runtime that hangs, or whose Node process was killed."""
    if group_has(pid, folder):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    if Path(folder).name.startswith(FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


#: How the names of folders begin in which runtimes have their storage.
FOLDER_PREFIX = "partyserver-testing-"
