"""What a socket remembers, handed over by one call."""

from __future__ import annotations

from collections.abc import Callable

import js
from pyodide.ffi import JsProxy

from . import builtins, switch


def writer(socket: JsProxy) -> Callable[[str], None] | None:
    """What keeps the value of a JSON text with `socket`; None where no shortcuts are taken.

    JavaScript hands the value from `JSON.parse` to the socket, and so Python makes no object of it.
    What makes one for a socket costs as much as is saved in some states.
    """
    if not switch.enabled:
        return None
    tools = builtins.tools()
    write: Callable[[str], None] = tools.pipe(
        js.JSON.parse, tools.bind(socket.serializeAttachment, socket)
    )
    return write
