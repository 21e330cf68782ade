"""A message to many sockets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import js
from pyodide.ffi import JsProxy

from . import builtins, switch
from .copying import holder
from .current import HELD

#: Characters. Shorter texts stay until the next one comes: to drop them is a call for each.
_MUCH_TO_KEEP = 1024


class Fanout:
    """Sends one message to many sockets in a single call into JavaScript.

    A call across the boundary per socket costs more than the platform's `send` itself. So
    the sockets are the keys of a JavaScript Map whose values are `WebSocket.prototype.send`,
    and the Map doubles as the list of arguments: `map.forEach(Reflect.apply)` calls
    `Reflect.apply(send, socket, map)` for each, and that is `socket.send(map[0])`.
    """

    __slots__ = ("_apply", "_delete", "_for_each", "_map", "_put", "_put_held", "_send", "_set")

    def __init__(self) -> None:
        self._map = js.Map.new()
        self._map.length = 1
        self._send, self._apply = _functions()
        self._for_each = self._map.forEach
        self._set = self._map.set
        self._put = builtins.tools().bind(js.Reflect.set, None, self._map, "0")
        self._delete = self._map.delete
        self._put_held: JsProxy | None = None

    def add(self, socket: JsProxy) -> None:
        self._set(socket, self._send)

    def discard(self, socket: JsProxy) -> None:
        self._delete(socket)

    def send(self, payload: Any) -> None:
        """Send to all, in the order they were added; the first failure ends it."""
        if payload is HELD:
            if self._put_held is None:
                fill = builtins.tools().member(js.Array.prototype, "fill")
                arguments = (self._apply, None, fill, self._map, holder().array)
                self._put_held = builtins.tools().bind(*arguments)
            self._put_held()
        else:
            self._put(payload)
        try:
            self._for_each(self._apply)
        finally:
            if type(payload) is not str or len(payload) > _MUCH_TO_KEEP:
                self._put(None)

    def __iter__(self) -> Iterator[JsProxy]:
        return iter(js.Array.new(*self._map.keys()))


@cache
def _functions() -> tuple[JsProxy, JsProxy]:
    return js.WebSocket.prototype.send, js.Reflect.apply


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
