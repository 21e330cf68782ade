"""The timers of a room as rows of its SQLite."""

from __future__ import annotations

from typing import Any

from ..rules import timers
from ..rules.timers import Plan
from ..tables import Table

Row = dict[str, Any]

#: The type of the row that stands for the alarm of `ctx.storage.setAlarm`.
ALARM = "alarm"
#: The type of rows that are a capability's own, and call what it has given.
OWN = "own"
#: Their `same`, which no timer has.
_ALARMS, _OWN = 0, -1

# time: when it is to run. due: when it is to be looked at again: then, or when it is tried again,
# or when it is to have ended. attempts: how many have failed. starts: how many have been cut off
# soon, as where the object was evicted, or have hung. All times are milliseconds since 1970.
_TABLE = Table(
    "timers",
    """id integer primary key,
    callback text not null,
    payload text not null,
    type text not null,
    detail,
    retry text,
    time integer not null,
    due integer not null,
    attempts integer not null default 0,
    starts integer not null default 0,
    same integer not null""",
    "due",
    "same",
)

# One row at most: what the platform's alarm has been set to from here. Another one than this is the
# user's, from before the class had timers, or from a time in which a rollback had taken them away.
_ARMED = Table("alarm", "id integer primary key, time integer not null")

_INSERT = """
    insert into {table} (id, callback, payload, type, detail, retry, time, due, same)
    values (max(?, 1 + coalesce((select max(id) from {table}), 0)), ?, ?, ?, ?, ?, ?, ?, ?)
    returning *"""


def is_alarm(row: Row) -> bool:
    return bool(row["type"] == ALARM)


def is_timer(row: Row) -> bool:
    """Whether it is one that the room's code has made."""
    return row["type"] not in (ALARM, OWN)


class Rows:
    """What is stored; it decides nothing. All of it happens at once."""

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx
        self._last_id = 0

    def _read(self, query: str, *params: Any) -> list[Row]:
        """Also for what is deleted or changed: where there is no table, there is nothing to."""
        return _TABLE.read(self._ctx, query, *params)

    # --- timers -----------------------------------------------------------------------

    def insert(
        self, plan: Plan, callback: str, payload: str, retry: str | None, same: int, now: int
    ) -> Row:
        return self._insert(
            now, callback, payload, plan.type, plan.detail, retry, plan.time, plan.time, same
        )

    def _insert(self, now: int, *values: Any) -> Row:
        # Ids rise, and so timers of one moment run in the order in which they were made. They have
        # to do with the clock, so that none comes again after `deleteAll`.
        at_least = max(self._last_id + 1, now * 2**11)
        (row,) = _TABLE.write(self._ctx, _INSERT, at_least, *values)
        self._last_id = row["id"]
        return row

    def same(self, number: int, callback: str) -> list[Row]:
        return self._read(
            "select * from {table} where same = ? and callback = ? order by id", number, callback
        )

    def get(self, number: int) -> Row | None:
        rows = self._read("select * from {table} where id = ?", number)
        return rows[0] if rows else None

    def select(
        self, type: str | None, callback: str | None, before: int | None, after: int | None
    ) -> list[Row]:
        given = {
            "type = ?": type,
            "callback = ?": callback,
            "time < ?": before,
            "time > ?": after,
        }
        conditions = {text: value for text, value in given.items() if value is not None}
        where = " and ".join([f"type not in ('{ALARM}', '{OWN}')", *conditions])
        query = f"select * from {{table}} where {where} order by time, id"
        return self._read(query, *conditions.values())

    def delete(self, number: int) -> Row | None:
        rows = self._read("delete from {table} where id = ? returning *", number)
        return rows[0] if rows else None

    # --- what runs --------------------------------------------------------------------

    def earliest(self) -> int | None:
        """When the next one is due."""
        rows = self._read("select min(due) as due from {table}")
        return rows[0]["due"] if rows else None

    def last_id(self) -> int:
        rows = self._read("select max(id) as id from {table}")
        return rows[0]["id"] or 0 if rows else 0

    def due(self, now: int, last_id: int | None, limit: int) -> list[Row]:
        """What is due at `now`, but for what is newer than `last_id`."""
        return self._read(
            "select id, type, callback, starts from {table} where due <= ? and id <= ? "
            "order by due, id limit ?",
            now,
            float(2**53) if last_id is None else last_id,
            limit,
        )

    def mark_started(self, numbers: list[int]) -> None:
        marks = ", ".join("?" * len(numbers))
        self._read(f"update {{table}} set starts = starts + 1 where id in ({marks})", *numbers)

    def postpone(self, number: int, due: int) -> None:
        self._read("update {table} set due = ? where id = ?", due, number)

    def count_start(self, number: int, difference: int) -> None:
        query = "update {table} set starts = max(0, starts + ?) where id = ?"
        self._read(query, difference, number)

    def forget_starts(self, number: int) -> None:
        self._read("update {table} set starts = 0 where id = ? and starts > 0", number)

    def try_again(self, number: int, due: int, attempts: int) -> None:
        self._read(
            "update {table} set due = ?, attempts = ?, starts = 0 where id = ?",
            due,
            attempts,
            number,
        )

    def ended(self, row: Row, now: int) -> None:
        """A run is over: give the timer its next time, or remove it."""
        time = timers.next_time(row["type"], row["detail"], row["time"], now)
        if time is None:
            self.delete(row["id"])
            return
        self._read(
            "update {table} set time = ?, due = ?, attempts = 0, starts = 0 where id = ?",
            time,
            time,
            row["id"],
        )

    # --- the user's own alarm ---------------------------------------------------------

    def alarm(self) -> Row | None:
        rows = self._read("select * from {table} where same = ? and type = ?", _ALARMS, ALARM)
        return rows[0] if rows else None

    def set_alarm(self, time: int, now: int) -> Row:
        """In the place of another one."""
        self.delete_alarm()
        return self._insert(now, "", "null", ALARM, None, None, time, time, _ALARMS)

    def alarm_is_due_at_its_time(self) -> None:
        """It may have been postponed while the one before was running."""
        self._read(
            "update {table} set due = time where same = ? and type = ? and attempts = 0",
            _ALARMS,
            ALARM,
        )

    def delete_alarm(self) -> None:
        self._read("delete from {table} where same = ? and type = ?", _ALARMS, ALARM)

    # --- a capability's own -----------------------------------------------------------

    def own(self, name: str) -> Row | None:
        query = "select * from {table} where same = ? and type = ? and callback = ?"
        rows = self._read(query, _OWN, OWN, name)
        return rows[0] if rows else None

    def insert_own(self, name: str, now: int, due: int) -> Row:
        return self._insert(now, name, "null", OWN, None, None, due, due, _OWN)

    def delete_own(self, name: str) -> bool:
        """Whether there was one."""
        query = "delete from {table} where same = ? and type = ? and callback = ? returning id"
        return bool(self._read(query, _OWN, OWN, name))

    # --- the platform's ---------------------------------------------------------------

    def armed(self) -> int | None:
        """What the platform's alarm was set to last; None if it was taken back."""
        rows = _ARMED.read(self._ctx, "select time from {table}")
        return rows[0]["time"] if rows else None

    def set_armed(self, time: int | None) -> None:
        if time is None:
            _ARMED.read(self._ctx, "delete from {table}")
        else:
            _ARMED.write(self._ctx, "insert or replace into {table} values (0, ?)", time)
