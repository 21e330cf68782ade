"""Values that JSON holds as they are, and that JavaScript has as they are, too."""

from __future__ import annotations

from typing import Any

from .cloning import MAX_SAFE_INTEGER

#: What holds nothing, and is converted alone as it would be in a container.
SCALARS = frozenset((str, int, float, bool, type(None)))

#: Levels; what is nested more deeply is rare, and left to slower ways.
MAX_LEVELS = 50


def is_plain(value: Any, mappings: tuple[type, ...] = (dict,), levels: int = MAX_LEVELS) -> bool:
    """Whether JSON keeps all of a value: each number, each key, the order of keys.

    Only exact types are plain, and dicts of the types in `mappings`: what a subclass means is not
    known here. Neither are bytes, NaN, infinity, whole numbers beyond 2**53 - 1, and other keys
    than `str`.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER  # type: ignore[no-any-return]
    if kind is float:
        return value - value == 0.0  # type: ignore[no-any-return]  # not so of NaN and infinity
    if not levels:
        return False
    if kind is list:
        items = value
    elif kind in mappings and _KEYS.issuperset(map(type, value)):
        items = value.values()
    else:
        return False
    for item in items:  # a loop, since each level may take one of Python's frames only
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue  # as above: the call would take longer than all of this
        if kind is int and -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER:
            continue
        if not is_plain(item, mappings, levels - 1):
            return False
    return True


_KEYS = frozenset((str,))
