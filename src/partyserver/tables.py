"""Tables of the library's own in a room's SQLite, beside the user's."""

from __future__ import annotations

from typing import Any

from . import sql
from .errors import SQLError

#: Of each table's name.
PREFIX = "_partyserver_"


class Table:
    """One table, which is made when it is first written to: a room without has no row more.

        TIMERS = Table("timers", "id text primary key, time integer not null")
        TIMERS.write(life.ctx, "insert into {table} values (?, ?)", "a", 1)

    `ctx.storage.deleteAll()` drops it with all else, and the next write makes it again. In queries
    `{table}` stands for its name.
    """

    def __init__(self, name: str, columns: str, *indices: str) -> None:
        self.name = PREFIX + name
        self._create = [
            f"create table if not exists {self.name} ({columns})",
            *(
                f"create index if not exists {self.name}_{number} on {self.name} ({index})"
                for number, index in enumerate(indices)
            ),
        ]

    def read(self, ctx: Any, query: str, *params: Any) -> list[dict[str, Any]]:
        """The rows of a query; none where there is no table yet."""
        try:
            return self._run(ctx, query, params)
        except SQLError as error:
            if not self._is_missing(error):
                raise
            return []

    def cursor(self, ctx: Any, query: str, *numbers: int) -> Any:
        """The rows of a query as JavaScript has them, one after the other: for what is sent on.

        Each is a list of its columns. There has to be a table.
        """
        return ctx.storage.sql.exec(query.replace("{table}", self.name), *numbers).raw()

    def write(self, ctx: Any, query: str, *params: Any) -> list[dict[str, Any]]:
        """Run a statement, and return what it does."""
        try:
            return self._run(ctx, query, params)
        except SQLError as error:
            if not self._is_missing(error):
                raise
        for statement in self._create:
            sql.execute(sql.exec_of(ctx), statement, ())
        return self._run(ctx, query, params)

    def _run(self, ctx: Any, query: str, params: tuple[Any, ...]) -> list[dict[str, Any]]:
        return sql.execute(sql.exec_of(ctx), query.replace("{table}", self.name), params)

    def _is_missing(self, error: SQLError) -> bool:
        return f"no such table: {self.name}" in str(error)
