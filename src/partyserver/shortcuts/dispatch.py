"""Messages that come to their connections past their sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pyodide.ffi import JsProxy, create_proxy

from . import javascript, received
from .box import LONG_TEXT, box

#: So many short messages after a long text, one comes by the usual way again.
_PATIENCE = 8


class Dispatch:
    """Brings a message to its connection without making a Python object of its socket.

    Making that object, and using it, took about a tenth of an echo's CPU. So each socket has a
    function of its own, which gets the message only, and JavaScript itself has a function
    that finds it: `String.prototype.split.call(options, socket, message)` is, by the
    language's definition, `socket[Symbol.split](options, message)`.

    Nobody gets the messages of a socket without such a function. So it begins only if all have
    theirs, and until then messages come with their sockets.
    """

    __slots__ = ("_boxed", "_entry", "_proxies")

    def __init__(self, entry: JsProxy) -> None:
        self._entry = entry
        self._proxies: dict[int, Any] = {}
        self._boxed: dict[int, int] = {}

    def add(self, socket: JsProxy, receive: Callable[[Any], Any]) -> None:
        """Have `receive` called with this socket's messages; it must not keep the socket alive.

        A message is a text, a buffer, or an integer: that is for `unbox`.
        """
        self.discard(socket)
        self._proxies[socket.js_id] = create_proxy(receive)
        self._have_as_it_is(socket)

    def box(self, socket: JsProxy) -> None:
        """Have this socket's next messages come by the box, since one was a long text."""
        tools, long_texts = javascript.tools(), box()
        proxy = self._proxies.get(socket.js_id)
        if proxy is None or long_texts is None or socket.js_id in self._boxed:
            return
        self._boxed[socket.js_id] = _PATIENCE
        taken_in = long_texts.before(tools.bind(tools.call, proxy, None))
        tools.set(socket, tools.key, tools.bind(tools.call_function, taken_in))

    def unbox(self, socket: JsProxy, size: int) -> str | bytes:
        """The message that came by the box."""
        long_texts = box()
        assert long_texts is not None
        content = long_texts.take(size)
        if not isinstance(content, str):
            long_texts.empty()
            return received.binary(content)
        if len(content) >= LONG_TEXT:
            self._boxed[socket.js_id] = _PATIENCE
        elif self._boxed[socket.js_id] > 1:
            self._boxed[socket.js_id] -= 1
        else:
            del self._boxed[socket.js_id]
            self._have_as_it_is(socket)
        return received.text(content, long_texts)

    def _have_as_it_is(self, socket: JsProxy) -> None:
        tools = javascript.tools()
        tools.set(socket, tools.key, tools.bind(tools.call, self._proxies[socket.js_id]))

    def discard(self, socket: JsProxy) -> None:
        proxy = self._proxies.pop(socket.js_id, None)
        self._boxed.pop(socket.js_id, None)
        if proxy is not None:
            tools = javascript.tools()
            tools.delete(socket, tools.key)
            proxy.destroy()

    def begin(self, sockets: Iterable[JsProxy]) -> None:
        """Dispatch, if all of these, which are to get messages, have their functions."""
        if all(socket.js_id in self._proxies for socket in sockets):
            self._entry.callWithOptions = javascript.tools().dispatch
