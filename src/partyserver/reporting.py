"""What happens to a failure of user code: the log, and `on_exception`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from . import tasks
from .errors import SQLError
from .hooks import Hooks
from .rules import failures
from .rules.contract import calls_are_own
from .runtime import platform
from .usercode import FAILURES, finish, is_pending

#: Set while `on_exception` runs: its own failures are not reported to it again, for ever.
_inside_on_exception: ContextVar[bool] = ContextVar("inside_on_exception", default=False)


def report(server: Hooks, label: str, where: str, error: BaseException) -> None:
    """Tell `on_exception`, once for each exception. `label` is the room as the log calls it."""
    if (isinstance(error, SQLError) and error.reported) or _inside_on_exception.get():
        return
    failures.mark(error, f"in {where} of {label}")
    if type(server).on_exception is not Hooks.on_exception:
        platform.log_error(f"{label}: {failures.summary(error)}")
    inside = _inside_on_exception.set(True)
    own = calls_are_own.set(True)
    try:
        result: Any = server.on_exception(error)  # type: ignore[arg-type]
        if is_pending(result):
            tasks.run(finish(result, _log_failed, "on_exception"))
    except FAILURES as another:
        _log_failed("on_exception", another)
    finally:
        calls_are_own.reset(own)
        _inside_on_exception.reset(inside)


def begin_anew() -> None:
    """Have what runs in this context report its own failures, wherever it was begun."""
    _inside_on_exception.set(False)


def _log_failed(where: str, error: BaseException) -> None:
    failures.mark(error, f"in {where}")
    platform.log_error(f"{where} raised\n{failures.traceback_text(error)}")
