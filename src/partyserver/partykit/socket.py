"""WebSockets that are no connection of a room."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, ClassVar

from workers import Request

from .. import tasks
from ..errors import ClientError, ConnectionClosedError
from ..rules import failures
from ..rules.closing import INTERNAL_ERROR, OPEN, answer_to_close, check_close
from ..rules.messages import compact_json
from ..runtime import JsProxy, events, platform, sockets
from ..shortcuts.current import current
from ..usercode import FAILURES, call

EVENTS = ("message", "close", "error")

#: More than this, and whoever has opened the socket does not mean to read it.
MAX_UNREAD = 1000


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """What a listener of a `Socket` is given.

    Attributes:
        type: "message", "close" or "error".
        data: the message, of a "message": `str` or `bytes`.
        code: the close code, of a "close".
        reason: the close reason, of a "close".
        was_clean: whether there was a close frame, of a "close".
        error: what went wrong, of an "error".
    """

    type: str
    data: Any = None  # as in a browser: a listener of messages need not ask for None
    code: int | None = None
    reason: str | None = None
    was_clean: bool | None = None
    error: str | None = None


class Socket:
    """A WebSocket, with Python values.

        socket = await self.room.context.parties.other.get("id").socket()
        socket.send("hello")
        async for message in socket:
            ...

    Messages that come before anybody listens are kept, up to 1,000 of them.
    """

    socket: JsProxy
    """The raw JavaScript WebSocket."""

    #: Whether a `ClientError` of a listener is told to whoever is at the other end.
    _peer_is_client: ClassVar[bool] = False

    def __init__(self, socket: JsProxy) -> None:
        self.socket = socket
        self._feed = _Feed(socket, type(self).__name__, self._peer_is_client)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._feed.is_open

    def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a text or a binary message.

        Raises:
            ConnectionClosedError: the socket is closed.
            TypeError: the message is neither text nor binary.
        """
        payload = current.outgoing(message)
        if not self.is_open:
            raise ConnectionClosedError(repr(self))
        self.socket.send(payload)

    def send_json(self, value: Any) -> None:
        """Send `value` as compact JSON text."""
        self.send(compact_json(value))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket, with code 1000 or 3000 to 4999 and up to 123 bytes of reason."""
        check_close(code, reason)
        if self.is_open:
            self.socket.close(code, reason)

    def add_event_listener(self, type: str, listener: Callable[[SocketEvent], Any]) -> None:
        """Have `listener`, plain or async, called with each "message", "close" or "error"."""
        if type not in EVENTS:
            raise ValueError(f"a socket's events are {', '.join(EVENTS)}, and not {type!r}")
        self._feed.add(type, listener)

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self._feed.messages()

    def __repr__(self) -> str:
        return repr(self._feed)


class _Feed:
    """A socket's events, to whoever listens."""

    def __init__(self, socket: JsProxy, kind: str, peer_is_client: bool) -> None:
        self._socket = socket
        self._kind = kind
        self._peer_is_client = peer_is_client
        self._listeners: dict[str, list[Callable[[SocketEvent], Any]]] = {}
        self._unread: deque[str | bytes] = deque()
        self._reader: Any = None
        self._closed = False
        #: For listeners, which JavaScript's events call.
        self._context = copy_context()
        # Not weakly: until the socket closes, its listeners may be all that knows it.
        self._events = sockets.Listeners(lambda: self, may_block=False)
        self._events.attach(socket)
        sockets.accept_in_memory(socket)

    @property
    def is_open(self) -> bool:
        return not self._closed and bool(self._socket.readyState == OPEN)

    def add(self, event: str, listener: Callable[[SocketEvent], Any]) -> None:
        self._listeners.setdefault(event, []).append(listener)
        while event == "message" and self._unread:
            self._tell(SocketEvent("message", data=self._unread.popleft()))

    async def messages(self) -> AsyncIterator[str | bytes]:
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._closed:
                return
            self._reader = events.new_future()
            await self._reader

    # --- the runtime's events ---------------------------------------------------------

    def message_arrived(self, socket: JsProxy, data: Any) -> None:
        message = sockets.python_message(data)
        if self._listeners.get("message"):
            self._tell(SocketEvent("message", data=message))
        elif len(self._unread) < MAX_UNREAD:
            self._unread.append(message)
            self._wake_reader()
        elif self.is_open:
            socket.close(INTERNAL_ERROR, f"{MAX_UNREAD} messages were not read")

    def socket_closed(self, socket: JsProxy, code: int, reason: str, was_clean: bool) -> None:
        self._closed = True
        self._events.detach(socket)
        answer = answer_to_close(code, reason, was_clean=was_clean)
        if answer is not None:
            socket.close(*answer)
        self._tell(SocketEvent("close", code=code, reason=reason, was_clean=was_clean))
        self._wake_reader()

    def socket_failed(self, socket: JsProxy, error: Any) -> None:
        self._tell(SocketEvent("error", error=str(getattr(error, "message", error))))

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _tell(self, event: SocketEvent) -> None:
        for listener in self._listeners.get(event.type, ()):
            tasks.run(self._call(listener, event), self._context.copy())

    async def _call(self, listener: Callable[[SocketEvent], Any], event: SocketEvent) -> None:
        try:
            try:
                await call(listener, event)
            except ClientError as error:
                if event.type != "message" or not self._peer_is_client:
                    raise
                if self.is_open:
                    self._socket.send(sockets.sendable(failures.client_frame(error)))
        except FAILURES as error:
            failures.mark(error, f"in a listener of {self!r}")
            platform.log_failure(error)

    def __repr__(self) -> str:
        return f"<{self._kind}: {'open' if self.is_open else 'closed'}>"


class FetchSocket(Socket):
    """A WebSocket that is for no party, as `on_socket` gets it.

    A `partyserver.ClientError` of a listener to messages is told to the client.
    """

    _peer_is_client = True

    def __init__(self, socket: JsProxy, request: Request) -> None:
        super().__init__(socket)
        self.request = request
        """The upgrade request."""
