"""What may be sent: text that is UTF-8 on the wire, and binary."""

from __future__ import annotations

import json
import re
from typing import Any


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair, as browsers send it.

    The platform would send the half as it is, which is no UTF-8, and every client that got
    the message would drop its connection.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def compact_json(value: Any) -> str:
    """JSON without spaces; half surrogate pairs are escaped, and so arrive as they are."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


#: Levels of lists and objects. Far above what people nest, and far below what breaks.
MAX_JSON_DEPTH = 500


def parse_json(text: str | bytes) -> Any:
    """`json.loads` for what clients send: whatever is wrong with it is a `ValueError`.

        def on_message(self, connection, message):
            try:
                event = parse_json(message)
            except ValueError:
                connection.send_json({"error": "not JSON"})
                return

    `json.loads` itself must not be given a client's text on this platform: about 5,000
    opening brackets, in 5 KB, end the whole process with all of its rooms, because
    WebAssembly's stack overflows where Python cannot notice (Pyodide 314.0.6).
    """
    if isinstance(text, bytes):
        text = text.decode()
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH and _depth(text) > MAX_JSON_DEPTH:
        raise ValueError(f"JSON nested more than {MAX_JSON_DEPTH} levels deep")
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


# Possessive, so that a long string costs no memory.
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[][{}]', re.DOTALL)


def _depth(text: str) -> int:
    """How many brackets are open at most; those inside of strings do not count."""
    depth = deepest = 0
    for token in _STRINGS_AND_BRACKETS.findall(text):
        if token in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in ("]", "}"):
            depth -= 1
    return deepest
