"""Who a request is from, as a hook before the room has found out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RequestRefusedError
from .messages import bounded_json, parse_json

#: Where it stands in a request's `cf`, which the platform fills, and clients cannot.
#: https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties
KEY = "partyserver-auth"

#: Bytes of its JSON. It is kept with the connection, whose attachment has 16,384.
MAX_SIZE = 4096


def encode_identity(identity: Mapping[str, Any]) -> str:
    """Its JSON; `TypeError` or `ValueError` for what is too long, or what JSON cannot hold."""
    text = bounded_json(dict(identity), "an identity")
    parse_json(text)  # what the room would refuse is the hook's to know
    size = len(text.encode())
    if size > MAX_SIZE:
        raise ValueError(f"an identity has at most {MAX_SIZE} bytes of JSON, not {size}")
    return text


def check_identity(text: object) -> str | None:
    """The JSON as it came, or None if there is none; 400 for what no router of ours has sent."""
    if text is None:
        return None
    try:
        if not isinstance(text, str) or len(text) > MAX_SIZE:
            raise ValueError(f"it is no text of at most {MAX_SIZE} bytes")
        if not isinstance(parse_json(text), dict):
            raise ValueError("it is no JSON object")
    except ValueError as error:
        raise RequestRefusedError(400, f"the request's identity cannot be read: {error}") from error
    return text
