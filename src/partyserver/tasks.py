"""Coroutines that run at once, up to where they first suspend; often that is their end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

_unfinished: set[asyncio.Task[Any]] = set()


def start(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Run a coroutine, and hold nothing: what it waits for has to.

    Only the constructor honours `eager_start` in Pyodide 314, `loop.create_task` does not.
    """
    loop: Any = asyncio._get_running_loop()
    # Pyodide does this where its loop calls Python. Calls from JavaScript can have a thread
    # state of their own, to which it has not been done.
    if loop is None:
        loop = asyncio.get_event_loop()
        asyncio._set_running_loop(loop)
    if sys.get_asyncgen_hooks().firstiter is None:
        loop._install_asyncgen_hooks()
    return asyncio.Task(coroutine, loop=loop, eager_start=True)  # type: ignore[call-arg]


def run(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Run a coroutine, and hold the task until it ends: asyncio itself holds tasks weakly."""
    task = start(coroutine)
    if not task.done():
        _unfinished.add(task)
        task.add_done_callback(_unfinished.discard)
    return task
