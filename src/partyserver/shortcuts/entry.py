"""What the runtime gets for an object that it has constructed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.ffi import JsException, JsProxy, create_proxy

from . import builtins, switch
from .dispatch import Dispatch

_MESSAGE = "webSocketMessage"
_EVENTS = ("webSocketClose", "webSocketError", "alarm")


def entry(
    server: Any,
    message_arrived: Callable[[JsProxy, Any], Any],
    event_arrived: Callable[..., Any],
    *,
    direct: bool,
) -> tuple[Any, Dispatch | None]:
    """The object for the runtime, and what may bring its messages without their sockets.

    For each event the runtime looks the handler up on the object, several times, and calls what it
    finds by its `callWithOptions`. On a Python object the look-up is a call across the boundary and
    a new proxy, and the call inspects the signature, enters Python in a way that can suspend, and
    keeps the method, with the whole object, in a cache of 128.

    So it gets a JavaScript object with functions for the events. They call `event_arrived` with the
    handler's name, the runtime's options and the event's arguments; if messages come in `direct`,
    where Python cannot suspend, these call `message_arrived(socket, content)`. The prototype is the
    Python object, and so it stands for that in all else.
    """
    if not switch.enabled:
        return server, None
    try:
        tools = builtins.tools()
        face = tools.assign(tools.object.new(), tools.members)
        others = create_proxy(event_arrived)
        dispatch = None
        for event in _EVENTS if direct else (_MESSAGE, *_EVENTS):
            _set_handler(face, event, tools.bind(tools.call_promising, others, event))
        if direct:
            on_message = tools.bind(tools.call, create_proxy(message_arrived))
            _set_handler(face, _MESSAGE, on_message)
            dispatch = Dispatch(on_message)
        # Last: from here on it counts as the Python object, and cannot be handed to Python.
        tools.set_prototype(face, create_proxy(server, roundtrip=False))
    except (AttributeError, JsException):
        return server, None
    return face, dispatch


def _set_handler(face: JsProxy, event: str, handler: JsProxy) -> None:
    # Called with options and the event's arguments; `call` takes the first for its `this`.
    handler.callWithOptions = handler
    setattr(face, event, handler)
