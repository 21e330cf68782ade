"""A message to many sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import js
from pyodide.ffi import JsProxy

from . import builtins, switch
from .copying import holder
from .current import HELD


class Fanout:
    """Sends one message to many sockets in a single call into JavaScript.

    A call across the boundary per socket costs more than the platform's `send` itself. So
    the sockets are the keys of a JavaScript Map whose values are `WebSocket.prototype.send`,
    and the Map doubles as the list of arguments: `map.forEach(Reflect.apply)` calls
    `Reflect.apply(send, socket, map)` for each, and that is `socket.send(map[0])`.
    """

    __slots__ = ("_apply", "_delete", "_fill", "_for_each", "_map", "_send", "_set")

    def __init__(self) -> None:
        self._map = js.Map.new()
        self._map.length = 1
        self._send = js.WebSocket.prototype.send
        self._apply = js.Reflect.apply
        self._for_each = self._map.forEach
        self._set = self._map.set
        self._delete = self._map.delete
        tools = builtins.tools()
        fill = tools.member(js.Array.prototype, "fill")
        self._fill = tools.bind(self._apply, None, fill, self._map, holder().array)

    def add(self, socket: JsProxy) -> None:
        self._set(socket, self._send)

    def discard(self, socket: JsProxy) -> None:
        self._delete(socket)

    def send(self, payload: Any) -> None:
        """Send to all, in the order they were added; the first failure ends it."""
        if payload is HELD:
            self._fill()
        else:
            setattr(self._map, "0", payload)
        try:
            self._for_each(self._apply)
        finally:
            setattr(self._map, "0", None)

    def __iter__(self) -> Iterator[JsProxy]:
        return iter(js.Array.new(*self._map.keys()))


class Loop:
    """What `Fanout` does, by a call for each socket."""

    __slots__ = ("_sockets",)

    def __init__(self) -> None:
        self._sockets: dict[int, JsProxy] = {}

    def add(self, socket: JsProxy) -> None:
        self._sockets[socket.js_id] = socket

    def discard(self, socket: JsProxy) -> None:
        self._sockets.pop(socket.js_id, None)

    def send(self, payload: Any) -> None:
        for socket in self:
            socket.send(payload)

    def __iter__(self) -> Iterator[JsProxy]:
        return iter(list(self._sockets.values()))


def fanout() -> Fanout | Loop:
    return Fanout() if switch.enabled else Loop()
