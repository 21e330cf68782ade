"""One of the clients: it connects, listens, sends what is due, and connects again."""

from __future__ import annotations

import asyncio
import errno
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .accounts import Accounts
from .errors import LoadError
from .payloads import Payload
from .schedule import Backoff

try:
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
    from websockets.protocol import State
except ImportError as error:
    raise LoadError(
        f'websockets is not installed in version 15 or newer ({error}): run `pip install "'
        'partyserver[load]"`'
    ) from None

#: Seconds for the handshake at the end.
CLOSE_TIMEOUT = 5.0


@dataclass
class Events:
    """What happened to all of the clients.

    Attributes:
        failures: attempts to connect, by their reasons.
        closes: ends that were not asked for, by their codes.
        connecting: seconds that each first connection took, from when it was due.
        other: messages that are none of this run's.
    """

    failures: Counter[str] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)
    connecting: array[float] = field(default_factory=lambda: array("d"))
    reconnects: int = 0
    other: int = 0


@dataclass(frozen=True)
class Target:
    """What a client connects to, and how long it may take (in seconds)."""

    url: str
    headers: Sequence[tuple[str, str]]
    subprotocols: Sequence[str]
    timeout: float
    backoff: Backoff | None


class Client:
    def __init__(
        self, index: int, target: Target, payload: Payload, accounts: Accounts, events: Events
    ) -> None:
        self.was_open = False
        #: Done when the first attempt has succeeded or failed.
        self.settled = asyncio.Event()
        self._index = index
        self._target = target
        self._payload = payload
        self._accounts = accounts
        self._events = events
        self._is_ending = False
        self._socket: ClientConnection | None = None
        #: Set when it opens, and when it will not open again.
        self._changed = asyncio.Event()
        self._is_over = False

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    async def live(self, due: float) -> None:
        """Connect at that time of the loop's clock; return when the connection is over for good."""
        try:
            await _until(due)
            attempt, backoff = 0, self._target.backoff
            while True:
                seconds = await self._connect(due)
                self.settled.set()
                if backoff is None or self._is_ending:
                    return
                attempt = backoff.next_attempt(attempt, seconds)
                await asyncio.sleep(backoff.pause(attempt))
        finally:
            self.settled.set()
            self._is_over = True
            self._changed.set()

    async def _connect(self, due: float) -> float:
        """One connection, from its handshake to its end; how many seconds it was open."""
        clock = asyncio.get_running_loop().time
        try:
            socket = await self._open()
        except (OSError, WebSocketException, ValueError) as error:
            self._events.failures[_reason(error)] += 1
            return 0
        began = clock()
        if self.was_open:
            self._events.reconnects += 1
        else:
            self._events.connecting.append(began - due)
        self.was_open = True
        self._socket = socket
        self._accounts.opened(self._index)
        self._changed.set()
        self.settled.set()
        try:
            await self._listen(socket)
        finally:
            self._socket = None
            self._accounts.closed(self._index)
        if not self._is_ending:
            self._events.closes[_end(socket)] += 1
        return clock() - began

    async def _open(self) -> ClientConnection:
        target, address = self._target, urlsplit(self._target.url)
        return await connect(
            target.url,
            # Named, they are not left: a redirect to another host is a failure.
            host=address.hostname,
            port=address.port or (443 if address.scheme == "wss" else 80),
            additional_headers=list(target.headers),
            subprotocols=list(target.subprotocols) or None,  # type: ignore[arg-type]
            open_timeout=target.timeout,
            close_timeout=CLOSE_TIMEOUT,
            # As browsers do, but for the compression, which would take most of the time here.
            ping_interval=None,
            compression=None,
            max_size=None,
            proxy=None,  # whose limits would be measured
        )

    async def _listen(self, socket: ClientConnection) -> None:
        clock = asyncio.get_running_loop().time
        read, receive, index = self._payload.read, self._accounts.receive, self._index
        try:
            while True:
                message = await socket.recv()
                found = read(message)
                if found is None:
                    self._events.other += 1
                else:
                    receive(index, *found, clock())
        except ConnectionClosed:
            return

    async def send(self, dues: Iterator[float], beginning: float) -> None:
        """Send each message when it is due, or as soon afterwards as there is a connection."""
        for due in dues:
            await _until(beginning + due)
            socket = await self._current()
            if socket is None:
                return
            number = self._accounts.send(self._index, beginning + due)
            with suppress(ConnectionClosed):  # it may have arrived: if not, it is lost
                await socket.send(self._payload.make(self._index, number))

    async def _current(self) -> ClientConnection | None:
        """The open connection, once there is one; None when there will be none."""
        while not self._is_over:
            if self._socket is not None and self._socket.state is State.OPEN:
                return self._socket
            # A connection that is closing is cleared by the listener, after what was received.
            self._changed.clear()
            await self._changed.wait()
        return None

    async def close(self) -> None:
        self._is_ending = True
        if self._socket is not None:
            await self._socket.close()


async def _until(due: float) -> None:
    delay = due - asyncio.get_running_loop().time()
    if delay > 0:
        await asyncio.sleep(delay)


def _reason(error: Exception) -> str:
    """In few words, and the same ones for all that fail likewise."""
    if isinstance(error, InvalidStatus):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, TimeoutError):
        return "timed out"
    # One error, or one for each address of the host.
    if f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return "connection refused"
    return f"{type(error).__name__}: {error}"


def _end(socket: ClientConnection) -> str:
    code = 1006 if socket.close_code is None else socket.close_code
    return f"{code} {socket.close_reason or ''}".strip()
