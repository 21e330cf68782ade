"""Cap'n Proto's text format, as far as a workerd config needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# All else stands for itself, in UTF-8: the format has `\xNN` for a byte, and no `\uNNNN`.
_ESCAPED = re.compile(rb'[\x00-\x1f"\\\x7f]')


def text(value: str) -> str:
    """A literal of a Text.

    Raises:
        UnicodeEncodeError: it has a lone surrogate, which UTF-8 has not.
    """
    return _quoted(value.encode())


def data(value: bytes) -> str:
    """A literal of Data: as text where it is some, which is half as long."""
    try:
        return _quoted(value)
    except UnicodeDecodeError:
        return f'0x"{value.hex()}"'


def _quoted(value: bytes) -> str:
    return '"' + _ESCAPED.sub(lambda found: b"\\x%02x" % found[0][0], value).decode() + '"'


def literal(value: object) -> str:
    """A value: of a bool, an int, a str, bytes, a mapping (a struct) or an iterable (a list).

    Fields of a struct that are None are left out.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return text(value)
        case bytes():
            return data(value)
        case Mapping():
            fields = (f"{name} = {literal(one)}" for name, one in value.items() if one is not None)
            return "(" + ",\n".join(fields) + ")"
        case Iterable():
            return "[" + ",\n".join(map(literal, value)) + "]"
    raise TypeError(f"{value!r} has no literal")
