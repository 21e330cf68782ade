"""Messages that come to their connections without their sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any, Protocol
from weakref import ref

from pyodide.ffi import JsException, JsProxy, create_proxy

from .. import tasks
from . import builtins
from .copying import (
    LONG_TEXT,
    MUCH_TO_KEEP,
    BufferCopier,
    Copier,
    TextCopier,
    buffer_copier,
    text_copier,
)
from .current import HELD, current

#: After so many messages at most, copying is tried again.
_LONGEST_PAUSE = 64


class Registry(Protocol):
    """Who is connected to a room, as far as messages need it."""

    #: What the context of each message is a copy of.
    context: Context
    #: Called with a connection, its message, and what runs an `async` hook.
    receive: Callable[..., Any]


class Receiver(Protocol):
    """A connection, as far as its messages need it."""

    socket: JsProxy
    registry: Any  # a Registry
    route: Route | None


class Dispatch:
    """Brings a message to its connection without making a Python object of its socket.

    Making that object, and using it, took about a tenth of an echo's CPU. So each socket has a
    function of its own, which gets the message only, and JavaScript itself has a function
    that finds it: `String.prototype.split.call(options, socket, message)` is, by the
    language's definition, `socket[Symbol.split](options, message)`.

    Nobody gets the messages of a socket without such a function. So it begins only if all have
    theirs, and until then messages come with their sockets. A function costs as much as it saves in
    some messages, so none is made before.
    """

    __slots__ = ("_handler", "_has_begun")

    def __init__(self, handler: JsProxy) -> None:
        #: The runtime's own for messages, which it calls with their sockets.
        self._handler = handler
        self._has_begun = False

    def add(self, receiver: Receiver) -> None:
        """Bring the messages of its socket to this connection, once it has begun."""
        if self._has_begun:
            self._add(receiver)

    def _add(self, receiver: Receiver) -> None:
        self.discard(receiver)
        receiver.route = Route(receiver)

    def discard(self, receiver: Receiver) -> None:
        if receiver.route is not None:
            receiver.route.end(receiver.socket)
            receiver.route = None

    def begin(self, receivers: Iterable[Receiver]) -> None:
        """Dispatch to these, which are all that can get messages, and to those that are added."""
        for receiver in receivers:
            self._add(receiver)
        tasks.prepare()
        self._handler.callWithOptions = builtins.tools().dispatch
        self._has_begun = True


class Route:
    """How one socket's messages reach Python: converted by Pyodide, or copied.

    JavaScript holds its functions, and so these hold nothing but a weak reference.
    """

    __slots__ = ("_buffers", "_convert", "_proxies", "_texts", "copying", "receiver")

    def __init__(self, receiver: Receiver) -> None:
        self.receiver: ref[Receiver] = ref(receiver)
        self._proxies: list[JsProxy] = []
        tools = builtins.tools()
        self._convert = tools.bind(tools.call, self._proxy(_receive_converted))
        self._texts: _Copying | None = None
        self._buffers: _Copying | None = None
        #: How the next message is copied; None if Pyodide converts it.
        self.copying: _Copying | None = None
        self._set(receiver.socket, self._convert)

    def long_text_came(self, socket: JsProxy) -> None:
        """Count one that Pyodide has converted, so that the next may be copied."""
        if self._texts is None:
            self._texts = _Copying(text_copier, TextCopier.first_try)
        self._try(self._texts, socket)

    def buffer_came(self, socket: JsProxy) -> None:
        """Count one that Pyodide has converted, so that the next may be copied."""
        if self._buffers is None:
            self._buffers = _Copying(buffer_copier, BufferCopier.first_try)
        self._try(self._buffers, socket)

    def _try(self, copying: _Copying, socket: JsProxy) -> None:
        copying.left -= 1
        if copying.left:
            return
        with suppress(JsException, MemoryError):  # messages are converted nevertheless
            if copying.function is None:
                copier = copying.find()
                if copier is None:
                    return
                copying.copier = copier
                copying.function = copier.before(self._proxy(_receive_copied))
            copying.uses = 0
            self._set(socket, copying.function)
            self.copying = copying

    def end_copying(self, copying: _Copying, socket: JsProxy) -> None:
        """A message of another kind came."""
        copying.copier.holder.drop()
        copying.end()
        self.copying = None
        self._set(socket, self._convert)

    def _proxy(self, receive: Callable[..., Any]) -> JsProxy:
        proxy = create_proxy(partial(receive, self.receiver))
        self._proxies.append(proxy)
        return proxy

    def _set(self, socket: JsProxy, function: JsProxy) -> None:
        tools = builtins.tools()
        tools.set(socket, tools.key, function)

    def end(self, socket: JsProxy) -> None:
        tools = builtins.tools()
        tools.delete(socket, tools.key)
        for proxy in self._proxies:
            proxy.destroy()


class _Copying:
    """How one socket's messages of one kind are copied.

    For messages of another kind it is a detour, so the first of these ends it. If that was before
    it paid, twice as many have to come before the next try.
    """

    __slots__ = ("_pause", "copier", "find", "function", "left", "uses")

    def __init__(self, find: Callable[[], Copier | None], first_try: int) -> None:
        self.find: Callable[[], Copier | None] = find
        self.copier: Copier
        self.function: JsProxy | None = None
        self._pause = first_try
        #: So many have to be converted before the next try.
        self.left: int = first_try
        #: So many have been copied since the last.
        self.uses: int = 0

    def end(self) -> None:
        paid = self.uses >= self.copier.pays_after
        self._pause = self.copier.first_try if paid else min(self._pause * 2, _LONGEST_PAUSE)
        self.left = self._pause


# JavaScript calls these, with what is bound to them before.


def _receive_converted(weak: ref[Receiver], message: Any) -> Any:
    receiver = weak()
    if receiver is None or receiver.route is None:
        return None
    registry: Registry = receiver.registry
    if type(message) is str:
        if len(message) >= LONG_TEXT:
            receiver.route.long_text_came(receiver.socket)
        # In a context of its own: a ContextVar must not reach other rooms.
        return registry.context.copy().run(registry.receive, receiver, message, tasks.run_prepared)
    receiver.route.buffer_came(receiver.socket)
    content = message.to_bytes()
    current.begin(content, message)
    try:
        return registry.context.copy().run(registry.receive, receiver, content, tasks.run_prepared)
    finally:
        current.end()


def _receive_copied(weak: ref[Receiver], result: Any, _: int) -> Any:
    receiver = weak()
    if receiver is None or receiver.route is None or receiver.route.copying is None:
        return None
    copying = receiver.route.copying
    message = copying.copier.take(result)
    if message is None:
        message = copying.copier.holder.message()
        receiver.route.end_copying(copying, receiver.socket)
        return _receive_converted(weak, message)
    copying.uses += 1
    current.content, current.payload = message, HELD
    registry: Registry = receiver.registry
    try:
        return registry.context.copy().run(registry.receive, receiver, message, tasks.run_prepared)
    finally:
        current.end()
        if len(message) > MUCH_TO_KEEP:
            copying.copier.holder.drop()
