"""Messages that come to their connections past their sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import ref

from pyodide.ffi import JsProxy, create_proxy

from .. import tasks
from . import javascript, received
from .box import LONG_TEXT, MUCH_TEXT, Box, box

#: After so many long texts at most the box is tried again.
_LONGEST_PAUSE = 64


class Dispatch:
    """Brings a message to its connection without making a Python object of its socket.

    Making that object, and using it, took about a tenth of an echo's CPU. So each socket has a
    function of its own, which gets the message only, and JavaScript itself has a function
    that finds it: `String.prototype.split.call(options, socket, message)` is, by the
    language's definition, `socket[Symbol.split](options, message)`.

    Nobody gets the messages of a socket without such a function. So it begins only if all have
    theirs, and until then messages come with their sockets.
    """

    __slots__ = ("_entry", "_ways")

    def __init__(self, entry: JsProxy) -> None:
        self._entry = entry
        self._ways: dict[int, _Way] = {}

    def add(self, socket: JsProxy, receive: Callable[[Any], Any]) -> None:
        """Have `receive` called with this socket's messages; it must not keep the socket alive.

        A message is a text, or JavaScript's buffer.
        """
        self.discard(socket)
        self._ways[socket.js_id] = _Way(socket, receive)

    def discard(self, socket: JsProxy) -> None:
        way = self._ways.pop(socket.js_id, None)
        if way is not None:
            way.end()

    def long_text_came(self, socket: JsProxy) -> None:
        """Tell of each that came as it is, so that the next may come by the box."""
        way = self._ways.get(socket.js_id)
        if way is not None:
            way.long_text_came()

    def begin(self, sockets: Iterable[JsProxy]) -> None:
        """Dispatch, if all of these, which are to get messages, have their functions."""
        if all(socket.js_id in self._ways for socket in sockets):
            tasks.prepare()
            self._entry.callWithOptions = javascript.tools().dispatch


class _Way:
    """The way of one socket's messages: as they are; or by the box, while they are long texts.

    For a short one the box is a detour. So the first of these ends it, and each time that it was in
    vain, twice as many long texts have to come before the next try.
    """

    __slots__ = (
        "__weakref__",
        "_as_it_is",
        "_by_box",
        "_left",
        "_pause",
        "_proxies",
        "_receive",
        "_socket",
    )

    def __init__(self, socket: JsProxy, receive: Callable[[Any], Any]) -> None:
        tools, proxy = javascript.tools(), create_proxy(receive)
        self._socket, self._receive, self._proxies = socket, receive, [proxy]
        self._as_it_is = tools.bind(tools.call, proxy)
        self._by_box: JsProxy | None = None
        self._pause = self._left = 1
        self._set(self._as_it_is)

    def long_text_came(self) -> None:
        self._left -= 1
        if self._left:
            return
        if self._by_box is None:
            long_texts = box()
            if long_texts is None:
                return
            self._by_box = self._make_by_box(long_texts)
        self._set(self._by_box)

    def _make_by_box(self, box: Box) -> JsProxy:
        itself = ref(self)  # JavaScript holds the function, and with it would hold the socket

        def receive(size: int, _: int) -> Any:
            way = itself()
            return None if way is None else way._receive_from(box, size)

        proxy = create_proxy(receive)
        self._proxies.append(proxy)
        return box.before(proxy)

    def _receive_from(self, box: Box, size: int) -> Any:
        message = box.take(size)
        if type(message) is str and len(message) >= LONG_TEXT:
            self._pause = 1
            received.begin_in_box(message, box)
        else:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            self._left = self._pause
            self._set(self._as_it_is)
        try:
            return self._receive(message)
        finally:
            received.end()
            if type(message) is not str or len(message) > MUCH_TEXT:
                box.empty()

    def _set(self, function: JsProxy) -> None:
        tools = javascript.tools()
        tools.set(self._socket, tools.key, function)

    def end(self) -> None:
        tools = javascript.tools()
        tools.delete(self._socket, tools.key)
        for proxy in self._proxies:
            proxy.destroy()
