"""What the platform has for everybody: the log, random numbers, the worker's bindings."""

from __future__ import annotations

import js
from pyodide.ffi import JsProxy
from workers import import_from_javascript


def random_fraction() -> float:
    # Python's `random` draws entropy when it is imported, which a snapshot forbids.
    return float(js.Math.random())


def log_error(text: str) -> None:
    js.console.error(text)


def log_warning(text: str) -> None:
    js.console.warn(text)


def log_info(text: str) -> None:
    js.console.log(text)


def log_debug(text: str) -> None:
    js.console.debug(text)


def worker_env() -> JsProxy:
    """The worker's own bindings."""
    return import_from_javascript("cloudflare:workers").env  # type: ignore[no-any-return]
