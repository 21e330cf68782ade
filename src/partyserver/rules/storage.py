"""What a room's key-value storage takes: keys, values and their limits.

https://developers.cloudflare.com/durable-objects/platform/limits/
"""

from __future__ import annotations

from typing import Any

from .cloning import MAX_SAFE_INTEGER, STORED, copy, size

#: In bytes of UTF-8.
MAX_KEY_SIZE = 2048
#: Of a value with its key, in bytes as the platform serializes them.
MAX_SIZE = 2 * 1024 * 1024

#: Where npm partyserver keeps the name of an object that was not addressed by name.
NAME_KEY = "__ps_name"


def size_of_key(key: Any) -> int:
    """The bytes of a key; `TypeError` for what is none."""
    if not isinstance(key, str):
        raise TypeError(f"a storage key is a str, not {type(key).__name__}: {key!r}")
    return len(key) if key.isascii() else len(key.encode(errors="surrogatepass"))


def is_possible_key(key: Any) -> bool:
    """Whether something may be stored under a key; `TypeError` for what is no `str`."""
    if type(key) is str and key.isascii():  # all that the rest says, for most keys
        return 0 < len(key) <= MAX_KEY_SIZE and key != NAME_KEY
    return 0 < size_of_key(key) <= MAX_KEY_SIZE and key != NAME_KEY and _is_unicode(key)


def checked_key(key: Any) -> str:
    """The key, to store something under; `TypeError` and `ValueError` for others."""
    if is_possible_key(key):
        return str.__str__(key)
    length = size_of_key(key)
    if not length:
        raise ValueError("a storage key is not empty")
    if length > MAX_KEY_SIZE:
        raise ValueError(
            f"the storage key {key[:50]!r}... is {length} bytes, and the limit is {MAX_KEY_SIZE} "
            "bytes"
        )
    if key == NAME_KEY:
        raise ValueError(f"{NAME_KEY!r} is where the room's name is kept: take another key")
    raise ValueError(f"the storage key {key!r} has half a surrogate pair, which UTF-8 has not")


def _is_unicode(key: str) -> bool:
    if key.isascii():
        return True
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_value(key: str, value: Any) -> Any:
    """A copy of a value as it will be read back, to be stored under the key."""
    copied = copy(value, STORED)
    taken = size_of_key(key) + size(copied)
    if taken > MAX_SIZE:
        raise ValueError(
            f"the value of {key[:50]!r} is {taken} bytes with its key, and the limit is {MAX_SIZE} "
            "bytes; keep what is larger in several"
        )
    return copied


def is_stored_as_it_is(value: Any) -> bool:
    """Whether a value is of those that need no check and no copy, as most texts and numbers."""
    kind = type(value)
    if kind is str:
        return len(value) <= _SHORT_TEXT and value.isascii()
    if kind is int:
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER  # type: ignore[no-any-return]
    return kind is bool


#: Characters, which are a byte each if they are ASCII: with any key far from the limit.
_SHORT_TEXT = 1024 * 1024

#: More entries than a room can have.
_ALL = 2**31


def list_options(prefix: Any, start: Any, end: Any, limit: Any, reverse: Any) -> dict[str, Any]:
    """The platform's options of a listing; `TypeError` and `ValueError` for what it has not."""
    options = {"prefix": prefix, "start": start, "end": end}
    for name, value in options.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} of a listing is a str, not {type(value).__name__}")
    if limit is not None:
        if not isinstance(limit, int):
            raise TypeError(f"limit of a listing is an int, not {type(limit).__name__}")
        if limit < 0:
            raise ValueError(f"limit of a listing is 0 or more, not {limit}")
        limit = min(limit, _ALL)
    options |= {"limit": limit, "reverse": bool(reverse) or None}
    return {name: value for name, value in options.items() if value is not None}
