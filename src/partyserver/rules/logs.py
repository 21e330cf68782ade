"""Lines of the log: what a record of `logging` says, and where it was written, as text or as JSON.

Whatever a record holds, a line comes of it: what cannot be said is described. And nothing that it
holds begins a line of its own or moves a terminal's cursor, since much of it may be a client's.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from logging import LogRecord
from math import isfinite
from typing import Any

from .failures import known_id, traceback_text

#: A larger whole number loses digits in JavaScript.
_MAX_SAFE_INTEGER = 2**53 - 1
#: Levels of an extra's value, and values in it. What is beyond is left out, as "...".
_MAX_DEPTH = 8
_MAX_VALUES = 1000
_LEFT_OUT = "..."

#: What every record has. All else is what `extra` has given it.
STANDARD = frozenset(
    (
        *("args", "asctime", "created", "exc_info", "exc_text", "filename", "funcName"),
        *("levelname", "levelno", "lineno", "message", "module", "msecs", "msg", "name"),
        *("pathname", "process", "processName", "relativeCreated", "stack_info", "taskName"),
        *("thread", "threadName"),
    )
)

# Control characters but for tab and newline, what ends a line elsewhere, turns its direction or
# takes no place in it, but for joiners within words, and halves of characters.
_UNSAFE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_PLAIN_NAME = re.compile(r"[\w.:@%+~/=-]+")

#: `class`, `room`, `connection` and `error_id`, as far as they are known.
Where = Mapping[str, str]


def as_text(record: LogRecord, where: Where) -> str:
    """`[Chat:lobby alice] game: message`. Further lines, as of a traceback, are indented."""
    body = message_of(record)
    logger = f"{record.name}: "
    if record.name != "root" and not body.startswith(logger):
        body = logger + body
    for more in (_exception(record), record.stack_info):
        if more:
            body = f"{body}\n{more}"
    text = _prefix(where, body) + body
    return _UNSAFE.sub(_escaped, text.replace("\n", "\n  "))


def as_json(record: LogRecord, where: Where) -> str:
    """One object in one line: what stands in it is in the guide to logging."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    fields: dict[str, Any] = {
        "time": f"{moment}.{int(record.msecs):03d}Z",
        "level": record.levelname,
        "logger": record.name,
        "message": message_of(record),
        **where,
    }
    exception = _exception(record)
    if exception:
        fields["exception"] = exception
    if record.stack_info:
        fields["stack"] = record.stack_info
    for name, value in vars(record).items():
        if name not in STANDARD:
            key = _text(name)
            while key in fields or key in _OURS:
                key += "_"
            fields[key] = plain(value)
    line = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(_escaped, line)


#: Whoever reads the log relies on these: an extra never stands under their names.
_OURS = frozenset(("class", "room", "connection", "error_id", "exception", "stack"))


def message_of(record: LogRecord) -> str:
    """The message with its arguments, or, if these do not fit, both."""
    try:
        return str(record.getMessage())
    except Exception as error:
        why = f"{type(error).__name__}: {_text(error)}"
        return f"{_text(record.msg)} (the arguments {_text(record.args)} do not fit: {why})"


def error_id_of(record: LogRecord) -> str | None:
    """That of the exception that a record tells of, if it has been reported."""
    error = _error(record)
    return None if error is None else known_id(error)


def plain(value: Any) -> Any:
    """As JSON can hold it: what is too deep, too long or circular is cut, all else is its text."""
    return _Copy().of(value, 0)


class _Copy:
    """The copying of one value."""

    def __init__(self) -> None:
        self._left = _MAX_VALUES
        #: The containers that the value is in which is being copied.
        self._around: set[int] = set()

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        kind = type(value)
        if value is None or kind is str or kind is bool:
            return value
        if kind is int and abs(value) <= _MAX_SAFE_INTEGER:
            return value
        if kind is float and isfinite(value):
            return value
        if not isinstance(value, dict | list | tuple | set | frozenset):
            return _text(value)
        if depth == _MAX_DEPTH or id(value) in self._around:
            return _LEFT_OUT
        self._around.add(id(value))
        try:
            if isinstance(value, dict):
                return self._dict(value, depth + 1)
            return self._list(value, depth + 1)
        except Exception:  # a subclass with ways of its own
            return _text(value)
        finally:
            self._around.discard(id(value))

    def _dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copy = {}
        for key, item in value.items():
            if self._left <= 0:
                copy[_LEFT_OUT] = _LEFT_OUT
                break
            copy[_text(key)] = self.of(item, depth)
        return copy

    def _list(self, value: Any, depth: int) -> list[Any]:
        copy = []
        for item in value:
            if self._left <= 0:
                copy.append(_LEFT_OUT)
                break
            copy.append(self.of(item, depth))
        return copy


def _prefix(where: Where, body: str) -> str:
    parts = []
    if "class" in where:
        room = where.get("room")
        parts.append(f"{where['class']}:{'<unnamed>' if room is None else _name(room)}")
    if "connection" in where:
        parts.append(_name(where["connection"]))
    text = " ".join(parts)
    error_id = where.get("error_id")
    if error_id is not None and error_id not in body:
        text += f"{', ' if text else ''}error id {error_id}"
    # Without a place, a message that begins as if it had one is told apart.
    return f"[{text or '-'}] " if text or body.lstrip().startswith("[") else ""


def _name(name: str) -> str:
    """A name that clients may have chosen, in quotes if it could be taken for something else."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    return json.dumps(name, ensure_ascii=False)


def _error(record: LogRecord) -> BaseException | None:
    given = record.exc_info
    return given[1] if isinstance(given, tuple) else None


def _exception(record: LogRecord) -> str | None:
    """The traceback; of a record that comes from elsewhere, what was made of one there."""
    error = _error(record)
    return record.exc_text if error is None else traceback_text(error)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
