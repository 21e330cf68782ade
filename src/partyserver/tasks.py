"""Coroutines that run at once, up to where they first suspend; often that is their end."""

from __future__ import annotations

import asyncio
import sys
from asyncio import Task, _get_running_loop
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

_unfinished: set[Task[Any]] = set()


class AtOnce:
    """What to do when a task has ended, which need not wait for a turn of the event loop."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[Task[Any]], object]) -> None:
        self._function = function

    def __call__(self, task: Task[Any]) -> None:
        self._function(task)


def prepare() -> Any:
    """Have Python's thread state know the event loop, which is returned.

    Pyodide does this where its loop calls Python. Calls from JavaScript can have a thread state
    of their own, to which it has not been done.
    """
    loop: Any = _get_running_loop()
    if loop is None:
        loop = asyncio.get_event_loop()
        asyncio._set_running_loop(loop)
    if sys.get_asyncgen_hooks().firstiter is None:
        loop._install_asyncgen_hooks()
    return loop


def start(coroutine: Coroutine[Any, Any, Any], context: Context | None = None) -> Task[Any]:
    """Run a coroutine, and hold nothing: what it waits for has to.

    Only the constructor honours `eager_start` in Pyodide 314, `loop.create_task` does not.
    """
    return Task(coroutine, loop=prepare(), eager_start=True, context=context)  # type: ignore[call-arg]


def run(coroutine: Coroutine[Any, Any, Any], context: Context | None = None) -> Task[Any]:
    """Run a coroutine, and hold the task until it ends: asyncio itself holds tasks weakly."""
    return _held(start(coroutine, context))


def run_prepared(coroutine: Coroutine[Any, Any, Any]) -> Task[Any]:
    """`run`, with less to ask, where `prepare` has been called before."""
    loop = _get_running_loop() or prepare()
    task = Task(coroutine, loop=loop, eager_start=True)  # type: ignore[call-arg]
    return task if task.done() else _held(task)


_let_go = AtOnce(_unfinished.discard)


def _held(task: Task[Any]) -> Task[Any]:
    if not task.done():
        _unfinished.add(task)
        task.add_done_callback(_let_go)
    return task
