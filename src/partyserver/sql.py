"""A room's SQLite, with Python values in and out."""

from __future__ import annotations

from typing import Any, Protocol

from .errors import SQLError
from .rules.attachment import MAX_SAFE_INTEGER
from .runtime import JsException, jsnull, sockets, values
from .shortcuts.current import current


class Reporting(Protocol):
    """The life of a room, as far as a query needs it."""

    ctx: Any

    def report(self, where: str, error: BaseException) -> None: ...


def run(life: Reporting, query: Any, params: tuple[Any, ...]) -> list[dict[str, Any]]:
    """As `execute`; a query that fails is reported, also if the user's code catches the error."""
    try:
        return execute(life.ctx, query, params)
    except SQLError as error:
        life.report("sql", error)
        error.reported = True
        raise


def execute(ctx: Any, query: Any, params: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Run a query with `?` parameters, or a t-string, and return its rows."""
    text, given = (query, params) if isinstance(query, str) else _from_template(query, params)
    bound = [_bindable(value, text) for value in given]
    try:
        cursor = ctx.storage.sql.exec(text, *bound)
        # The platform's rows are objects, which lose a column of this name.
        if "__proto__" in text:
            return _rows_by_column(cursor)
        rows = cursor.toArray()
    except JsException as error:
        raise SQLError(error.message or str(error), text) from error
    return [] if rows.length == 0 else values.python_value(rows)


def _rows_by_column(cursor: Any) -> list[dict[str, Any]]:
    names = values.python_value(cursor.columnNames)
    rows = values.python_value(cursor.raw().toArray())
    return [dict(zip(names, row, strict=True)) for row in rows]


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
        return value
    if isinstance(value, str | float):
        return value
    if sockets.is_bytes_like(value):
        return current.outgoing(value)
    raise SQLError(
        f"a parameter is None, bool, int, float, str or bytes, not {type(value).__name__}: "
        f"{value!r}",
        query,
    )
