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

#: While `on_exception` runs, the id of what it is told: its own failures are not reported to it
#: again, for ever.
_reported: ContextVar[str | None] = ContextVar("reported", default=None)


def report(server: Hooks, label: str, where: str, error: BaseException) -> None:
    """Tell `on_exception`, once for each exception. `label` is the room as the log calls it."""
    if (isinstance(error, SQLError) and error.reported) or _reported.get():
        return
    failures.mark(error, f"in {where} of {label}")
    reported = _reported.set(failures.error_id(error))
    own = calls_are_own.set(True)
    try:
        if type(server).on_exception is not Hooks.on_exception:
            platform.log_error(f"{label}: {failures.summary(error)}")
        result: Any = server.on_exception(error)  # type: ignore[arg-type]
        if is_pending(result):
            tasks.run(finish(result, _log_failed, "on_exception"))
    except FAILURES as another:
        _log_failed("on_exception", another)
    finally:
        calls_are_own.reset(own)
        _reported.reset(reported)


def begin_anew() -> None:
    """Have what runs in this context report its own failures, wherever it was begun."""
    _reported.set(None)


def reported_error_id() -> str | None:
    """The id of what `on_exception` is being told, for what that logs."""
    return _reported.get()


def _log_failed(where: str, error: BaseException) -> None:
    failures.mark(error, f"in {where}")
    platform.log_error(f"{where} raised", error)
