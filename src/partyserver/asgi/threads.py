"""Plain functions in an app, where there are no threads to run them in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def run_inline() -> None:
    """Have Starlette and FastAPI call plain functions in place: `def` routes, dependencies, files.

    The SDK does this for what is imported while the worker starts, and not for what a request
    imports.
    """
    to_thread: Any = sys.modules.get("anyio.to_thread")
    if to_thread is not None and to_thread.run_sync.__module__ == to_thread.__name__:
        to_thread.run_sync = _run_sync


async def _run_sync(function: Callable[..., Any], *arguments: Any, **_options: Any) -> Any:
    return function(*arguments)
