"""What is stored of a document: bytes in rows, each as long as a row may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from ..errors import PartyServerError
from . import updates
from .coding import MalformedError
from .updates import Update

T = TypeVar("T")

#: Bytes of a row. SQLite here has at most 2 MB:
#: https://developers.cloudflare.com/durable-objects/platform/limits/
MAX_ROW = 1_000_000


def parts(data: bytes) -> Iterable[bytes]:
    return (data[start : start + MAX_ROW] for start in range(0, len(data), MAX_ROW))


def decode(record: bytes) -> Update:
    return stored(partial(updates.decode, bounded=False), record)


def stored(read: Callable[[bytes], T], kept: bytes) -> T:
    """Read what has been stored here. If that fails, it is no fault of who has sent something."""
    try:
        return read(kept)
    except MalformedError as error:
        raise PartyServerError(f"what is stored of the document cannot be read: {error}") from error
