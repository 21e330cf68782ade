"""What the runtime gets for an object that it has constructed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.ffi import JsException, JsProxy, create_proxy

from . import javascript, switch
from .dispatch import Dispatch

_MESSAGE = "webSocketMessage"
_EVENTS = ("webSocketClose", "webSocketError", "alarm")


def front(server: Any, receive: Callable[..., Any], *, direct: bool) -> tuple[Any, Dispatch | None]:
    """What the runtime gets for an object that it has constructed, and where its messages go.

    For each event it looks the handler up on that, several times, and calls what it finds by
    its `callWithOptions`. On a Python object the one is a call across the boundary and a new
    proxy, and the other inspects the signature, enters Python in a way that can suspend, and
    keeps the method, with the whole object, in a cache of 128.

    So it gets a JavaScript object, whose functions call `receive`: with the event's name,
    something of the runtime's, and the event's arguments; or, if messages come in `direct`,
    where Python cannot suspend, with just their socket and content. Its prototype is the Python
    object, and so for all that it does not have itself, it is that object.
    """
    if not switch.enabled:
        return server, None
    try:
        tools = javascript.tools()
        face = tools.assign(tools.object.new(), tools.members)
        proxy = create_proxy(receive)
        dispatch = None
        for event in _EVENTS if direct else (_MESSAGE, *_EVENTS):
            _set_entry(face, event, tools.bind(tools.call_promising, proxy, event))
        if direct:
            entry = tools.bind(tools.call, proxy)
            _set_entry(face, _MESSAGE, entry)
            dispatch = Dispatch(entry)
        # Last: from here on it counts as the Python object, and cannot be handed to Python.
        tools.set_prototype(face, create_proxy(server, roundtrip=False))
    except (AttributeError, JsException):
        return server, None
    return face, dispatch


def _set_entry(face: JsProxy, event: str, entry: JsProxy) -> None:
    # Called with options and the event's arguments; `call` drops the first, as its `this`.
    entry.callWithOptions = entry
    setattr(face, event, entry)
