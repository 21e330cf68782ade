"""One WebSocket of a room."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from enum import IntEnum
from typing import Any

from . import runtime
from .attachment import Attachment, copy_state, read_state
from .closing import OPEN, check_close
from .errors import ConnectionClosedError
from .messages import compact_json
from .shortcuts import received
from .shortcuts.dispatch import Way


class Phase(IntEnum):
    """Where a connection stands between its upgrade request and its end."""

    CONNECTING = 0
    OPEN = 1
    #: The peer has closed, and its close frame is not answered yet.
    CLOSED_BY_PEER = 2
    CLOSED = 3


#: For hot paths: an enum's member costs a look-up each time.
OPEN_PHASE = Phase.OPEN


class Connection:
    """A WebSocket of a room, with an id, tags and a small state that survive hibernation.

    Hooks are given connections; `Server.get_connection` and `get_connections` find them.

        def on_connect(self, connection, ctx):
            connection.set_state({"name": "anonymous"})
            connection.send("welcome")
    """

    __slots__ = (
        "__weakref__",
        "_attachment",
        "_context",
        "_ended",
        "_leave",
        "_phase",
        "_receive",
        "_room_name",
        "_send",
        "_send_on",
        "_way",
        "socket",
    )

    socket: runtime.JsProxy
    """The raw JavaScript WebSocket."""

    def __init__(
        self,
        socket: runtime.JsProxy,
        attachment: Attachment,
        leave: Callable[[Connection], None],
        *,
        receive: Callable[..., Any],
        context: Context,
        room_name: Callable[[], str],
        phase: Phase,
    ) -> None:
        self.socket = socket
        self._room_name = room_name
        self._attachment = attachment
        self._leave = leave
        #: Called with this connection, a message, and what runs an `async` hook.
        self._receive = receive
        #: What the context of each of its messages is a copy of.
        self._context = context
        self._phase = phase
        #: Whether `on_close` was called.
        self._ended = False
        self._send: Callable[[Any], None] | None = None
        #: Sends the message that is being received, if that came by a box.
        self._send_on: Callable[[], None] | None = None
        #: By which messages come past the socket, if they do.
        self._way: Way | None = None

    @property
    def id(self) -> str:
        """The id: the client's `_pk` query parameter (up to 256 UTF-8 bytes), or generated.

        A client chooses it freely, so it says nothing about who that is.
        """
        return self._attachment.id

    @property
    def server(self) -> str:
        """The name of the room that the connection is in."""
        return self._room_name()

    @property
    def uri(self) -> str | None:
        """The URL of the upgrade request."""
        return self._attachment.uri

    @property
    def tags(self) -> tuple[str, ...]:
        """The id, then what `get_connection_tags` returned: at most 10."""
        return self._attachment.tags

    @property
    def state(self) -> Any:
        """What `set_state` stored last, or None. A copy: changing it changes nothing."""
        return read_state(self._attachment.state)

    def set_state(self, value: Callable[[Any], Any] | object) -> Any:
        """Store a JSON-like value (bytes included) with the connection, and return it.

            connection.set_state(lambda state: {**state, "score": state["score"] + 1})

        `value` may be a function, which is called with the previous state. The id, tags,
        URL and state share 16,384 bytes as the platform serializes them:
        https://developers.cloudflare.com/durable-objects/api/websockets/

        JavaScript keeps the state, and it is read back, at once and after a sleep, as that has it:
        a tuple is a list, `1.0` is `1`, and keys that are whole numbers ("10") come first, in
        their order. NaN and infinity are kept.

        Raises:
            StateTooLargeError: the state is over the limit; the old one stands.
            TypeError: the value is not JSON-like; the old state stands.
            ValueError: it is nested more than 500 levels deep; the old state stands.
        """
        if callable(value):
            value = value(self.state)
        self._keep(self._attachment._replace(state=copy_state(value)))
        return self.state

    def serialize_attachment(self, value: Any) -> None:
        """Deprecated: `set_state`."""
        self.set_state(value)

    def deserialize_attachment(self) -> Any:
        """Deprecated: `state`."""
        return self.state

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._phase is Phase.OPEN and self.socket.readyState == OPEN

    def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a text or a binary message.

        It never waits: the platform buffers what the peer has not read yet. What is sent to a
        peer that has just lost its network is lost without an error.

        Raises:
            ConnectionClosedError: the connection is closed.
            TypeError: the message is neither text nor binary.
        """
        send: Any = self._send
        if message is received.message:
            payload: Any = received.came_as
            if payload is None:
                send = self._send_on
                if send is None:
                    send = self._send_on = received.sender(self.socket)
        elif type(message) is str and message.isascii():
            payload = message
        else:
            payload = runtime.sendable(message)
        if self._phase is not OPEN_PHASE:
            raise ConnectionClosedError(self.id)
        if send is None:
            send = self._send = runtime.bound_send(self.socket)
        try:
            if payload is None:
                send()
            else:
                send(payload)
        except runtime.JsException as error:
            if self.socket.readyState == OPEN:
                raise
            raise ConnectionClosedError(self.id) from error

    def send_json(self, value: Any) -> None:
        """Send `value` as compact JSON text."""
        self.send(compact_json(value))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; on one that is closed this does nothing.

        Args:
            code: 1000, or 3000 to 4999.
            reason: up to 123 bytes of UTF-8.

        Raises:
            ValueError: the code or the reason may not be sent.
        """
        check_close(code, reason)
        self._close(code, reason)

    def _close(self, *code_and_reason: Any) -> None:
        if self._phase is Phase.CLOSED:
            return
        self._phase = Phase.CLOSED
        self._leave(self)
        try:
            self.socket.close(*code_and_reason)
        except runtime.JsException:
            if self.socket.readyState == OPEN:
                raise

    def _keep(self, attachment: Attachment) -> None:
        runtime.write_attachment(self.socket, attachment)
        self._attachment = attachment

    def __repr__(self) -> str:
        return f"<Connection {self.id!r}: {self._phase.name.lower()}>"
