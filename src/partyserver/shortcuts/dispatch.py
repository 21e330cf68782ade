"""Messages that come to their connections past their sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any, Protocol
from weakref import ref

from pyodide.ffi import JsException, JsProxy, create_proxy

from .. import tasks
from . import javascript, received
from .box import LONG_TEXT, MUCH_TO_KEEP, Box, BufferBox, TextBox, buffer_box, text_box

#: After so many messages at most a box is tried again.
_LONGEST_PAUSE = 64


class Receiver(Protocol):
    """A connection, as far as its messages need it."""

    socket: JsProxy
    #: What the context of each of its messages is a copy of.
    _context: Context
    #: Called with the receiver, its message, and what runs an `async` hook.
    _receive: Callable[..., Any]
    _way: Way | None


class Dispatch:
    """Brings a message to its connection without making a Python object of its socket.

    Making that object, and using it, took about a tenth of an echo's CPU. So each socket has a
    function of its own, which gets the message only, and JavaScript itself has a function
    that finds it: `String.prototype.split.call(options, socket, message)` is, by the
    language's definition, `socket[Symbol.split](options, message)`.

    Nobody gets the messages of a socket without such a function. So it begins only if all have
    theirs, and until then messages come with their sockets.
    """

    __slots__ = ("_entry",)

    def __init__(self, entry: JsProxy) -> None:
        self._entry = entry

    def add(self, receiver: Receiver) -> None:
        """Bring the messages of its socket to this one."""
        self.discard(receiver)
        receiver._way = Way(receiver)

    def discard(self, receiver: Receiver) -> None:
        if receiver._way is not None:
            receiver._way.end(receiver.socket)
            receiver._way = None

    def begin(self, receivers: Iterable[Receiver]) -> None:
        """Dispatch, if all of these, which are to get messages, have their functions."""
        if all(receiver._way is not None for receiver in receivers):
            tasks.prepare()
            self._entry.callWithOptions = javascript.tools().dispatch


class Way:
    """The way of one socket's messages: as they are; or by a box, while they are of its kind.

    JavaScript holds its functions, and so these hold nothing but a weak reference.
    """

    __slots__ = ("_as_it_is", "_buffers", "_proxies", "_texts", "by", "itself")

    def __init__(self, receiver: Receiver) -> None:
        self.itself = ref(receiver)
        self._proxies: list[JsProxy] = []
        tools = javascript.tools()
        self._as_it_is = tools.bind(tools.call, self._proxy(_receive_as_it_is))
        self._texts: _ByBox | None = None
        self._buffers: _ByBox | None = None
        #: What the next message comes by.
        self.by: _ByBox | None = None
        self._set(receiver.socket, self._as_it_is)

    def long_text_came(self, socket: JsProxy) -> None:
        """Tell of one that came as it is, so that the next may come by the box."""
        if self._texts is None:
            self._texts = _ByBox(text_box, TextBox.first_try)
        self._try(self._texts, socket)

    def buffer_came(self, socket: JsProxy) -> None:
        """Tell of one that came as it is, so that the next may come by the box."""
        if self._buffers is None:
            self._buffers = _ByBox(buffer_box, BufferBox.first_try)
        self._try(self._buffers, socket)

    def _try(self, by: _ByBox, socket: JsProxy) -> None:
        by.left -= 1
        if by.left:
            return
        with suppress(JsException, MemoryError):  # as it is, a message may come nevertheless
            if by.function is None:
                box = by.find()
                if box is None:
                    return
                by.box, by.function = box, box.before(self._proxy(_receive_by_box))
            by.uses = 0
            self._set(socket, by.function)
            self.by = by

    def end_box(self, by: _ByBox, socket: JsProxy) -> None:
        """One of another kind came by the box."""
        by.box.slot.drop()
        by.end()
        self.by = None
        self._set(socket, self._as_it_is)

    def _proxy(self, receive: Callable[..., Any]) -> JsProxy:
        proxy = create_proxy(partial(receive, self.itself))
        self._proxies.append(proxy)
        return proxy

    def _set(self, socket: JsProxy, function: JsProxy) -> None:
        tools = javascript.tools()
        tools.set(socket, tools.key, function)

    def end(self, socket: JsProxy) -> None:
        tools = javascript.tools()
        tools.delete(socket, tools.key)
        for proxy in self._proxies:
            proxy.destroy()


class _ByBox:
    """The way of one socket's messages of one kind, by their box.

    For others the box is a detour, so the first of these ends it. If that was before it paid,
    twice as many have to come before the next try.
    """

    __slots__ = ("_pause", "box", "find", "function", "left", "uses")

    def __init__(self, find: Callable[[], Box | None], first_try: int) -> None:
        self.find = find
        self.box: Box
        self.function: JsProxy | None = None
        #: So many have to come as they are before the next try.
        self.left = self._pause = first_try
        #: So many have come by the box since the last.
        self.uses = 0

    def end(self) -> None:
        paid = self.uses >= self.box.pays_after
        self._pause = self.box.first_try if paid else min(self._pause * 2, _LONGEST_PAUSE)
        self.left = self._pause


# JavaScript calls these, with what is bound to them before.


def _receive_as_it_is(itself: ref[Receiver], message: Any) -> Any:
    receiver = itself()
    if receiver is None or receiver._way is None:
        return None
    if type(message) is str:
        if len(message) >= LONG_TEXT:
            receiver._way.long_text_came(receiver.socket)
        # In a context of its own: a ContextVar must not reach other rooms.
        return receiver._context.copy().run(
            receiver._receive, receiver, message, tasks.run_prepared
        )
    receiver._way.buffer_came(receiver.socket)
    content = message.to_bytes()
    received.begin(content, message)
    try:
        return receiver._context.copy().run(
            receiver._receive, receiver, content, tasks.run_prepared
        )
    finally:
        received.end()


def _receive_by_box(itself: ref[Receiver], told: Any, _: int) -> Any:
    receiver = itself()
    if receiver is None or receiver._way is None or receiver._way.by is None:
        return None
    by = receiver._way.by
    message = by.box.take(told)
    if message is None:
        message = by.box.slot.message()
        receiver._way.end_box(by, receiver.socket)
        return _receive_as_it_is(itself, message)
    by.uses += 1
    received.message, received.came_as = message, None
    try:
        return receiver._context.copy().run(
            receiver._receive, receiver, message, tasks.run_prepared
        )
    finally:
        received.message, received.came_as = received.NOTHING, None
        if len(message) > MUCH_TO_KEEP:
            by.box.slot.drop()
