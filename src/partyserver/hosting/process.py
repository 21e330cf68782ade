"""workerd as a process: its sockets, its life, and the signals that end it."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import IO, Any

from ..project.errors import CommandError

#: What ends a service. The last is a terminal that was closed; `nohup` has it ignored.
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

#: Connections that wait to be accepted.
_BACKLOG = 1024
#: Seconds between two questions whether a worker is ready, where it has refused one.
_AGAIN = 0.05
#: Seconds for the rest of an answer that has begun.
_REST = 1.0
_GOOD = b"HTTP/1.1 200"


class Signals:
    """Signals as something to wait for: those that end a service, and that of a child's end.

    While it is entered, `asked` counts the signals to end.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (*ENDING, signal.SIGCHLD):
            if number not in ENDING or signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._reader)
        os.close(self._writer)

    def wait(
        self,
        timeout: float | None,
        other: socket.socket | None = None,
        *,
        for_writing: bool = False,
    ) -> bool:
        """Wait for a signal, or for `other` to be readable, or to be writable: whether it is."""
        if timeout is not None:
            timeout = max(timeout, 0)
        others = [] if other is None else [other]
        read: list[Any] = [self._reader, *([] if for_writing else others)]
        ready, writable, _ = select.select(read, others if for_writing else [], [], timeout)
        with suppress(BlockingIOError):
            while os.read(self._reader, 512):
                pass
        return other is not None and (other in ready or other in writable)

    def _count(self, number: int, frame: FrameType | None) -> None:
        if number in ENDING:
            self.asked += 1


def unless_asked(signals: Signals, work: Callable[[], object]) -> bool:
    """Do what a signal cannot interrupt in a thread: whether it is done.

    Else a signal to end came, and what is left of it ends with this process. What it raises is
    raised here.
    """
    failures: list[BaseException] = []
    told, tell = socket.socketpair()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            tell.close()

    with told:
        threading.Thread(target=run, daemon=True).start()
        while not signals.asked:
            if signals.wait(None, told):
                if failures:
                    raise failures[0]
                return True
    return False


class Child:
    """A process of workerd's, as a context: none is left when it is over.

    It is no part of the terminal's group: Ctrl-C is for the parent, which ends it in order. If the
    parent is killed, so is the child, on Linux. (Elsewhere it runs on, and holds the lock of the
    data folder, if it has inherited that.)
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
        inherited: Sequence[int] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=inherited,
                env=environ,
                process_group=0,
                preexec_fn=_end_with_parent(),
            )
        except OSError as error:
            raise CommandError(f"{command[0]} cannot be run: {error.strerror}") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, that of a signal negative; None while it runs."""
        return self._process.poll()

    def wait(self, signals: Signals, timeout: float | None = None, *, asked: int = 0) -> bool:
        """Wait until it has ended: whether it has.

        Else the time is over, or there were more signals to end than `asked`, earlier ones counted.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.status is None:
            left = None if deadline is None else deadline - time.monotonic()
            if signals.asked > asked or (left is not None and left <= 0):
                return False
            signals.wait(left)
        return True

    def end(self, signals: Signals, grace: float) -> None:
        """Ask it to end; after `grace` seconds, or a further signal, it is killed.

        workerd then takes no more connections, and ends when those that it has are closed.
        """
        if self.status is None:
            self._process.terminate()
            self.wait(signals, grace, asked=1)
        self.kill()

    def kill(self) -> None:
        if self.status is None:
            self._process.kill()
        self._process.wait()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _end_with_parent() -> Any:
    """What a child runs before its program; None where there is nothing to do."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    parent = os.getpid()

    def prepare() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Listener:
    """A port that is this process's from now on, and that workerd inherits."""

    def __init__(self, host: str, port: int, option: str = "--port") -> None:
        """A port of 0 is a free one. `option` is where the port can be changed.

        Raises:
            CommandError: the port is in use, or may not be used.
        """
        self._asked_for = (host, port, option)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            self._socket = socket.socket(family, kind, protocol)
        except OSError as error:
            raise CommandError(f"{host} is no address of this machine: {error.strerror}") from None
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self.address: tuple[str, int] = self._socket.getsockname()[:2]
        except OSError as error:
            raise self._failed(error) from None

    @property
    def descriptor(self) -> int:
        return self._socket.fileno()

    def listen(self) -> None:
        """From now on clients wait, and are not refused any more.

        Raises:
            CommandError: the port is in use by now.
        """
        try:
            self._socket.listen(_BACKLOG)
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _failed(self, error: OSError) -> CommandError:
        self.close()
        return CommandError(_why_not(*self._asked_for, error))

    def __str__(self) -> str:
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why_not(host: str, port: int, option: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what uses it, or name another with {option}"
    if error.errno == errno.EACCES:
        return (
            f"port {port} of {host} may not be used: ports below 1024 are for root; name another "
            f"with {option}, and let a reverse proxy have that one"
        )
    return f"port {port} of {host} cannot be used: {error.strerror}"


def answers(child: Child, address: tuple[str, int], signals: Signals, timeout: float) -> str | None:
    """Wait until the health socket at an address answers, and return None then.

    Else the child has ended, a signal to end came, or the time is over. Then it is what the socket
    has said last, if it has.
    """
    deadline, told = time.monotonic() + timeout, ""
    while child.status is None and not signals.asked:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        with suppress(OSError):
            head, _, body = _ask(child, address, signals, deadline).partition(b"\r\n\r\n")
            if head.startswith(_GOOD):
                return None
            told = body.decode(errors="replace").strip() or told
        signals.wait(min(_AGAIN, left))
    return told


def _ask(child: Child, address: tuple[str, int], signals: Signals, deadline: float) -> bytes:
    """The answer; nothing, or the beginning of it, where there is no more."""
    host, port = address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as connection:
        connection.setblocking(False)  # one that is hung may have a full backlog
        with suppress(BlockingIOError):
            connection.connect((host, port))
        if not signals.wait(deadline - time.monotonic(), connection, for_writing=True):
            return b""
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        while child.status is None and not signals.asked and time.monotonic() < deadline:
            if signals.wait(deadline - time.monotonic(), connection):
                part = connection.recv(4096)
                answer += part
                if not part or answer.startswith(_GOOD):
                    break
            if answer:
                deadline = min(deadline, time.monotonic() + _REST)
    return answer


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Tell systemd, if this was started by a unit of `Type=notify`."""
    path = environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, suppress(OSError):
            channel.connect("\0" + path[1:] if path.startswith("@") else path)
            channel.sendall(state.encode())
