"""The turns of JavaScript's loop for which Pyodide waits: each is an event of the platform's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextvars import Context
from importlib import import_module
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable

from .. import tasks
from ..runtime import io_context, isolate

_once: Any = create_once_callable

#: Of so many coroutines that go on at once, one waits for the loop as before: promises that follow
#: each other for ever must not keep all else from its turn.
_FAIRNESS = 64


def shorten() -> list[str]:
    """Have what follows a promise, and what enters Python, run as soon as JavaScript would.

    Pyodide waits for a timer of no time before each entry in which Python can suspend, and twice
    before a coroutine goes on whose promise has been fulfilled.
    """
    try:
        api: Any = getattr(import_module("pyodide_js"), "_api")  # noqa: B009
        helper: Any = import_module("_pyodide._future_helper")
        webloop: Any = import_module("pyodide.webloop")
        if api.scheduleCallback.js_id != webloop.scheduleCallback.js_id:
            return []
        promised = (helper.set_result.__code__, helper.set_exception.__code__)
        at_once = js.queueMicrotask.bind(js.globalThis)
        api.scheduleCallback = at_once
    except (AttributeError, ImportError, JsException):
        return []
    loop = asyncio.get_event_loop()

    count = 0

    def schedule(usual: Callable[..., asyncio.Handle]) -> Callable[..., asyncio.Handle]:
        def call_soon(
            callback: Callable[..., Any], *args: Any, context: Context | None = None
        ) -> asyncio.Handle:
            nonlocal count
            caller = sys._getframe(1).f_back
            if caller is None or caller.f_code not in promised:
                return usual(callback, *args, context=context)
            count += 1
            if count % _FAIRNESS == 0:
                return usual(callback, *args, context=context)
            handle = asyncio.Handle(callback, args, loop, context)

            def go_on() -> None:
                tasks.prepare()
                try:
                    io_context.run_handle(handle)
                except (SystemExit, KeyboardInterrupt):  # as the loop: it would end the process
                    isolate.log_exit()

            at_once(_once(go_on, _may_syncify=True))
            return handle

        return call_soon

    io_context.schedule_by(schedule)
    return ["turns"]
