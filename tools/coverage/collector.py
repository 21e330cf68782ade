"""Tells which lines of partyserver a worker has executed. It runs inside the worker under test.

preload.cjs hands this module to the runtime beside the user's own. Each line is told once: its
event is switched off when it has come, so that what runs again runs as fast as ever.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

import js
from pyodide.ffi import create_once_callable

#: How a record begins that preload.cjs takes out of the log.
MARK = "partyserver-coverage:"

_LIBRARY = "/python_modules/partyserver/"
#: The module that the testing kit adds to a worker, and where it comes from.
_PROBE = "/_partyserver_testing_probe.py"
_PROBES_SOURCE = "testing/probe.py"

_monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # of Python 3.12
_TOOL = _monitoring.COVERAGE_ID

#: After so many lines it is asked again to tell them: an object that is aborted may take the first
#: request with it, and nothing of its isolate would be told from then on.
_AGAIN = 50

#: What was executed since the last record: a file of the library, and a line.
_untold: list[str] = []


def start() -> None:
    """Measure all that is executed from now on."""
    events = _monitoring.events
    _monitoring.use_tool_id(_TOOL, "partyserver-coverage")
    _monitoring.register_callback(_TOOL, events.PY_START, _enter)
    _monitoring.register_callback(_TOOL, events.LINE, _execute)
    _monitoring.set_events(_TOOL, events.PY_START)


def _enter(code: CodeType, _offset: int) -> Any:
    if _source(code):
        _monitoring.set_local_events(_TOOL, code, _monitoring.events.LINE)
    return _monitoring.DISABLE


def _execute(code: CodeType, line: int) -> Any:
    if len(_untold) % _AGAIN == 0:
        # When Python has handed over to JavaScript: neither a task nor a timer, which a room
        # might wait for, and nothing is left untold when the room or the runtime ends.
        js.queueMicrotask(create_once_callable(_tell))
    _untold.append(f"{_source(code)}:{line}")
    return _monitoring.DISABLE


def _source(code: CodeType) -> str:
    """The file in the library; empty for all others."""
    if code.co_filename.endswith(_PROBE):
        return _PROBES_SOURCE
    return code.co_filename.partition(_LIBRARY)[2]


def _tell() -> None:
    if _untold:
        js.console.log(MARK + " ".join(_untold))
        _untold.clear()
