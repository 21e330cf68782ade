"""Messages that come to their connections past their sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol
from weakref import ref

from pyodide.ffi import JsProxy, create_proxy

from .. import tasks
from . import javascript, received
from .box import LONG_TEXT, MUCH_TO_KEEP, Box, BufferBox, TextBox, buffer_box, text_box

#: After so many messages at most a box is tried again.
_LONGEST_PAUSE = 64


class Receiver(Protocol):
    """A connection, as far as its messages need it."""

    socket: JsProxy
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

    For others the box is a detour. So the first of these ends it. If that was before it paid,
    twice as many of its kind as the last time have to come before the next try.

    JavaScript holds its functions, and so these hold nothing but a weak reference.
    """

    __slots__ = ("_as_it_is", "_by_box", "_left", "_pause", "_proxies", "box", "itself", "uses")

    def __init__(self, receiver: Receiver) -> None:
        self.itself = ref(receiver)
        self._proxies: list[JsProxy] = []
        tools = javascript.tools()
        self._as_it_is = tools.bind(tools.call, self._proxy(_receive_as_it_is))
        self._by_box: dict[Box, JsProxy] = {}
        self.box: Any = None
        self._pause = self._left = 1
        #: Messages that have come by the box since it was begun.
        self.uses = 0
        self._set(receiver.socket, self._as_it_is)

    def could_be_by(self, find_box: Callable[[], TextBox | BufferBox | None]) -> None:
        """Have the next message come by a box, since one of its kind has come without."""
        self._left -= 1
        receiver = self.itself()
        if self._left or receiver is None:
            return
        box = find_box()
        if box is None:
            return
        if box not in self._by_box:
            receive = _receive_text if isinstance(box, TextBox) else _receive_buffer
            self._by_box[box] = box.before(self._proxy(receive))
        self.box, self.uses = box, 0
        self._set(receiver.socket, self._by_box[box])

    def end_box(self, socket: JsProxy) -> None:
        paid = self.uses >= self.box.pays_after
        self._left = self._pause = 1 if paid else min(self._pause * 2, _LONGEST_PAUSE)
        self._set(socket, self._as_it_is)
        self.box.content.drop()

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


# These are called by JavaScript, with what is bound to them before.


def _receive_as_it_is(itself: ref[Receiver], message: Any) -> Any:
    receiver = itself()
    if receiver is None or receiver._way is None:
        return None
    if type(message) is str:
        if len(message) >= LONG_TEXT:
            receiver._way.could_be_by(text_box)
        # In a context of its own: a ContextVar must not reach other rooms.
        return copy_context().run(receiver._receive, receiver, message, tasks.run_prepared)
    receiver._way.could_be_by(buffer_box)
    content = message.to_bytes()
    received.begin(content, message)
    try:
        return copy_context().run(receiver._receive, receiver, content, tasks.run_prepared)
    finally:
        received.end()


def _receive_buffer(itself: ref[Receiver], _: int) -> Any:
    receiver = itself()
    if receiver is None or receiver._way is None:
        return None
    message = receiver._way.box.take()
    return _receive_from_box(receiver, receiver._way, message, fits=type(message) is bytes)


def _receive_text(itself: ref[Receiver], size: int, _: int) -> Any:
    receiver = itself()
    if receiver is None or receiver._way is None:
        return None
    message = receiver._way.box.take(size)
    fits = type(message) is str and len(message) >= LONG_TEXT
    return _receive_from_box(receiver, receiver._way, message, fits=fits)


def _receive_from_box(receiver: Receiver, way: Way, message: Any, *, fits: bool) -> Any:
    if not fits:
        way.end_box(receiver.socket)
        return _receive_as_it_is(way.itself, message)
    way.uses += 1
    received.message, received.came_as = message, None
    try:
        return copy_context().run(receiver._receive, receiver, message, tasks.run_prepared)
    finally:
        received.message, received.came_as = received.NOTHING, None
        if len(message) > MUCH_TO_KEEP:
            way.box.content.drop()
