"""What a client is told of a text that is no event."""

from __future__ import annotations

import json
import re

from .messages import compact_json, well_formed

#: Characters. A shorter text is neither nested too deeply nor holds a number that is too large.
SHORT = 300

#: Characters of what is wrong, and of its path. Both may hold what the client has sent.
MOST_OF_AN_ERROR = 200
#: A longer `type` is not sent back.
LONGEST_TYPE = 100

#: The value of `type` in error frames, which no event may have.
ERROR = "error"


def error_frame(error: str, event: str | None) -> str:
    """The frame for the sender; `event` is the `type` that was sent."""
    frame = {"type": ERROR, "error": error}
    if event is not None and len(event) <= LONGEST_TYPE:
        frame["event"] = event
    return compact_json(frame)


def refusal(error: ValueError) -> str:
    """What is wrong with a text, and where, from what the decoder has said of it."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    told = str(error)
    if len(told) > 4 * MOST_OF_AN_ERROR:  # the path is at its end
        told = f"{told[:MOST_OF_AN_ERROR]}…{told[-2 * MOST_OF_AN_ERROR :]}"
    found = _PATH.fullmatch(told)
    what, key, path = found.groups() if found else (told, None, "$")
    if not found and (malformed := _MALFORMED.fullmatch(told)):
        return f"not JSON: {malformed[1] or 'it ends too early'}"
    if missing := _MISSING.fullmatch(what):
        return f"{_shortened(f'{path}.{missing[1]}')}: missing"
    return f"{_shortened(f'a key of {path}' if key else path)}: {_shortened(what)}"


def unknown_event(event: str) -> str:
    return f"$.type: there is no event {_shortened(repr(event[:MOST_OF_AN_ERROR]))}"


# As msgspec says it.
_PATH = re.compile(r"(.*) - at `(key` in `)?(\$[^`]*)`", re.DOTALL)
_MALFORMED = re.compile(r"JSON is malformed: (.*)|Input data was truncated", re.DOTALL)
_MISSING = re.compile("Object missing required field `([^`]*)`")


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_OF_AN_ERROR else f"{text[: MOST_OF_AN_ERROR - 1]}…"


def without_halves(text: str) -> str:
    """JSON with U+FFFD for each half of a surrogate pair, also where it is escaped.

    Browsers escape a half, as of a text that was cut inside an emoji, and decoders refuse it. A
    text of more than 65,536 characters stays as it is: its escapes would take too long.
    """
    if len(text) > _LONGEST_MENDED:
        return text
    return _ESCAPES.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], well_formed(text))


_LONGEST_MENDED = 65_536
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # a half
    r"|\\."
)
