"""Migrations: what a class has each of its rooms run once, before `on_start`."""

from __future__ import annotations

from typing import Any, Protocol

from . import reserved, sql
from .errors import SQLError
from .rules.migrations import Migration, surplus, to_run
from .runtime import platform, storage
from .tables import Table

#: What has run in a room.
RECORDS = Table(
    "migrations",
    "class text not null, number integer not null, digest text not null, "
    "primary key (class, number)",
)


class Starting(Protocol):
    """The life of a room, as far as its migrations need it."""

    ctx: Any
    server: Any

    @property
    def label(self) -> str: ...


def migrate(life: Starting) -> None:
    """Run what has not run in this room: all of it, or nothing, which is an `SQLError`."""
    plan = reserved.definition_of(type(life.server)).plan
    if not plan.owners:
        return
    rows = RECORDS.read(life.ctx, "select class, number, digest from {table}")
    recorded = {(row["class"], row["number"]): row["digest"] for row in rows}
    waiting = to_run(plan, recorded)
    for text in surplus(plan, recorded):
        platform.log_warning(f"{life.label}: {text}")
    if waiting:
        storage.transact_at_once(life.ctx.storage, lambda: _run(life.ctx, waiting))


def _run(ctx: Any, waiting: list[Migration]) -> None:
    for one in waiting:
        try:
            sql.execute(sql.exec_of(ctx), one.statement, ())
        except SQLError as error:
            raise SQLError(
                f"migration {one.number} of {one.owner} has failed, and nothing of this start's is "
                f"kept; the next start tries again: {error.message}",
                one.statement,
            ) from error
        RECORDS.write(
            ctx, "insert into {table} values (?, ?, ?)", one.owner, one.number, one.digest
        )
