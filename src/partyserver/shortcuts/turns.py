"""The turns of JavaScript's loop for which Pyodide waits: each is an event of the platform's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextvars import Context
from importlib import import_module
from itertools import count
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from .. import tasks
from ..runtime import io_context, isolate
from . import builtins

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
        # By `js_id`, one that was restored from a start-up snapshot is another.
        if not getattr(js.Object, "is")(api.scheduleCallback, webloop.scheduleCallback):
            return []
        promised = (helper.set_result.__code__, helper.set_exception.__code__)
        tools = builtins.tools()
        resume = _resumption(tools)
        # It resolves a promise, and what awaits that has its turn by itself.
        api.scheduleCallback = tools.bind(tools.call_function, tools.call_function)
    except (AttributeError, ImportError, JsException):
        return []
    loop = asyncio.get_event_loop()
    numbers = count(1)

    def schedule(usual: Callable[..., asyncio.Handle]) -> Callable[..., asyncio.Handle]:
        def call_soon(
            callback: Callable[..., Any], *args: Any, context: Context | None = None
        ) -> asyncio.Handle:
            caller = sys._getframe(1).f_back
            if caller is None or caller.f_code not in promised:
                return usual(callback, *args, context=context)
            number = next(numbers)
            if number % _FAIRNESS == 0:
                return usual(callback, *args, context=context)
            handle = _waiting[number] = asyncio.Handle(callback, args, loop, context)
            resume(number)
            return handle

        return call_soon

    io_context.schedule_by(schedule)
    return ["turns"]


#: What is to go on, by the number that JavaScript has for it.
_waiting: dict[int, asyncio.Handle] = {}


def _resumption(tools: builtins.Tools) -> JsProxy:
    """A function that enters Python in a turn of its own, in which Python can suspend."""
    enter = tools.bind(tools.call_promising, create_proxy(_go_on))
    # Of the promise that it returns, nobody needs a Python object.
    return tools.pipe(enter, js.Array.isArray)


def _go_on(number: int, _: int) -> None:
    tasks.prepare()
    try:
        io_context.run_handle(_waiting.pop(number))
    except (SystemExit, KeyboardInterrupt):  # as the loop: it would end the process
        isolate.log_exit()
