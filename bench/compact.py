"""JSON for Git: short numbers, and a row on a line, so that a diff shows the rows that changed."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

#: Significant digits of a number. With fewer the plots differ from those of the whole number.
DIGITS = 7


def dumps(value: Any) -> str:
    return _text(shortened(value), "\n") + "\n"


def shortened(value: Any) -> Any:
    """The same with its floats rounded."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: shortened(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [shortened(member) for member in value]
    return value


def _text(value: Any, newline: str) -> str:
    """What holds an object begins a line for each one; anything else is a row.

    Members without objects share a line with those beside them.
    """
    inner = newline + " "
    if isinstance(value, dict) and any(map(_has_objects, value.values())):
        lines = [
            [f"{json.dumps(key)}: {_text(value[key], inner)}" for key in keys]
            for has_objects, group in groupby(value, lambda key: _has_objects(value[key]))
            for keys in ([[key] for key in group] if has_objects else [list(group)])
        ]
        return f"{{{inner}{f',{inner}'.join(map(', '.join, lines))}{newline}}}"
    if isinstance(value, list) and any(map(_has_objects, value)):
        return f"[{inner}{f',{inner}'.join(_text(member, inner) for member in value)}{newline}]"
    return json.dumps(value)


def _has_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_has_objects, value)))
