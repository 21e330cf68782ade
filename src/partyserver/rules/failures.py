"""What the log and the client are told when a hook has failed."""

from __future__ import annotations

import json
import traceback
from typing import Any

from ..errors import ClientError, RequestRefusedError
from .messages import compact_json
from .names import new_error_id

PUBLIC_MESSAGE = "Internal error"

_NOTE = "error id: "


def error_id(error: BaseException) -> str:
    """The id of a failure, the same each time it is asked for.

    It is kept as a note on the exception, so every traceback that is logged shows it.
    """
    known = known_id(error)
    if known is None:
        known = new_error_id()
        _add_note(error, _NOTE + known)
    return known


def mark(error: BaseException, where: str) -> None:
    """Note on a failure where it happened, and its id; once, if it is raised again."""
    if known_id(error) is None:
        _add_note(error, where)
        error_id(error)


def known_id(error: BaseException) -> str | None:
    """The id of a failure that has been reported, or None."""
    for note in _notes(error):
        if isinstance(note, str) and note.startswith(_NOTE):
            return note[len(_NOTE) :]
    return None


# Past the exception's own code, which may refuse notes, or fail when it is asked for them.


def _notes(error: BaseException) -> list[Any]:
    notes = object.__getattribute__(error, "__dict__").get("__notes__")
    return notes if isinstance(notes, list) else []


def _add_note(error: BaseException, note: str) -> None:
    object.__getattribute__(error, "__dict__")["__notes__"] = [*_notes(error), note]


def summary(error: BaseException) -> str:
    """One line for the log, for when the user's own `on_exception` reports the rest."""
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be had)"
    return f"{type(error).__name__}: {text} (error id {error_id(error)})"


def traceback_text(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(error)).rstrip()
    except Exception:
        text = f"{type(error).__name__} (its text cannot be had)"
    known = known_id(error)
    return text if known is None or known in text else f"{text}\n{_NOTE}{known}"


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


def client_json(error: ClientError) -> str:
    """The body of the response that tells a client what a hook has to say."""
    return compact_json(_told(error))


def client_frame(error: ClientError) -> str:
    """The same as a frame for its WebSocket."""
    return compact_json({"type": "error", **_told(error)})


def _told(error: ClientError) -> dict[str, Any]:
    told: dict[str, Any] = {"error": error.message}
    if error.code is not None:
        told["code"] = error.code
    return told
