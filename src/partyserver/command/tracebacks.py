"""A worker's failure as its author wants to see it: their own lines, then the error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from traceback import TracebackException

IsOwn = Callable[[str], bool]


def told(error: BaseException, is_own: IsOwn) -> str:
    """The traceback, of which `is_own` says by a module's path whether a line is the user's own."""
    whole = TracebackException.from_exception(error)
    _shorten(whole, is_own, set())
    return "".join(whole.format()).rstrip()


def _shorten(told: TracebackException, is_own: IsOwn, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    told.stack[:] = [frame for frame in told.stack if is_own(frame.filename)]
    for frame in told.stack:
        frame.filename = _relative(frame.filename)
    if isinstance(filename := getattr(told, "filename", None), str):
        told.filename = _relative(filename)
    for other in (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ())):
        if other is not None:
            _shorten(other, is_own, seen)


def _relative(filename: str) -> str:
    """From the current folder, if it is in there."""
    try:
        path = Path(filename).relative_to(Path.cwd())
    except (ValueError, OSError):
        return filename
    return os.fspath(path)
