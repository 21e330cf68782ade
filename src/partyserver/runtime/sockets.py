"""WebSockets: how they are accepted, written to, heard and kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from inspect import iscoroutine
from typing import Any, NamedTuple, Protocol

import js
from pyodide.ffi import JsException, JsProxy, create_proxy, jsnull, to_js

from ..errors import StateTooLargeError
from ..rules.attachment import IDENTITY_KEYS, MAX_SIZE, Attachment, identity_in, unpack
from ..rules.messages import parse_own_json, well_formed
from .values import builtin, javascript_value, python_value, string_list


def socket_pair() -> tuple[JsProxy, JsProxy]:
    """The client's and the server's end of a new WebSocket."""
    pair = builtin("WebSocketPair").new()
    return getattr(pair, "0"), getattr(pair, "1")


def discard(client: JsProxy) -> None:
    """End a client's half that nobody gets, where the room has accepted the other one.

    Else a hibernating room would stay in memory to wait for its end.
    """
    accept_in_memory(client)
    client.close()


def accept_in_memory(socket: JsProxy) -> None:
    # Half open, so that the answer to a peer's close is ours to choose: since compatibility
    # date 2026-04-07 the runtime answers by itself on sockets accepted without it.
    socket.accept(allowHalfOpen=True)
    # Since 2026-03-17 binary messages arrive as Blobs unless told otherwise.
    socket.binaryType = "arraybuffer"


def python_message(message: Any) -> str | bytes:
    """An incoming message: JavaScript strings are `str` already, binary is copied."""
    return message if type(message) is str else message.to_bytes()


def is_bytes_like(message: Any) -> bool:
    return isinstance(message, bytes | bytearray | memoryview)


def sendable(message: Any) -> Any:
    """An outgoing message; `TypeError` for what is neither text nor binary."""
    if type(message) is bytes:
        return to_js(message)
    if isinstance(message, str):
        return well_formed(message)
    if is_bytes_like(message):
        return to_js(bytes(message))
    advice = "write await before it" if iscoroutine(message) else "send_json sends other values"
    raise TypeError(f"a message is str or bytes, not {type(message).__name__}; {advice}")


def bound_send(socket: JsProxy) -> Callable[[Any], None]:
    """The socket's `send`, looked up once; unbound, it is an "Illegal invocation"."""
    send: Callable[[Any], None] = socket.send.bind(socket)
    return send


def send_rows(socket: JsProxy, rows: Any) -> None:
    """Send the texts of a query's rows, which have one column each, without Python's copies.

    JavaScript calls `send` with each row as its list of arguments.
    """
    apply, send = builtin("Reflect.apply"), builtin("WebSocket.prototype.send")
    rows.forEach(apply.bind(None, send, socket))


class Unread(NamedTuple):
    """An attachment of which the id and the tags are known, and the rest is read if asked for.

    It is what it was when it was found: JavaScript keeps that, whatever becomes of the socket's.
    """

    id: str
    tags: tuple[str, ...]
    #: An array of all that were found, and the place of this one.
    all: JsProxy
    at: int

    def read(self) -> Attachment:
        found = self.all[self.at]
        with suppress(ValueError):  # holds itself, as somebody else's may
            attachment = unpack(python_value(found), found)
            if attachment is not None:
                return attachment
        return Attachment(self.id, self.tags, None, None, foreign=found)


#: A socket, what it has kept if that is this library's, and its `readyState`.
Found = tuple[JsProxy, Unread | None, int]


def find(socket: JsProxy) -> Found:
    """One socket, which the platform may no longer list."""
    return _found(builtin("Array.of")(socket))[0]


def _found(sockets: JsProxy) -> list[Found]:
    """All is asked of all sockets at once: to ask each of them takes several times as long."""
    states = builtin("Array.from")(sockets, _ready_state()).to_py()
    return list(zip(sockets, _attachments(sockets), states, strict=True))


def _attachments(sockets: JsProxy) -> list[Unread | None]:
    """What each socket has kept; None where that is not this library's."""
    found = builtin("Array.from")(sockets, _method("deserializeAttachment"))
    try:
        # A part of each only, since most of what is kept is not asked for in most wakes.
        text = builtin("JSON.stringify")(found, _identity_keys())
        values = parse_own_json(text)
    except (JsException, RecursionError, ValueError):  # somebody else's hold BigInts, or themselves
        values = [_whole(value) for value in found]
    identities = map(identity_in, values)
    return [
        None if identity is None else Unread(*identity, found, at)
        for at, identity in enumerate(identities)
    ]


def _whole(found: Any) -> Any:
    try:
        return python_value(found)
    except ValueError:
        return None


@cache
def _identity_keys() -> JsProxy:
    return string_list(IDENTITY_KEYS)


@cache
def _method(name: str) -> JsProxy:
    """A method of sockets as a function, which is called with the socket."""
    bound: JsProxy = builtin("Function.prototype.call").bind(builtin(f"WebSocket.prototype.{name}"))
    return bound


@cache
def _ready_state() -> JsProxy:
    """A socket's property as a function, which is called with the socket."""
    of = builtin("Object.getOwnPropertyDescriptor")(builtin("WebSocket.prototype"), "readyState")
    bound: JsProxy = builtin("Function.prototype.call").bind(builtin("Reflect.get")(of, "get"))
    return bound


def write_attachment(
    socket: JsProxy,
    attachment: Attachment | None,
    write_json: Callable[[str], None] | None = None,
) -> None:
    """Keep `attachment` with the socket; None makes it a stranger to this library.

    `write_json` keeps the value of a JSON text with it, in less time.
    """
    write = _method("serializeAttachment")
    if attachment is None:
        write(socket, jsnull)
        return
    text = attachment.json
    try:
        if text is None:
            write(socket, _attachment_value(attachment))
        elif write_json is None:
            write(socket, builtin("JSON.parse")(text))  # which takes a third of the time
        else:
            write_json(text)
    except JsException as error:
        size = _attachment_size(str(error))
        if size is None:
            raise
        raise StateTooLargeError(size, MAX_SIZE, attachment.shares()) from None


def _attachment_value(attachment: Attachment) -> Any:
    value = javascript_value(attachment.pack())
    if attachment.foreign is None:
        return value
    return builtin("Object.assign")(js.Object.new(), attachment.foreign, value)


def _attachment_size(message: str) -> int | None:
    """The size in the platform's "'attachment' was 20012 bytes."; None for other errors."""
    _, found, after = message.partition("'attachment' was ")
    size = after.partition(" ")[0]
    return int(size) if found and size.isdigit() else None


class SocketEvents(Protocol):
    """Who hears of the events of in-memory sockets."""

    def message_arrived(self, socket: JsProxy, data: Any) -> Any: ...
    def socket_closed(self, socket: JsProxy, code: int, reason: str, was_clean: bool) -> Any: ...
    def socket_failed(self, socket: JsProxy, error: Any) -> Any: ...


class Listeners:
    """The handlers of in-memory sockets: three proxies, shared by all sockets of an owner.

    `owner` is a weak reference, since JavaScript holds the proxies. With `may_block`,
    message events come in a slower way, in which Python can suspend.
    """

    __slots__ = ("_handlers",)

    def __init__(self, owner: Callable[[], SocketEvents | None], *, may_block: bool) -> None:
        # With capture_this the socket comes as the first argument, cheaper than event.target.
        # What the hooks' promises tell is for the runtime's own handlers; listeners return nothing.
        def hear_message(socket: JsProxy, event: Any) -> None:
            if heard := owner():
                heard.message_arrived(socket, event.data)

        def hear_close(socket: JsProxy, event: Any) -> None:
            if heard := owner():
                heard.socket_closed(socket, event.code, event.reason, event.wasClean)

        def hear_error(socket: JsProxy, event: Any) -> None:
            if heard := owner():
                heard.socket_failed(socket, event.error)

        self._handlers = {
            "message": create_proxy(hear_message, capture_this=True),
            "close": create_proxy(hear_close, capture_this=True),
            "error": create_proxy(hear_error, capture_this=True),
        }
        if may_block:
            proxy = create_proxy(lambda event: hear_message(event.target, event))
            self._handlers["message"] = proxy.callPromising.bind(proxy)

    def attach(self, socket: JsProxy) -> None:
        for event, handler in self._handlers.items():
            socket.addEventListener(event, handler)

    def detach(self, socket: JsProxy) -> None:
        """Let go of the handlers, when the last of their sockets has closed."""
        for event, handler in self._handlers.items():
            socket.removeEventListener(event, handler)
            handler.destroy()


class Sockets:
    """The hibernatable sockets that the platform holds for an object, oldest first."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx

    def __len__(self) -> int:
        return int(self._ctx.getWebSockets().length)

    def all(self) -> list[Found]:
        # The platform gives all of them newest first, but those with a tag oldest first.
        return _found(self._ctx.getWebSockets())[::-1]

    def tagged(self, tag: str) -> list[Found]:
        return _found(self._ctx.getWebSockets(tag))
