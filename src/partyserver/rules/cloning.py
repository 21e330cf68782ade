"""What JavaScript makes of a value that it keeps: structured cloning.

A connection's state, `kv` and PartyKit's storage are read back at once as they are after a sleep.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from .messages import MAX_JSON_DEPTH

#: Beyond this JavaScript's numbers lose digits, and are floats in Python.
MAX_SAFE_INTEGER = 2**53 - 1


class Kind(NamedTuple):
    """A kind of values that are kept."""

    #: As errors call one of them.
    noun: str
    #: Whether sets, moments and every kind of binary are taken, beside what is JSON-like.
    is_rich: bool


STATE = Kind("a connection's state", is_rich=False)
STORED = Kind("a stored value", is_rich=True)


def copy(value: Any, kind: Kind) -> Any:
    """A deep copy of a value as it will be read back.

    So tuples become lists, whole floats become ints, and keys that are whole numbers come first, in
    their order. Of the rich kind, a moment is one in UTC, of whole milliseconds.

    Raises:
        TypeError: the value is not of the kind.
        ValueError: it is nested more than 500 levels deep, or holds itself.
    """
    if type(value) is dict and _is_copied_as_it_is(value):
        return value.copy()
    return _copy(value, kind, MAX_JSON_DEPTH)


def _is_copied_as_it_is(value: dict[Any, Any]) -> bool:
    """Whether a dict holds nothing that is copied itself, and has no keys that are moved.

    As most states do, in a few steps that Python does not have to loop over.
    """
    return (
        _UNCHANGED.issuperset(map(type, value.values()))
        and _STRINGS.issuperset(map(type, value))
        and min(value, default=":") >= ":"  # no key begins with a digit
    )


#: What is copied as it is. Whole floats are not.
_UNCHANGED = frozenset((str, int, bool, bytes, type(None)))
_STRINGS = frozenset((str,))


def _copy(value: Any, kind: Kind, levels: int) -> Any:
    cls = type(value)
    if cls in (str, int, bool, bytes) or value is None:
        return value
    if cls is float:
        return (
            int(value)
            if value.is_integer() and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
            else value
        )
    if cls is not dict and cls is not list and cls is not tuple:
        if kind.is_rich and isinstance(value, set | frozenset | datetime):
            return _moment(value) if isinstance(value, datetime) else _set(value, kind)
        return _copy(_plain(value, kind), kind, levels)
    if not levels:
        raise ValueError(f"{kind.noun} is nested at most {MAX_JSON_DEPTH} levels deep")
    # Loops, since each level may take one of Python's frames only.
    if cls is not dict:
        items = []
        for item in value:
            items.append(_copy(item, kind, levels - 1))
        return items
    copied = {}
    numbered = False
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"{kind.noun} has str keys only, not {key!r}")
        if "0" <= key < ":":
            numbered = True
        copied[str.__str__(key)] = _copy(item, kind, levels - 1)
    return _in_javascript_order(copied) if numbered else copied


def _in_javascript_order(value: dict[str, Any]) -> dict[str, Any]:
    """Array indices come first: https://tc39.es/ecma262/#sec-ordinaryownpropertykeys"""
    indices = sorted(filter(_is_array_index, value), key=int)
    return {key: value[key] for key in indices} | value


def _is_array_index(key: str) -> bool:
    return (
        len(key) <= 10
        and key.isascii()
        and key.isdigit()
        and (key == "0" or key[0] != "0")
        and int(key) < 2**32 - 1
    )


def _set(value: Any, kind: Kind) -> set[Any]:
    for item in value:
        if not isinstance(item, str | int | float):
            raise TypeError(f"a set in {kind.noun} has str, int, float and bool only, not {item!r}")
    return {_copy(item, kind, 0) for item in value}


def _moment(value: datetime) -> datetime:
    """In UTC, which one without a time zone is taken to be in, as the runtime's clock is."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is outside of the years 1 to 9999 in UTC") from None
    whole = value.microsecond // 1000 * 1000
    day = (value.year, value.month, value.day)
    return datetime(*day, value.hour, value.minute, value.second, whole, UTC)


def _plain(value: Any, kind: Kind) -> Any:
    """What a value of a subclass (JsDict, IntEnum, defaultdict) is a kind of."""
    if isinstance(value, str):
        return str.__str__(value)  # an enum's own would be its name
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes) or (kind.is_rich and isinstance(value, bytearray | memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    if kind.is_rich:
        types = "dict, list, tuple, set, str, int, float, bool, None, bytes and datetime"
    else:
        types = "dict, list, str, int, float, bool, None and bytes"
    raise TypeError(f"{kind.noun} is made of {types}, not {type(value).__name__}: {value!r}")


def read(value: Any) -> Any:
    """A deep copy of what `copy` has made of a state."""
    kind = type(value)
    if kind is dict:
        if is_flat(value):
            return value.copy()
        return {key: read(item) for key, item in value.items()}
    if kind is list:
        return [read(item) for item in value]
    return value


def is_flat(value: Any) -> bool:
    """Whether what `copy` has made is a dict with nothing inside that is to be copied, too."""
    return type(value) is dict and _HOLDS_NOTHING.issuperset(map(type, value.values()))


_HOLDS_NOTHING = _UNCHANGED | {float}


# --- sizes ----------------------------------------------------------------------------


def size(value: Any) -> int:
    """How many bytes what `copy` has made takes at least when V8 serializes it.

    It may write a whole number in more of them, where other objects had a fraction in its place.
    https://chromium.googlesource.com/v8/v8/+/main/src/objects/value-serializer.cc
    """
    return _end(value, len(b"\xff\x0f"))


def _end(value: Any, at: int) -> int:
    """Where a value ends that begins there: a tag, what it holds, and how long that is."""
    kind = type(value)
    if kind is str:
        return _end_of_text(value, at)
    if kind is int or kind is float:
        return at + 1 + _size_of_number(value)
    if kind is bytes:
        return at + 5 + len(value) + 2 * _varint(len(value))  # a buffer, and the view of it
    if kind is dict:
        at += 1
        for key, item in value.items():
            is_index = "0" <= key < ":" and _is_array_index(key)
            at = _end(item, at + 1 + _size_of_number(int(key)) if is_index else _end(key, at))
        return at + 1 + _varint(len(value))
    if kind is list:
        at += 1 + _varint(len(value))
        for item in value:
            at = _end(item, at)
        return at + 2 + _varint(len(value))
    if kind is set:
        at += 1
        for item in value:
            at = _end(item, at)
        return at + 1 + _varint(len(value))
    return at + (9 if kind is datetime else 1)


def _end_of_text(text: str, at: int) -> int:
    if text.isascii():
        return at + 1 + _varint(len(text)) + len(text)
    try:
        size = len(text.encode("latin-1"))
    except UnicodeEncodeError:
        size = len(text.encode("utf-16-le", "surrogatepass"))
        at += (at + 1 + _varint(size)) % 2  # its two-byte units begin at an even place
    return at + 1 + _varint(size) + size


def _size_of_number(value: float) -> int:
    if type(value) is float:
        return 8
    value = int(value)
    if -(2**30) <= value < 2**30:
        return _varint(value * 2 if value >= 0 else -value * 2 - 1)
    if abs(value) < MAX_SAFE_INTEGER:  # others become BigInts, as Pyodide has it
        return 8
    digits = (value.bit_length() + 63) // 64 * 8
    return _varint(digits * 2) + digits


def _varint(number: int) -> int:
    return max(1, (number.bit_length() + 6) // 7)
