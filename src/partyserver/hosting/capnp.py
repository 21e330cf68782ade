"""Cap'n Proto's text format, as far as a workerd config needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

# All else stands for itself, in UTF-8: the format has `\xNN` for a byte, and no `\uNNNN`.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def text(value: str) -> str:
    """A literal of a Text.

    Raises:
        UnicodeEncodeError: it has a lone surrogate, which UTF-8 has not.
    """
    value.encode()
    # Modules are long, and consist of lines: `replace` is many times as fast as the expression.
    plain = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", plain) + '"'


def data(value: bytes) -> str:
    """A literal of Data: as text where it is some, which is half as long."""
    try:
        return text(value.decode())
    except UnicodeDecodeError:
        return f'0x"{value.hex()}"'


def literal(value: object) -> str:
    """A value: of a bool, an int, a str, bytes, a mapping (a struct) or an iterable (a list).

    Fields of a struct that are None are left out.
    """
    return "".join(_parts(value))  # once: what holds modules is long


def _parts(value: object) -> Iterator[str]:
    match value:
        case bool():
            yield "true" if value else "false"
        case int():
            yield str(value)
        case str():
            yield text(value)
        case bytes():
            yield data(value)
        case Mapping():
            fields = {name: one for name, one in value.items() if one is not None}
            yield "("
            for number, (name, one) in enumerate(fields.items()):
                yield f",\n{name} = " if number else f"{name} = "
                yield from _parts(one)
            yield ")"
        case Iterable():
            yield "["
            for number, one in enumerate(value):
                if number:
                    yield ",\n"
                yield from _parts(one)
            yield "]"
        case _:
            raise TypeError(f"{value!r} has no literal")
