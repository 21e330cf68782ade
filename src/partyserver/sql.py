"""A room's SQLite, with Python values in and out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from math import isfinite
from types import CodeType, FrameType, TracebackType
from typing import Any, Protocol, TypeVar

from .errors import SQLError
from .rules.cloning import MAX_SAFE_INTEGER
from .rules.messages import compact_json
from .runtime import JsException, jsnull, sockets, storage, values
from .shortcuts import rows
from .shortcuts.current import current
from .usercode import call_plain

T = TypeVar("T")

Rows = list[dict[str, Any]]


class Reporting(Protocol):
    """The life of a room, as far as a query needs it."""

    server: Any

    @property
    def exec_sql(self) -> Any: ...

    def report(self, where: str, error: BaseException) -> None: ...


class Transacting(Protocol):
    """The life of a room, as far as a transaction needs it."""

    ctx: Any
    #: The innermost one that is running.
    transaction: Transaction | None


def exec_of(ctx: Any) -> Any:
    """The platform's `sql.exec` of an object; `SQLError` if its class has no SQLite."""
    try:
        return ctx.storage.sql.exec
    except JsException as error:
        raise SQLError(error.message or str(error), "any") from error


def run(life: Reporting, query: Any, params: tuple[Any, ...]) -> Rows:
    """As `execute`; a query that fails is reported, also if the user's code catches the error."""
    return reporting(life, execute, query, params)


def reporting(
    life: Reporting,
    read: Callable[[Any, Any, tuple[Any, ...]], T],
    query: Any,
    params: tuple[Any, ...],
) -> T:
    """The result of a query that a function of this module reads; see `run`."""
    try:
        return read(life.exec_sql, query, params)
    except SQLError as error:
        raised = error.__traceback__
        life.report(_where_raised(type(life.server), error), error)
        error.__traceback__ = raised  # the user's lines come to it by themselves from here on
        error.reported = True
        raise


def _where_raised(cls: type, error: BaseException) -> str:
    """The hook, or another method of the room's class, that the library has called.

    The user's lines from there on are put before those of the traceback, which has not got to them
    yet: the user's code may catch the error.
    """
    methods = {name for one in cls.__mro__ for name in vars(one)}
    where, frames, count = "sql", [], None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _is_users(frame.f_code):
            frames.append(frame)
            if frame.f_code.co_name in methods:  # the outermost of them counts
                where, count = frame.f_code.co_name, len(frames)
        frame = frame.f_back
    for one in frames[:count]:
        line = one.f_lineno or one.f_code.co_firstlineno
        error.__traceback__ = TracebackType(error.__traceback__, one, one.f_lasti, line)
    return where


#: Where the runtime has the worker's own modules, and packages beside them.
_WORKER = "/session/metadata/"
_PACKAGES = (f"{_WORKER}python_modules/", f"{_WORKER}vendor/")


def _is_users(code: CodeType) -> bool:
    file = code.co_filename
    return file.startswith(_WORKER) and not file.startswith(_PACKAGES)


# --- what a query gives ---------------------------------------------------------------


def execute(exec_sql: Any, query: Any, params: tuple[Any, ...]) -> Rows:
    """Run a query with `?` parameters, or a t-string, and return its rows."""
    text, bound = _prepared(query, params)
    try:
        cursor = exec_sql(text, *bound)
        if _loses_a_column(cursor, text):
            return _rows_by_column(cursor)
        reader = rows.reader(exec_sql)
        if reader is not None:
            return reader.rows(cursor, text)
        found = cursor.toArray()
    except JsException as error:
        raise SQLError(error.message or str(error), text) from error
    return [] if found.length == 0 else values.python_value(found)


def first(exec_sql: Any, query: Any, params: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """The columns of the one row of a query, or nothing if it has none."""
    found = _only_row(exec_sql, query, params, with_names=True)
    return [] if found is None else list(zip(*found, strict=True))


def value(exec_sql: Any, query: Any, params: tuple[Any, ...]) -> Any:
    """The first column of the one row of a query, or None if it has none."""
    found = _only_row(exec_sql, query, params, with_names=False)
    return None if found is None else found[1][0]


def _only_row(
    exec_sql: Any, query: Any, params: tuple[Any, ...], *, with_names: bool
) -> tuple[list[str], list[Any]] | None:
    text, bound = _prepared(query, params)
    try:
        cursor = exec_sql(text, *bound)
        reader = rows.reader(exec_sql)
        found = _two_rows(cursor) if reader is None else reader.first(cursor, text)
        if not found:
            return None
        if len(found) > 1:
            _close(cursor)
            raise SQLError("there is more than one row: choose one, as by `limit 1`", text)
        return values.python_value(cursor.columnNames) if with_names else [], found[0]
    except JsException as error:
        raise SQLError(error.message or str(error), text) from error


def _two_rows(cursor: Any) -> list[list[Any]]:
    """The values of the first two rows: no further is read."""
    steps = cursor.raw()
    found: list[list[Any]] = []
    while len(found) < 2:
        step = steps.next()
        if step.done:
            break
        found.append(values.python_value(step.value))
    return found


def json_text(exec_sql: Any, query: Any, params: tuple[Any, ...]) -> str:
    """The rows of a query as JSON, which is made in JavaScript."""
    text, bound = _prepared(query, params)
    try:
        cursor = exec_sql(text, *bound)
        if _loses_a_column(cursor, text):
            return _json_by_column(_rows_by_column(cursor), text)
        reader = rows.reader(exec_sql)
        if reader is not None:
            json, found = reader.json(cursor, text)
        else:
            found = cursor.toArray()
            json = storage.json_of(found)
        # What JSON has not, is one of these.
        refused = storage.not_in_json(found) if ":{}" in json or ":null" in json else None
    except JsException as error:
        raise SQLError(error.message or str(error), text) from error
    if refused is not None:
        raise _not_in_json(*refused, text)
    return json


def _not_in_json(column: str, what: str, text: str) -> SQLError:
    return SQLError(
        f"the column {column!r} holds {what}, which JSON has not: select what stands for it, "
        "as hex() does",
        text,
    )


def _loses_a_column(cursor: Any, text: str) -> bool:
    """Whether the platform's rows, which are objects, lose a column that is called so."""
    if "__proto__" in text:
        return True
    return "*" in text and bool(cursor.columnNames.includes("__proto__"))


def _rows_by_column(cursor: Any) -> Rows:
    names = values.python_value(cursor.columnNames)
    found = values.python_value(cursor.raw().toArray())
    return [dict(zip(names, row, strict=True)) for row in found]


def _json_by_column(found: Rows, text: str) -> str:
    for row in found:
        for column, value in row.items():
            if isinstance(value, bytes):
                raise _not_in_json(column, "a BLOB", text)
            if isinstance(value, float) and not isfinite(value):
                raise _not_in_json(column, "an infinite number", text)
    return compact_json(found)


def _close(cursor: Any) -> None:
    """End a query that has more rows: until then its tables cannot be dropped."""
    try:
        cursor.one()
    except JsException:  # there are still more, but it has ended
        return


# --- transactions ---------------------------------------------------------------------


class Transaction:
    """What waits for the end of a transaction: to be done when it stands, or taken back."""

    __slots__ = ("_done", "_undone")

    def __init__(self) -> None:
        self._done: list[Callable[[], None]] = []
        self._undone: list[Callable[[], None]] = []

    def at_end(self, done: Callable[[], None], undone: Callable[[], None]) -> None:
        """Call `done` when all of it is certain, or `undone` when it is undone."""
        self._done.append(done)
        self._undone.append(undone)

    def stands(self, outer: Transaction | None = None) -> None:
        """It has ended well; but an outer one may still undo it."""
        if outer is not None:
            outer.at_end(self.stands, self.is_undone)
            return
        for done in self._done:
            done()

    def is_undone(self) -> None:
        for undone in reversed(self._undone):
            undone()


def transact(life: Transacting, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    """The result of a plain function, whose writes are undone if it raises."""
    work = partial(call_plain, "a transaction", function, *arguments)
    outer, inner = life.transaction, Transaction()
    life.transaction = inner
    try:
        result = storage.transact_at_once(life.ctx.storage, work)
    except BaseException:
        inner.is_undone()
        raise
    finally:
        life.transaction = outer
    inner.stands(outer)
    return result


# --- parameters -----------------------------------------------------------------------


def _prepared(query: Any, params: tuple[Any, ...]) -> tuple[str, list[Any]]:
    text, given = (query, params) if isinstance(query, str) else _from_template(query, params)
    # Most are texts, for which the call would take longer than all that it does.
    return text, [value if type(value) is str else _bindable(value, text) for value in given]


def _from_template(template: Any, params: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """A t-string's text with a `?` for each interpolation, and their values (PEP 750)."""
    if not (hasattr(template, "strings") and hasattr(template, "interpolations")):
        raise TypeError(f"a query is a str or a t-string, not {type(template).__name__}")
    if params:
        raise TypeError("a t-string holds its parameters itself; pass no others")
    for part in template.interpolations:
        if part.conversion or part.format_spec:
            raise ValueError(
                f"{{{part.expression}}} becomes a parameter as it is; it takes no conversion "
                "or format"
            )
    return "?".join(template.strings), [part.value for part in template.interpolations]


def _bindable(value: Any, query: str) -> Any:
    if value is None:
        return jsnull
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            raise SQLError(f"{value} is over 2**53; store it as text", query)
        return float(value)  # as the platform binds it; the largest would become a BigInt
    if isinstance(value, str | float):
        return value
    if sockets.is_bytes_like(value):
        return current.outgoing(value)
    raise SQLError(
        f"a parameter is None, bool, int, float, str or bytes, not {type(value).__name__}: "
        f"{value!r}",
        query,
    )
