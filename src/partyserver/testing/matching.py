"""Whether a JSON value is one that a test waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(value: Any, wanted: Any) -> bool:
    """Whether `value` has all that is `wanted`: of a mapping its keys, and of these likewise.

    Lists have to be equal, and are compared as all else is: as JSON, where true is not 1.
    """
    if isinstance(wanted, Mapping):
        return isinstance(value, dict) and all(
            key in value and matches(value[key], item) for key, item in wanted.items()
        )
    return _equal(value, wanted)


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return (
            isinstance(value, dict)
            and value.keys() == wanted.keys()
            and all(_equal(value[key], item) for key, item in wanted.items())
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(map(_equal, value, wanted))
        )
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


#: So many messages of the beginning and of the end are shown, and so many characters of each.
_SHOWN = 5
_LONGEST = 200


class Skipped:
    """The messages that a test has skipped, as far as they are told when the wait was in vain."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: list[str] = []
        self._count = 0

    def add(self, message: str | bytes) -> None:
        self._count += 1
        text = repr(message[: _LONGEST + 1])
        shown = text if len(message) <= _LONGEST else f"{text[:_LONGEST]}…"
        if len(self._first) < _SHOWN:
            self._first.append(shown)
        else:
            self._last = [*self._last[1 - _SHOWN :], shown]

    def __str__(self) -> str:
        if not self._count:
            return "nothing came"
        left_out = self._count - len(self._first) - len(self._last)
        between = [f"... {left_out} more ..."] if left_out else []
        return f"skipped {self._count}: " + ", ".join([*self._first, *between, *self._last])
