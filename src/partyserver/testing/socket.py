"""Socket: one WebSocket connection, as a client has it."""

from __future__ import annotations

import json
import socket as sockets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State
from websockets.sync.client import ClientConnection
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from .logs import TIMEOUT
from .matching import Skipped, matches

#: Generous: a wake after an eviction imports the user's modules anew.
OPEN_TIMEOUT = 20.0


class UpgradeError(Exception):
    """The server answered the WebSocket upgrade with an ordinary HTTP response."""

    __module__ = "partyserver.testing"  # where users have it from, in messages

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        body = f": {response.text[:2000]}" if response.text else ""
        # The kit does not know the class, and a worker of agents has no such path.
        is_party = response.status_code == 404 and response.url.path.startswith("/parties/")
        hint = ". To an agent it is party.connect('/agents/...')" if is_party else ""
        super().__init__(
            f"the WebSocket upgrade of {response.url} was answered with "
            f"{response.status_code} {response.reason_phrase}{body}{hint}"
        )


class SocketClosedError(ConnectionError):
    """A message was sent or awaited on a socket that is closed."""

    __module__ = "partyserver.testing"  # where users have it from, in messages

    def __init__(self, code: int, reason: str, log: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"the socket is closed: code {code}, reason {reason!r}{log}")


class Socket:
    """A WebSocket to the worker: a context manager that closes it, and an iterator of messages.

    No limit on the size of messages, no compression, no keepalive pings: what a test sends and
    receives is all that is on the wire.
    """

    def __init__(
        self,
        url: str,
        *,
        id: str | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        subprotocols: Sequence[str] | None = None,
        origin: str | None = None,
        timeout: float = TIMEOUT,
        log_note: Callable[[], str] = str,
        late_note: Callable[[], str] = str,
        before_event: Callable[[], object] = object,
    ) -> None:
        # The notes end the messages of errors: `late_note` where a wait has timed out, else
        # `log_note`. They may raise the true reason instead.
        self.url = url
        #: The id that the client chose (`_pk`), or `None` when that was left to the server.
        self.id = id
        self._timeout = timeout
        self._log_note = log_note
        self._late_note = late_note
        self._before_event = before_event
        try:
            self._connection = _open(url, headers, subprotocols, origin, timeout)
        except TimeoutError:
            limit = max(OPEN_TIMEOUT, timeout)
            raise TimeoutError(
                f"no answer to the upgrade within {limit:g} s{late_note()}"
            ) from None
        except (OSError, WebSocketException) as error:
            error.add_note(log_note().lstrip())
            raise

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._connection.subprotocol

    @property
    def response_headers(self) -> httpx.Headers:
        """The headers that the upgrade was answered with."""
        response = self._connection.response
        return httpx.Headers(list(response.headers.raw_items()) if response else None)

    @property
    def is_open(self) -> bool:
        return self._connection.state is State.OPEN

    def send(self, message: str | bytes) -> None:
        """Send a text or a binary message.

        Raises:
            SocketClosedError: the socket is closed.
        """
        self._before_event()
        try:
            self._connection.send(message)
        except ConnectionClosed:
            raise self._closed() from None

    def send_json(self, value: Any) -> None:
        """Send a value as compact JSON text."""
        self.send(json.dumps(value, separators=(",", ":"), ensure_ascii=False))

    def send_raw(self, data: bytes) -> None:
        """Put bytes on the wire as they are, such as a frame that breaks the protocol."""
        self._before_event()
        self._connection.socket.sendall(data)

    def receive(self, timeout: float | None = None) -> str | bytes:
        """The next message: `str` for text, `bytes` for binary.

        `timeout` is in seconds. Default: the ini option `party_timeout`, which is 5.

        Raises:
            TimeoutError: none came within that time; the message holds the server's log.
            SocketClosedError: the socket was closed, and all that came before it was received.
            RuntimeLostError: none came, and the worker no longer answers.
        """
        timeout = self._timeout if timeout is None else timeout
        try:
            return self._connection.recv(timeout)
        except TimeoutError:
            raise TimeoutError(f"no message within {timeout:g} s{self._late_note()}") from None
        except ConnectionClosed:
            raise self._closed() from None

    def receive_json(
        self, timeout: float | None = None, until: Mapping[str, Any] | None = None
    ) -> Any:
        """The next message, as `receive` gives it, parsed as JSON; one that is none is a
        `ValueError`.

            socket.receive_json(until={"type": "moved", "player": {"id": "a"}})

        With `until`, others are skipped until one comes that has these keys with these values, and
        may have more, at each level; lists have to be equal. All of it takes at most `timeout`
        seconds.

        Raises:
            TimeoutError: none came within that time; with `until`, the message lists what was
                skipped.
            SocketClosedError, RuntimeLostError: as `receive`.
        """
        if until is not None:
            return self._receive_until(until, self._timeout if timeout is None else timeout)
        message = self.receive(timeout)
        try:
            return json.loads(message)
        except ValueError as error:
            raise ValueError(f"not JSON: {message!r} ({error}){self._log_note()}") from None

    def _receive_until(self, wanted: Mapping[str, Any], timeout: float) -> Any:
        if not isinstance(wanted, Mapping):
            raise TypeError(f"until is a dict that a message has to have, not {wanted!r}")
        skipped = Skipped()
        deadline = time.monotonic() + timeout
        left = timeout
        while True:
            try:
                if left < 0:
                    raise TimeoutError  # also if others come without end
                message = self._connection.recv(left)
            except TimeoutError:
                raise TimeoutError(
                    f"no message with {dict(wanted)!r} within {timeout:g} s ({skipped})"
                    f"{self._late_note()}"
                ) from None
            except ConnectionClosed:
                error = self._closed()
                error.add_note(f"before a message with {dict(wanted)!r} came ({skipped})")
                raise error from None
            try:
                value = json.loads(message)
            except (ValueError, RecursionError):
                value = None
            if matches(value, wanted):
                return value
            skipped.add(message)
            left = deadline - time.monotonic()

    def __iter__(self) -> Iterator[str | bytes]:
        """Each message until the socket is closed, waiting for each as `receive` does."""
        while True:
            try:
                yield self.receive()
            except SocketClosedError:
                return

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with that code and reason, and wait for the server to answer the handshake.

        Without an answer the connection is dropped after 5 s, or `party_timeout` if that is
        longer, and `close_code` is 1006.
        """
        if self.is_open:
            self._before_event()
        self._connection.close(code, reason)

    def drop(self) -> None:
        """Vanish without a close frame, as a client does whose network is gone."""
        self._before_event()
        abandon(self)

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until the server has closed the socket. Messages that came before stay readable.

        `timeout` is in seconds. Default: the ini option `party_timeout`, which is 5.

        Raises:
            TimeoutError: it is still open; the message holds the server's log.
            RuntimeLostError: it is still open, and the worker no longer answers.
        """
        timeout = self._timeout if timeout is None else timeout
        if not self._connection.wait_closed(timeout):
            raise TimeoutError(f"still open after {timeout:g} s{self._late_note()}")

    @property
    def close_code(self) -> int | None:
        """The code in the server's close frame: 1005 when the frame held none, 1006 when the
        connection ended without a frame, `None` while it is open."""
        return self._connection.close_code

    @property
    def close_reason(self) -> str | None:
        """The reason in the server's close frame, `None` while the socket is open."""
        return self._connection.close_reason

    def _closed(self) -> SocketClosedError:
        return SocketClosedError(
            self.close_code or 1006, self.close_reason or "", log=self._log_note()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "open" if self.is_open else f"closed with {self.close_code}"
        return f"<Socket {self.id or self.url}: {state}>"


class _Connection(ClientConnection):
    def process_event(self, event: Event) -> None:
        super().process_event(event)
        # The handshake is over: what follows is the end of TCP, which the runtime forgets where a
        # hibernating socket is closed outside of its own events.
        if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
            self.close_socket()


def _open(
    url: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] | None,
    subprotocols: Sequence[str] | None,
    origin: str | None,
    timeout: float,
) -> ClientConnection:
    # Not websockets' connect(): that follows redirects and proxies, and a test wants to see what
    # its own server answered.
    address = urlsplit(url)
    limit = max(OPEN_TIMEOUT, timeout)
    tcp = sockets.create_connection((address.hostname, address.port), timeout=limit)
    tcp.settimeout(None)
    tcp.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, True)
    connection = _Connection(
        tcp,
        ClientProtocol(
            parse_uri(url),
            origin=None if origin is None else Origin(origin),
            subprotocols=None if subprotocols is None else [Subprotocol(s) for s in subprotocols],
            max_size=None,
        ),
        ping_interval=None,
        close_timeout=max(TIMEOUT, timeout),
        max_queue=None,
    )
    try:
        connection.handshake(headers, timeout=limit)
    except InvalidStatus as error:
        _cut_off(connection)
        answer = error.response
        raise UpgradeError(
            httpx.Response(
                answer.status_code,
                headers=list(answer.headers.raw_items()),
                content=bytes(answer.body or b""),
                request=httpx.Request("GET", url),
            )
        ) from None
    except BaseException:
        _cut_off(connection)
        raise
    return connection.__enter__()


def abandon(socket: Socket) -> None:
    """Vanish without a close frame, and without an event that the rooms would be evicted before."""
    _cut_off(socket._connection)


def _cut_off(connection: ClientConnection) -> None:
    connection.close_socket()
    connection.wait_closed(TIMEOUT)
