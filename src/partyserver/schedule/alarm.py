"""`ctx.storage`'s alarm, in a room whose timers have the platform's: a row among the others."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from typing import Any

from ..rules.timers import alarm_time
from ..runtime import JsProxy, values
from ..runtime.advice import named
from .clock import now_in_ms
from .timers import Timers

_METHODS = ("setAlarm", "getAlarm", "deleteAlarm")


class OwnAlarm:
    """What the SDK's `ctx.storage` gets in the place of its own methods, by the same names.

    As the SDK's, each acts when it is called, and not when it is awaited.
    """

    def __init__(self, timers: Timers, storage: Any) -> None:
        self._timers = timers
        self._rows = timers.rows
        self._delete_all = storage.deleteAll
        self._transaction = storage.transaction
        for name in (*_METHODS, "deleteAll", "transaction"):
            setattr(storage, name, getattr(self, name))

    def setAlarm(self, scheduledTime: Any, options: Any = None) -> Coroutine[Any, Any, None]:
        """Have `on_alarm` called at a time: milliseconds since 1970, or a `datetime`."""
        now = now_in_ms()
        self._rows.set_alarm(max(_milliseconds(scheduledTime), now), now)
        return named(_done(self._timers.arm()), "setAlarm")

    def getAlarm(self, options: Any = None) -> Coroutine[Any, Any, int | None]:
        """When it is set for; None also while `on_alarm` runs, if that has not set another one."""
        row = self._rows.alarm()
        if row is None:
            return named(self._timers.foreign_alarm(), "getAlarm")
        time = None if self._timers.runs.has(row["id"]) else row["time"]
        return named(_value(time), "getAlarm")

    def deleteAlarm(self, options: Any = None) -> Coroutine[Any, Any, None]:
        """Take it back; the timers stay."""
        self._rows.delete_alarm()
        return named(_done(self._timers.arm()), "deleteAlarm")

    def deleteAll(self, *arguments: Any) -> Coroutine[Any, Any, Any]:
        """Delete all, the timers too, and the alarm where the platform does so.

        https://developers.cloudflare.com/changelog/2026-02-24-deleteall-deletes-alarms
        """
        row = self._rows.alarm()
        kept = None if row is None or self._timers.runs.has(row["id"]) else row["time"]
        before = self._timers.foreign_alarm()
        deleted = self._delete_all(*arguments)
        # Asked at once, and so answered as it is after this, whatever comes next.
        left = self._timers.ask_platform()
        return named(self._finish_delete_all(deleted, left, before, kept), "deleteAll")

    async def _finish_delete_all(
        self, deleted: Any, left: Any, before: Awaitable[int | None], kept: int | None
    ) -> Any:
        result = await deleted
        foreign = await before
        if values.python_value(await left) is None:
            return result
        kept = kept if foreign is None else foreign
        if kept is not None and self._rows.alarm() is None:
            self._rows.set_alarm(kept, now_in_ms())
        await self._timers.arm()
        return result

    def transaction(self, closure: Any, *options: Any) -> Coroutine[Any, Any, Any]:
        """The platform's, and the alarm that it gives is this one, and undone with the rest."""
        done = self._transaction(
            lambda transaction: closure(OwnTransaction(transaction, self)), *options
        )
        return named(self._finish_transaction(done), "transaction")

    async def _finish_transaction(self, done: Any) -> Any:
        try:
            return await done
        finally:
            await self._timers.transaction_has_ended()


class OwnTransaction:
    """The platform's transaction, but for the alarm: what that has stored is undone as well."""

    def __init__(self, transaction: Any, alarm: OwnAlarm) -> None:
        self._transaction = transaction
        for name in _METHODS:
            setattr(self, name, getattr(alarm, name))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)


async def _value(value: int | None) -> int | None:
    return value


async def _done(promise: Awaitable[Any]) -> None:
    await promise


def _milliseconds(given: Any) -> int:
    if isinstance(given, JsProxy):
        given = values.python_value(given)  # a Date
    return alarm_time(given)
