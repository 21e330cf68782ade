"""The runtime's log, in which each line has a level, and `logging`, whose records have one, too.

What is written to stderr, the runtime logs as an error, line by line. So the handlers of `logging`
that write there, the one for records that have no other among them, write to JavaScript's console
instead, one entry for each record. Their formatters, filters and levels stay.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import js

from ..rules.levels import method_of

_PLATFORM: str = sys.platform
#: Elsewhere, a worker's module is only looked at, and JavaScript's console is a stand-in.
_IS_RUNTIME = _PLATFORM == "emscripten"


def write(level: int, text: str) -> None:
    """Log an entry, with a level of `logging`'s."""
    if _IS_RUNTIME:
        getattr(js.console, method_of(level))(text)
    else:
        print(text, file=sys.stderr)


def is_written_by(handler: logging.Handler) -> bool:
    """Whether a handler writes to stderr or stdout, which is the runtime's log."""
    stream = getattr(handler, "stream", None)
    if stream is None:
        return False
    return any(stream is one for one in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__))


def _install() -> None:
    usual = logging.StreamHandler.emit

    def emit(self: Any, record: logging.LogRecord) -> None:
        if not is_written_by(self):
            usual(self, record)
            return
        try:
            write(record.levelno, self.format(record))
        except RecursionError:  # as the original does
            raise
        except Exception:
            self.handleError(record)

    logging.StreamHandler.emit = emit  # type: ignore[method-assign]
    if logging.lastResort is not None:
        logging.lastResort.setLevel(logging.NOTSET)  # the loggers' own levels decide
    show_info()


def show_info() -> None:
    """Have records be shown from INFO on, unless somebody has configured the root logger.

    Python's default, WARNING, is for programs whose stderr somebody reads. This log has levels.
    """
    root = logging.getLogger()
    # `logging.info()` and the like give it a handler, too, and then ask it for its level, which it
    # remembers. `basicConfig(level=...)` has it forget.
    is_configured = root.handlers and not getattr(root, "_cache", None)
    if root.level == logging.WARNING and not is_configured:
        root.setLevel(logging.INFO)


if _IS_RUNTIME:
    _install()
