"""A WebSocket to an app: nothing is accepted before the app has decided."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from workers import Request

from ..errors import ClientError
from ..refusals import refuse_client
from ..rules import failures
from ..rules.closing import (
    ABNORMAL,
    INTERNAL_ERROR,
    MAX_REASON_BYTES,
    NO_STATUS,
    POLICY_VIOLATION,
    answer_to_close,
    fitting_reason,
)
from ..runtime import JsException, JsProxy, sockets
from ..shortcuts.current import current
from . import headers, javascript
from .departures import ClientDisconnected
from .exchange import ROOM_RESPONSE, Exchange, Report
from .reply import Message

#: What a handshake gets that the app closes before it has accepted it.
_REJECTED = 403


class SocketState(Enum):
    CONNECTING = auto()
    DENYING = auto()  # with an HTTP response of the app's own
    OPEN = auto()
    DISCONNECTED = auto()  # by the client
    CLOSED = auto()  # by the app


class SocketExchange(Exchange):
    """A WebSocket handshake, and if the app accepts it, the connection."""

    def __init__(self, request: Request, report: Report) -> None:
        super().__init__(request, report, "GET")
        #: The app's, once the socket is open.
        self._task: asyncio.Task[None] | None = None
        self._state = SocketState.CONNECTING
        self._response: JsProxy | None = None
        self._socket: Any = None
        self._listeners: javascript.Listeners | None = None
        self._incoming: deque[Message] = deque([{"type": "websocket.connect"}])
        self._arrived = asyncio.Event()

    # --- the app's side ---------------------------------------------------------------

    async def receive(self) -> Message:
        while not self._incoming:
            self._arrived.clear()
            await self._arrived.wait()
        message = self._incoming.popleft()
        if message["type"] == "websocket.disconnect":
            self._incoming.append(message)  # whoever asks again gets it again
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        match self._state:
            case SocketState.CONNECTING:
                self._decide_handshake(kind, message)
            case SocketState.DENYING if kind == "websocket.http.response.body":
                await self._send_body(message)
            case SocketState.OPEN if kind == "websocket.send":
                self._send(message)
            case SocketState.OPEN if kind == "websocket.close":
                self._close(message.get("code", 1000), message.get("reason") or "")
            case SocketState.DISCONNECTED:
                raise ClientDisconnected("the client has disconnected")
            case _:
                state = self._state.name.lower()
                raise RuntimeError(f"the app sent {kind!r} on a WebSocket that is {state}")

    def tell(self, error: ClientError) -> bool:
        match self._state:
            case SocketState.CONNECTING:
                self._response = refuse_client(self._request, error, upgrading=True).js_object
                self._state = SocketState.CLOSED
            case SocketState.OPEN:
                with suppress(ClientDisconnected):
                    self._send({"text": failures.client_frame(error)})
                    self._close(POLICY_VIOLATION, fitting_reason(error.message))
            case SocketState.DENYING:
                return False
        return True  # or nobody is left to be told

    async def end(self) -> None:
        if self._state is SocketState.OPEN:
            self._close(INTERNAL_ERROR if self.has_failed else 1000, "")
        elif self._state is SocketState.DENYING and not self._reply.is_complete:
            await self._reply.break_off("the app has not finished its response")
        if self._listeners is not None:
            self._listeners.remove()

    def answer(self) -> JsProxy | None:
        return self._reply.take() if self._reply.is_usable else self._response

    @property
    def is_replaceable(self) -> bool:
        return self._response is None

    def keep_alive(self, task: asyncio.Task[None]) -> None:
        # An open socket keeps the request alive by itself, and longer than the platform lets
        # anything go on afterwards.
        if self._state is SocketState.OPEN:
            self._task = task
        else:
            javascript.keep_alive(task)

    # --- the handshake ----------------------------------------------------------------

    def _decide_handshake(self, kind: str, message: Message) -> None:
        match kind:
            case "websocket.accept":
                self._accept(message)
                self._state = SocketState.OPEN
            case "websocket.close":
                self._response = javascript.response(_REJECTED, [], None)
                self._state = SocketState.CLOSED
            case "websocket.http.response.start":
                self._reply.start(message)
                self._state = SocketState.DENYING
            case kind if kind == ROOM_RESPONSE:
                self._response = message["response"].js_object
                self._state = SocketState.CLOSED
            case other:
                raise RuntimeError(f"the app sent {other!r} before it accepted the WebSocket")
        self._decide()

    def _accept(self, message: Message) -> None:
        pairs = headers.outgoing(message.get("headers") or ())
        if subprotocol := message.get("subprotocol"):
            pairs.append(("sec-websocket-protocol", subprotocol))
        client, self._socket = sockets.socket_pair()
        sockets.accept_in_memory(self._socket)
        self._listeners = javascript.Listeners(
            self._socket,
            [("message", self._on_message), ("close", self._on_close), ("error", self._on_error)],
        )
        self._response = javascript.response(101, pairs, None, webSocket=client)

    # --- the connection ---------------------------------------------------------------

    def _send(self, message: Message) -> None:
        data = message.get("bytes")
        if data is None:
            data = message.get("text")
        self._call(self._socket.send, current.outgoing(data))

    def _close(self, code: int, reason: str) -> None:
        if answer_to_close(code, reason) != (code, reason):
            raise ValueError(
                "a close code is 1000 to 4999 and none of 1004, 1005, 1006 and 1015, and a reason "
                f"has at most {MAX_REASON_BYTES} bytes: not {code!r} and {reason!r}"
            )
        self._call(self._socket.close, code, reason)
        self._state = SocketState.CLOSED
        if self._task is not None:
            javascript.keep_alive(self._task)

    def _call(self, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except JsException as error:
            failure = javascript.failure(error)
            if isinstance(failure, OSError):
                raise ClientDisconnected(str(failure)) from None
            raise failure from None

    def _on_message(self, event: Any) -> None:
        data = sockets.python_message(event.data)
        key = "text" if isinstance(data, str) else "bytes"
        self._put({"type": "websocket.receive", key: data})

    def _on_close(self, event: Any) -> None:
        self._disconnected(event.code, event.reason)
        answer = answer_to_close(event.code, event.reason, was_clean=event.wasClean)
        if self._state is SocketState.OPEN and answer is not None:
            self._socket.close(*answer)
        self._leave_open()

    def _on_error(self, _event: Any) -> None:
        self._disconnected(ABNORMAL, "")
        self._leave_open()

    def _disconnected(self, code: int, reason: str) -> None:
        self._left = True
        self._put({"type": "websocket.disconnect", "code": code or NO_STATUS, "reason": reason})

    def _leave_open(self) -> None:
        if self._state is SocketState.OPEN:
            self._state = SocketState.DISCONNECTED
        if self._task is not None:
            javascript.keep_alive(self._task)

    def _put(self, message: Message) -> None:
        self._incoming.append(message)
        self._arrived.set()
