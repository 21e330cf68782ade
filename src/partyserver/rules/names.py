"""Names on the wire: of parties (Durable Object bindings) and of connections."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode

from ..errors import RequestRefusedError
from .tags import MAX_TAG_SIZE, tag_size

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def kebab_case(binding: str) -> str:
    """The name that a binding has in URLs: `MyServer`, `MY_SERVER`, `myServer` -> `my-server`."""
    if binding.upper() == binding and binding.lower() != binding:
        return binding.lower().replace("_", "-")
    dashed = re.sub(r"[A-Z]", lambda letter: "-" + letter[0].lower(), binding)
    return dashed.removeprefix("-").replace("_", "-").removesuffix("-")


def snake_case(name: str) -> str:
    """The `type` that an event has by its class: `PlayerMoved` -> `player_moved`.

    Capitals in a row are one word but for the last, if a small letter follows: `HTTPError` ->
    `http_error`. A digit ends a word: `Move2D` -> `move2_d`.
    """
    words = ""
    for before, letter, after in zip(" " + name, name, name[1:] + " ", strict=False):
        if letter.isupper() and (
            before.islower() or before.isdigit() or (before.isupper() and after.islower())
        ):
            words += "_"
        words += letter.lower()
    return words


def new_connection_id() -> str:
    """A URL-safe id of 128 random bits."""
    return urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def new_error_id() -> str:
    """Eight hexadecimal digits: enough to find one failure in a log."""
    return os.urandom(4).hex()


def check_connection_id(connection_id: str) -> str:
    """Return a client's choice of id, which becomes a tag, or refuse it with 400."""
    size = tag_size(connection_id)
    if size > MAX_TAG_SIZE:
        raise RequestRefusedError(
            400, f"_pk is {size} bytes long; a connection id has at most {MAX_TAG_SIZE}"
        )
    if _CONTROL_CHARACTER.search(connection_id):
        raise RequestRefusedError(400, "_pk holds a control character")
    return connection_id
