"""Cap'n Proto's text format, as far as a workerd config needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: Raw characters but these: the format knows `\xNN` for a byte, and no `\uNNNN`.
_ESCAPED = re.compile(rb'[\x00-\x1f"\\\x7f]')


class Raw(str):
    """Text that is a value as it stands: a number, a name of an enum, a literal."""


def text(value: str) -> str:
    """A literal of a Text.

    Raises:
        UnicodeEncodeError: a lone surrogate.
    """
    return _literal(value.encode())


def _literal(value: bytes) -> str:
    return '"' + _ESCAPED.sub(lambda found: b"\\x%02x" % found[0][0], value).decode() + '"'


def data(value: bytes) -> Raw:
    """A literal of Data."""
    return Raw(f'0x"{value.hex()}"' if value else '""')


def struct(fields: Mapping[str, object]) -> Raw:
    """A struct. Fields of None are left out."""
    inner = ",\n".join(
        f"{name} = {literal(value)}" for name, value in fields.items() if value is not None
    )
    return Raw(f"({inner})")


def items(values: Iterable[object]) -> Raw:
    return Raw("[" + ",\n".join(literal(value) for value in values) + "]")


def literal(value: object) -> str:
    """A value: a bool, an int, a str, bytes, a mapping (a struct), or an iterable (a list)."""
    match value:
        case Raw():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return text(value)
        case bytes():
            return data(value)
        case Mapping():
            return struct(value)
        case Iterable():
            return items(value)
    raise TypeError(f"{value!r} has no literal")
