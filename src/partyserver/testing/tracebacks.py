"""Failures as the user reads them: their own lines, and not those of the kit below."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_KIT = str(Path(__file__).parent) + os.sep
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_STANDARD = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))


def shorten(error: BaseException) -> bool:
    """Take the kit's frames out of a failure, and those of the libraries that it uses.

    Exceptions that were raised below the kit are no more shown as causes. What a test's own code
    has raised, in a callback of the kit's or before, stays.

    Returns:
        Whether a line of the user's is left to show; `True` also where the kit has no part in it.
    """
    return _shorten(error, set())


def _shorten(error: BaseException, seen: set[int]) -> bool:
    seen.add(id(error))
    frames = list(_walk(error.__traceback__))
    kept = list(_without_kit(frames))
    is_ours = len(kept) < len(frames)
    if is_ours:
        error.__traceback__ = _joined(kept)
        _hide_causes(error)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            if id(one) not in seen:
                _shorten(one, seen)
    cause = _cause_of(error)
    if cause is not None and id(cause) not in seen:
        _shorten(cause, seen)
    return not is_ours or any(_is_users(frame) for frame in kept)


def _hide_causes(error: BaseException) -> None:
    """The nearest cause that a line of the user's has a part in is the one that is shown.

    What the kit and its libraries raise `from None` hides more than what is below them.
    """
    passed = {id(error)}
    cause = error.__cause__ or error.__context__
    while cause is not None and not any(map(_is_users, _walk(cause.__traceback__))):
        passed.add(id(cause))
        cause = cause.__cause__ or cause.__context__
        if id(cause) in passed:
            cause = None
    if cause is not error.__cause__ or cause is None:
        error.__cause__ = None
        error.__context__ = cause
        error.__suppress_context__ = cause is None


def _cause_of(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _walk(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _without_kit(frames: list[TracebackType]) -> Iterator[TracebackType]:
    inside = False
    for frame in frames:
        inside = _is_kits(frame) or (inside and not _is_users(frame))
        if not inside:
            yield frame


def _is_kits(frame: TracebackType) -> bool:
    return frame.tb_frame.f_code.co_filename.startswith(_KIT)


def _is_users(frame: TracebackType) -> bool:
    file = frame.tb_frame.f_code.co_filename
    return not (
        file.startswith((_KIT, *_STANDARD, "<")) or any(folder in file for folder in _PACKAGES)
    )


def _joined(frames: list[TracebackType]) -> TracebackType | None:
    joined = None
    for frame in reversed(frames):
        joined = TracebackType(joined, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return joined
