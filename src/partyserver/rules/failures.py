"""What the log and the client are told when a hook has failed."""

from __future__ import annotations

import json
import traceback

from ..errors import RequestRefusedError
from .names import new_error_id

PUBLIC_MESSAGE = "Internal error"

_NOTE = "error id: "


def error_id(error: BaseException) -> str:
    """The id of a failure, the same each time it is asked for.

    It is kept as a note on the exception, so every traceback that is logged shows it.
    """
    for note in getattr(error, "__notes__", ()):
        if note.startswith(_NOTE):
            return str(note[len(_NOTE) :])
    new_id = new_error_id()
    _add_note(error, _NOTE + new_id)
    return new_id


def mark(error: BaseException, where: str) -> None:
    """Note on a failure where it happened, and its id; once, if it is raised again."""
    if not any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
        _add_note(error, where)
        error_id(error)


def _add_note(error: BaseException, note: str) -> None:
    try:
        error.add_note(note)
    except AttributeError:  # a frozen dataclass
        object.__setattr__(error, "__notes__", [note])


def summary(error: BaseException) -> str:
    """One line for the log, for when the user's own `on_exception` reports the rest."""
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be had)"
    return f"{type(error).__name__}: {text} (error id {error_id(error)})"


def traceback_text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def answer(error: BaseException, *, debug: bool) -> tuple[int, str]:
    """The HTTP status and the text for the client: an id, and details only for debugging."""
    if isinstance(error, RequestRefusedError):
        return error.status, str(error)
    if debug:
        error_id(error)
        return 500, traceback_text(error)
    return 500, f"{PUBLIC_MESSAGE} (error id {error_id(error)})"


def frame(error: BaseException, *, debug: bool) -> str:
    """The JSON text frame that a client gets when its upgrade failed."""
    payload = {"error": PUBLIC_MESSAGE, "id": error_id(error)}
    if debug:
        payload["details"] = traceback_text(error)
    return json.dumps(payload)
