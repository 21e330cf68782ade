"""What the platform has for everybody: the log, random numbers, the worker's bindings."""

from __future__ import annotations

import logging
from collections.abc import Callable

import js
from pyodide.ffi import JsProxy
from workers import import_from_javascript

from ..rules.failures import traceback_text
from . import console


def random_fraction() -> float:
    # Python's `random` draws entropy when it is imported, which a snapshot forbids.
    return float(js.Math.random())


# --- the library's own lines of the log ------------------------------------------------

#: Called with a level of `logging`'s, a text, and what has failed, if anything has.
Log = Callable[[int, str, BaseException | None], None]


def _log_to_console(level: int, text: str, error: BaseException | None) -> None:
    if error is not None:
        traceback = traceback_text(error)
        text = f"{text}\n{traceback}" if text else traceback
    console.write(level, text)


_log: Log = _log_to_console


def log_by(log: Log) -> None:
    """Have something else log the library's own lines."""
    global _log
    _log = log


def log_error(text: str, error: BaseException | None = None) -> None:
    """Log a text, and below it the traceback of what has failed."""
    _log(logging.ERROR, text, error)


def log_failure(error: BaseException) -> None:
    """Log the traceback of what has failed, of which that says all."""
    _log(logging.ERROR, "", error)


def log_warning(text: str) -> None:
    _log(logging.WARNING, text, None)


def log_info(text: str) -> None:
    _log(logging.INFO, text, None)


def log_debug(text: str) -> None:
    _log(logging.DEBUG, text, None)


# --- the worker's bindings -------------------------------------------------------------


def worker_env() -> JsProxy:
    """The worker's own bindings."""
    return import_from_javascript("cloudflare:workers").env  # type: ignore[no-any-return]


#: Called with the bindings; None when that is over.
_readers: list[Callable[[JsProxy], None]] | None = []


def read_variables(reader: Callable[[JsProxy], None]) -> None:
    """Have `reader` called with the worker's bindings, which cannot be read at import.

    That is before the first event, or now, if that has come.
    """
    if _readers is None:
        reader(worker_env())
    elif reader not in _readers:
        _readers.append(reader)


def event_comes() -> None:
    """The first event comes, or another one."""
    global _readers
    readers, _readers = _readers, None
    for reader in readers or ():
        reader(worker_env())
