"""The turns of JavaScript's loop that Pyodide takes: each is an event of the platform's of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextvars import Context
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable

from .. import tasks
from ..runtime import io_context


def shorten() -> list[str]:
    """Have what follows a promise, and what enters Python, run as soon as JavaScript would.

    Pyodide waits for a timer of no time before each entry in which Python can suspend, and twice
    before a coroutine goes on whose promise has been fulfilled.
    """
    try:
        import pyodide_js
        from _pyodide import _future_helper
        from pyodide import webloop

        api: Any = pyodide_js._api
        if api.scheduleCallback.js_id != webloop.scheduleCallback.js_id:
            return []
        at_once = js.queueMicrotask.bind(js.globalThis)
        api.scheduleCallback = at_once
        promised = (_future_helper.set_result.__code__, _future_helper.set_exception.__code__)
    except (AttributeError, ImportError, JsException):
        return []
    usual = io_context._call_soon
    loop = asyncio.get_event_loop()

    def call_soon(
        callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        caller = sys._getframe(1).f_back
        if caller is None or caller.f_code not in promised:
            return usual(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, loop, context)

        def go_on() -> None:
            tasks.prepare()
            if not handle._cancelled:
                handle._run()

        at_once(create_once_callable(go_on, _may_syncify=True))
        return handle

    io_context._call_soon = call_soon
    return ["turns"]
