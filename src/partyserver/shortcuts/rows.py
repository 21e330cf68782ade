"""The rows of a query, brought to Python as one JSON text.

Pyodide would make Python objects of them one value at a time, each by calls into JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy

from ..rules.cloning import MAX_SAFE_INTEGER
from ..runtime.values import python_value
from . import builtins, switch
from .copying import Holder, TextCopier

Rows = list[dict[str, Any]]

#: Characters. Shorter texts come to Python sooner as they are.
_LONG = 600
#: Characters. The rows of a longer text must not stay in memory until the next query.
_MUCH_TO_KEEP = 64 * 1024
#: Rows. Of more than these, all values of a kind are looked at together.
_FEW = 8
#: Queries of which it is known that they gave much the last time.
_MOST_KNOWN = 256

#: As `json.loads`, which asks more: what JavaScript has made needs no check.
_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Reader:
    """Reads cursors, by pipes of JavaScript's own functions. There is one in a process.

    The rows are held until the next query's come: what JSON has not, Python gets by Pyodide then.
    """

    def __init__(self, cursor: Any) -> None:
        """`cursor` is any, and is read to its end."""
        tools = builtins.tools()
        self._put = Holder()
        # In a pipe of its own, since `put` takes its number for where it begins to.
        keep = tools.pipe(self._put.put, js.JSON.stringify)
        cursors, raw_cursors = _prototype(cursor), _prototype(cursor.raw())
        raw = _method(cursors, "raw")
        # `take` is called with its number in the pipe: the third step takes 2.
        first = (raw, js.Object, _method(js.Iterator.prototype, "take"))
        ways = {
            "objects": tools.pipe(_method(cursors, "toArray"), keep),
            "lists": tools.pipe(raw, _method(raw_cursors, "toArray"), keep),
            "first": tools.pipe(*first, _method(js.Iterator.prototype, "toArray"), keep),
        }
        self._ways = ways
        self._copier: TextCopier | None = None
        #: The ways that copy their text, and the queries that go them.
        self._copying: dict[str, JsProxy] = {}
        self._large: dict[str, None] = {}
        #: The ways whose first result was as Pyodide's.
        self.trusted: set[str] = set()
        cursor.toArray()

    # Each of these raises `JsException` if the query fails.

    def rows(self, cursor: Any, query: str) -> Rows:
        """All rows, as objects have them: of columns with the same name the last one counts."""
        if query in self._large:
            names: list[str] = python_value(cursor.columnNames)
            if _stay_in_order(names):
                return [dict(zip(names, row, strict=True)) for row in self._lists(cursor, query)]
        text = self._text("objects", cursor, query)
        if text == "[[]]":
            return []
        rows: Rows = _scan(text, 0)[0][0]
        is_exact = _hold_text_and_safe_numbers(rows) or self._are_exact(
            [value for row in rows for value in row.values()]
        )
        return self._checked("objects", rows, text, is_exact=is_exact)  # type: ignore[no-any-return]

    def _lists(self, cursor: Any, query: str) -> list[list[Any]]:
        text = self._text("lists", cursor, query)
        rows: list[list[Any]] = _scan(text, 0)[0][0]
        is_exact = all(map(self._are_exact, zip(*rows, strict=True)))
        return self._checked("lists", rows, text, is_exact=is_exact)  # type: ignore[no-any-return]

    def first(self, cursor: Any, query: str) -> list[list[Any]]:
        """The values of the first two rows, in the order of their columns."""
        text = self._text("first", cursor, query)
        rows: list[list[Any]] = _scan(text, 0)[0][0]
        is_exact = all(map(self._are_exact, rows))
        return self._checked("first", rows, text, is_exact=is_exact)  # type: ignore[no-any-return]

    def json(self, cursor: Any, query: str) -> tuple[str, JsProxy]:
        """The JSON of all rows, and the rows."""
        text = self._text("objects", cursor, query)
        rows = self._put.message()
        if len(text) > _MUCH_TO_KEEP:
            self._drop()
        return text[1:-1], rows

    def _text(self, way: str, cursor: Any, query: str) -> str:
        if query in self._large and self._copier is not None:
            text: str = self._copier.text(self._copying[way](cursor))
        else:
            text = self._ways[way](cursor)
        if len(text) < _LONG:
            self._large.pop(query, None)
        elif query not in self._large:
            self._remember(query)
        return text

    def _remember(self, query: str) -> None:
        """That it gave much: the first one of a process has its text copied from then on."""
        if not self._copying:
            copier = TextCopier(Holder())
            if copier.works():
                self._copier = copier
            self._copying = {way: copier.after(function) for way, function in self._ways.items()}
        if len(self._large) == _MOST_KNOWN:
            self._large.clear()
        self._large[query] = None

    def _checked(self, way: str, rows: Any, text: str, *, is_exact: bool) -> Any:
        if not is_exact or way not in self.trusted:
            found = python_value(self._put.message())
            if is_exact and rows:
                if repr(found) == repr(rows):
                    self.trusted.add(way)
                else:
                    _distrust()
            rows = found
        if len(text) > _MUCH_TO_KEEP:
            self._drop()
        return rows

    def _drop(self) -> None:
        self._put.drop()
        if self._copier is not None:
            self._copier.holder.drop()

    def _are_exact(self, values: Iterable[Any]) -> bool:
        """Whether JSON has kept these values of rows."""
        kinds = set(map(type, values))
        if dict in kinds or list in kinds:
            return False  # a BLOB
        if int in kinds:
            whole = values if kinds == {int} else [one for one in values if type(one) is int]
            if max(whole) > MAX_SAFE_INTEGER or min(whole) < -MAX_SAFE_INTEGER:
                return False
        return type(None) not in kinds or not self._holds_infinity()

    def _holds_infinity(self) -> bool:
        """Whether one of the rows that are held has a number that JSON calls null."""
        values = self._put.message().flatMap(js.Object.values)
        return bool(values.includes(inf) or values.includes(-inf))


def _hold_text_and_safe_numbers(rows: Rows) -> bool:
    """Whether these rows, of which there are few, have nothing that has to be looked at closer."""
    if len(rows) > _FEW:
        return False
    for row in rows:
        for value in row.values():
            kind = type(value)
            if kind is int:
                if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                    return False
            elif kind is not str and kind is not float:
                return False
    return True


def _prototype(value: Any) -> JsProxy:
    prototype: JsProxy = js.Object.getPrototypeOf(value)
    return prototype


def _method(prototype: JsProxy, name: str) -> JsProxy:
    """A function that calls this method of its first argument, with the others."""
    method = builtins.tools().member(prototype, name)
    bound: JsProxy = js.Function.prototype.call.bind(method)
    return bound


def _stay_in_order(names: list[str]) -> bool:
    """Whether an object with these keys has them all, in this order."""
    return len(set(names)) == len(names) and not any("0" <= name[:1] <= "9" for name in names)


_reader: Reader | None = None
_is_distrusted = False


def _distrust() -> None:
    global _reader, _is_distrusted
    _reader, _is_distrusted = None, True


def reader(execute: Callable[[str], JsProxy]) -> Reader | None:
    """What reads the cursors of a database, and of all others; None if nothing does."""
    global _reader
    if _reader is None and switch.enabled and not _is_distrusted:
        try:
            _reader = Reader(execute("select 1"))
        except (AttributeError, TypeError, JsException):
            _distrust()
    return _reader
