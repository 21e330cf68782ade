"""One WebSocket of a room."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from enum import IntEnum
from typing import Any, Protocol

from .errors import ConnectionClosedError
from .rules.attachment import Attachment, copy_state, read_state
from .rules.cloning import is_flat
from .rules.closing import OPEN, answer_to_close, check_close
from .rules.messages import compact_json, parse_json
from .rules.query import Query
from .rules.rate import Allowance
from .runtime import JsException, JsProxy, sockets
from .runtime.sockets import Unread
from .shortcuts.attachments import writer
from .shortcuts.current import HELD, current, sender
from .shortcuts.dispatch import Route


class Phase(IntEnum):
    """Where a connection stands between its upgrade request and its end."""

    CONNECTING = 0
    OPEN = 1
    #: The peer has closed, and its close frame is not answered yet.
    CLOSED_BY_PEER = 2
    CLOSED = 3


#: For hot paths: an enum's member costs a look-up each time.
OPEN_PHASE = Phase.OPEN


class Registry(Protocol):
    """Who is connected to a room, as far as a connection needs to know."""

    #: What the context of each message is a copy of.
    context: Context
    #: Called with a connection, its message, and what runs an `async` hook.
    receive: Callable[..., Any]
    room_name: Callable[[], str]

    def add(self, connection: RoomConnection) -> None: ...
    def remove(self, connection: RoomConnection) -> None: ...
    def forget(self, connection: RoomConnection) -> None: ...


class Connection:
    """A WebSocket of a room, with an id, tags and a small state that survive hibernation.

    Hooks are given connections; `Server.get_connection` and `get_connections` find them.

        def on_connect(self, connection, ctx):
            connection.set_state({"name": "anonymous"})
            connection.send("welcome")
    """

    __slots__ = (
        "__weakref__",
        "_allowance",
        "_attachment",
        "_close_has_begun",
        "_flat_state",
        "_phase",
        "_registry",
        "_route",
        "_send",
        "_send_held",
        "_write",
        "socket",
    )

    socket: JsProxy
    """The raw JavaScript WebSocket."""

    def __init__(
        self, socket: JsProxy, attachment: Attachment | Unread, registry: Registry, phase: Phase
    ) -> None:
        self.socket = socket
        self._attachment: Attachment | Unread = attachment
        #: The state, if it is known to hold nothing that is copied itself: it is asked for often.
        self._flat_state: dict[str, Any] | None = None
        self._registry = registry
        self._phase = phase
        #: Whether `on_close` was called.
        self._close_has_begun = False
        self._send: Callable[[Any], None] | None = None
        #: Sends the message that is being received, if that is held in JavaScript.
        self._send_held: Callable[[], None] | None = None
        #: Keeps a JSON text's value with the socket, once there have been two.
        self._write: Callable[[str], None] | None = None
        #: What it may still send, where the options have a rate.
        self._allowance: Allowance | None = None
        #: How its messages come without the socket, if they do.
        self._route: Route | None = None

    def _read(self) -> Attachment:
        """What the socket remembers, which is read after a sleep when it is first asked for."""
        attachment = self._attachment
        if type(attachment) is Unread:
            attachment = self._attachment = attachment.read()
        return attachment  # type: ignore[return-value]

    @property
    def id(self) -> str:
        """The id: the client's `_pk` query parameter (up to 256 UTF-8 bytes), or generated.

        A client chooses it freely, so it says nothing about who that is.
        """
        return self._attachment.id

    @property
    def server(self) -> str:
        """The name of the room that the connection is in."""
        return self._registry.room_name()

    @property
    def uri(self) -> str | None:
        """The URL of the upgrade request."""
        return self._read().uri

    @property
    def tags(self) -> tuple[str, ...]:
        """The id, then what `get_connection_tags` returned: at most 10."""
        return self._attachment.tags

    @property
    def auth(self) -> Any:
        """Who this is: what `on_before_connect` has returned, or None. It survives hibernation.

        A copy, as JSON has it: changing it changes nothing.
        """
        text = self._read().auth
        return None if text is None else parse_json(text)

    @property
    def query(self) -> Query:
        """The query of the upgrade request's URL, as a mapping: `connection.query.get("team")`."""
        return Query(self._read().uri)

    @property
    def state(self) -> Any:
        """What `set_state` stored last, or None. A copy: changing it changes nothing."""
        flat = self._flat_state
        if flat is not None:
            return flat.copy()
        state = self._read().state
        if not is_flat(state):
            return read_state(state)
        self._flat_state = state
        return state.copy()

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
        state = copy_state(value)
        attachment = self._read().with_state(state)
        self._keep(attachment)
        return read_state(state)

    def _keep(self, attachment: Attachment) -> None:
        write = self._write
        if write is None and self._read().state is not None:  # most have one state, or many
            write = self._write = writer(self.socket)
        sockets.write_attachment(self.socket, attachment, write)
        self._attachment, self._flat_state = attachment, None

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
        if message is current.content:
            payload: Any = current.payload
            if payload is HELD:
                send = self._send_held
                if send is None:
                    send = self._send_held = sender(self.socket)
        elif type(message) is str and message.isascii():
            payload = message
        else:
            payload = sockets.sendable(message)
        if self._phase is not OPEN_PHASE:
            raise ConnectionClosedError(self.id)
        if send is None:
            send = self._send = sockets.bound_send(self.socket)
        try:
            if payload is HELD:
                send()
            else:
                send(payload)
        except JsException as error:
            if self.socket.readyState == OPEN:
                raise
            raise ConnectionClosedError(self.id) from error

    def send_json(self, value: Any) -> None:
        """Send `value` as compact JSON text.

        Raises:
            TypeError, ValueError: JSON cannot hold the value, or it has more than 500 levels.
            ConnectionClosedError: the connection is closed.
        """
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
        self._end(code, reason)

    def _end(self, *code_and_reason: Any) -> None:
        if self._phase is Phase.CLOSED:
            return
        self._phase = Phase.CLOSED
        self._registry.remove(self)  # type: ignore[arg-type]
        try:
            self.socket.close(*code_and_reason)
        except JsException:
            if self.socket.readyState == OPEN:
                raise

    def __repr__(self) -> str:
        return f"<Connection {self.id!r}: {self._phase.name.lower()}>"


class RoomConnection(Connection):
    """A connection as the room's machinery has it: all its transitions from phase to phase.

    It is what hooks are given, who know it as `Connection`. Nothing else changes a phase.

        CONNECTING ── opened() ──> OPEN ── begin_close() ──> CLOSED_BY_PEER
            │                       │                               │
        abandoned()          end() or abandoned()              closed()
            └───────────────────> CLOSED <──────────────────────────┘

    `closed` is called for each connection that was open, whoever has closed it first.
    """

    __slots__ = ()

    # The base's own slots under names for the package: an attribute costs no look-up more.
    allowance: Allowance | None = vars(Connection)["_allowance"]
    phase: Phase = vars(Connection)["_phase"]
    #: With an id and tags, whether the rest of it has been read or not.
    remembered: Attachment | Unread = vars(Connection)["_attachment"]
    registry: Registry = vars(Connection)["_registry"]
    route: Route | None = vars(Connection)["_route"]

    @property
    def attachment(self) -> Attachment:
        return self._read()

    def keep(self, attachment: Attachment) -> None:
        """Keep something else with the socket."""
        self._keep(attachment)

    def opened(self) -> None:
        """It was accepted, or has been found open after a sleep."""
        self._phase = Phase.OPEN
        self._registry.add(self)

    def begin_close(self) -> bool:
        """The socket has closed, or is about to. Whether `on_close` is still to be called."""
        if self._phase is Phase.OPEN:
            self._registry.remove(self)
            self._phase = Phase.CLOSED_BY_PEER
        elif self._close_has_begun:
            return False
        self._close_has_begun = True
        return True

    @property
    def close_has_begun(self) -> bool:
        """Whether `on_close` was called."""
        return self._close_has_begun

    def end(self, code: int, reason: str) -> None:
        """Close it from here, with codes that the room itself may not use, too."""
        self._end(code, reason)

    def closed(self, code: int, reason: str, was_clean: bool) -> None:
        """`on_close` has run: the peer's close is answered, and nothing more will come."""
        answer = answer_to_close(code, reason, was_clean=was_clean)
        if self._phase is Phase.CLOSED_BY_PEER and answer is not None:
            self._end(*answer)
        self._leave()

    def abandoned(self, code: int, reason: str) -> bool:
        """Its hook has failed: no event of it will be a hook's.

        Whether there is an end that parts have to hear of: it had been accepted.

        The client gets another socket, since a hibernating one that is closed before its
        upgrade is answered stays half open for seconds.
        """
        is_open = self._phase is Phase.OPEN
        has_end = self._phase is not Phase.CONNECTING and not self._close_has_begun
        self._close_has_begun = True
        self._leave()
        if is_open:
            self.socket.close(code, reason)
        return has_end

    def _leave(self) -> None:
        self._phase = Phase.CLOSED
        # A late event of this socket must not find a connection again.
        sockets.write_attachment(self.socket, None)
        self._registry.forget(self)
