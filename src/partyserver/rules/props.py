"""Props: the JSON value that travels from the router to a room's `on_start`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from ..errors import RequestRefusedError
from .messages import ascii_json, parse_json

HEADER = "x-partykit-props"


def encode_props(props: Any) -> str:
    """The header's value: base64 of JSON, since headers are ASCII.

    Raises `TypeError` or `ValueError` for what JSON cannot hold.
    """
    return b64encode(checked_json(props).encode()).decode()


def checked_json(props: Any) -> str:
    """The JSON of props; `TypeError` or `ValueError` for what JSON cannot hold."""
    # Escaped, since half a surrogate pair has no UTF-8.
    text = ascii_json(props)
    parse_json(text)  # what the room would refuse is the caller's to know
    return text


def decode_props(header: str) -> Any:
    """Read the header, in base64 or as the plain JSON of older routers; 400 if it is neither."""
    text = header.strip()
    try:
        if not text.startswith(("{", "[")):
            text = b64decode(text, validate=True).decode()
        return parse_json(text)
    except ValueError as error:
        raise RequestRefusedError(400, f"the {HEADER} header cannot be read: {error}") from error
