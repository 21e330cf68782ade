"""An entry of the log, as a person reads it."""

from __future__ import annotations

import json
import re

#: The field with the comma before it. In a string of JSON, its quotes could not stand like this.
_EXCEPTION = re.compile(r',\s*"exception":\s*("(?:[^"\\]|\\.)*")')


def readable(message: str) -> str:
    """The entry; of a JSON object, the field `exception` follows in lines of its own."""
    found = _EXCEPTION.search(message) if message.startswith("{") else None
    if found is None:
        return message
    try:
        fields, exception = json.loads(message), json.loads(found[1])
    except (ValueError, RecursionError):
        return message
    if fields.get("exception") != exception:  # that of an object within
        return message
    lines = ("".join(map(_visible, line)) for line in exception.split("\n"))
    return "\n  ".join([message[: found.start()] + message[found.end() :], *lines])


def _visible(character: str) -> str:
    """Much in a log is what clients have sent: nothing of it moves the cursor of a terminal."""
    if character.isprintable() or character == "\t":
        return character
    return f"\\u{ord(character):04x}"
