"""Props: the JSON value that travels from the router to a room's `on_start`."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from .errors import RequestRefusedError

HEADER = "x-partykit-props"


def encode_props(props: Any) -> str:
    """The header's value: base64 of UTF-8 JSON, since headers are ASCII."""
    return b64encode(json.dumps(props, ensure_ascii=False).encode()).decode()


def decode_props(header: str) -> Any:
    """Read the header, in base64 or as the plain JSON of older routers; 400 if it is neither."""
    text = header.strip()
    try:
        if not text.startswith(("{", "[")):
            text = b64decode(text, validate=True).decode()
        return json.loads(text)
    except ValueError as error:
        raise RequestRefusedError(400, f"the {HEADER} header cannot be read: {error}") from error
