"""A room's key-value storage, with Python values in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, overload

from ..rules.cloning import STORED, copy, size
from ..rules.storage import MAX_KEY_SIZE, MAX_SIZE, size_of_key
from ..runtime import values
from ..runtime.storage import transact
from .errors import StorageLimitError

T = TypeVar("T")

#: Milliseconds since 1970 that are more likely meant to be seconds: until March 1973.
SECONDS_BELOW = 100_000_000_000


class Transaction:
    """The reads and writes of a room's storage.

    Keys are `str` of up to 2,048 bytes. Values are what structured cloning takes: dict with
    `str` keys, list, tuple (read back as list), set, str, int, float, bool, None, bytes and
    `datetime` (read back in UTC), of up to 2 MiB with the key. In the platform's older
    objects without SQLite it is 128 KiB, as in PartyKit.
    https://developers.cloudflare.com/durable-objects/platform/limits/

    Raises:
        StorageLimitError: a key or a value is over its limit.
        TypeError: a key or a value is of another type.
        ValueError: a value is nested more than 500 levels deep.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    @overload
    async def get(self, key: str) -> Any: ...
    @overload
    async def get(self, key: Iterable[str]) -> dict[str, Any]: ...
    async def get(self, key: Any) -> Any:
        """The value of a key, or None; of several keys (up to 128), a dict of those that exist."""
        return values.python_value(await self._raw.get(_key_or_keys(key)))

    @overload
    async def put(self, key: str, value: Any) -> None: ...
    @overload
    async def put(self, key: Mapping[str, Any]) -> None: ...
    async def put(self, key: Any, value: Any = None) -> None:
        """Store a value; or, all or none, the values of a dict of up to 128 keys."""
        if isinstance(key, Mapping):
            entries = {_key(one): self._value(one, item) for one, item in key.items()}
            await self._raw.put(values.javascript_value(entries))
        else:
            stored = values.javascript_value(self._value(_key(key), value))
            await self._raw.put(key, stored)

    @overload
    async def delete(self, key: str) -> bool: ...
    @overload
    async def delete(self, key: Iterable[str]) -> int: ...
    async def delete(self, key: Any) -> Any:
        """Delete a key, and tell whether it existed; of several keys, how many of them did."""
        return await self._raw.delete(_key_or_keys(key))

    async def list(
        self,
        *,
        start: str | None = None,
        start_after: str | None = None,
        end: str | None = None,
        prefix: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> dict[str, Any]:
        """All keys and values in the order of the keys, or those that the options choose.

        Args:
            start: the first key.
            start_after: the key before the first one.
            end: the key after the last one.
            prefix: what the keys begin with.
            reverse: begin at the end.
            limit: how many at most.
        """
        options = {
            "start": start,
            "startAfter": start_after,
            "end": end,
            "prefix": prefix,
            "reverse": reverse or None,
            "limit": limit,
        }
        chosen = {name: value for name, value in options.items() if value is not None}
        found: dict[str, Any] = values.python_value(
            await self._raw.list(values.javascript_value(chosen))
        )
        return found

    @staticmethod
    def _value(key: str, value: Any) -> Any:
        stored = copy(value, STORED)
        # Asked before the platform is, because the local runtime lets larger values in.
        if size_of_key(key) + size(stored) > MAX_SIZE:
            raise StorageLimitError("the stored value of", key, MAX_SIZE)
        return stored


class Storage(Transaction):
    """A room's key-value storage, which outlives the room's time in memory.

        await self.room.storage.put("user", {"username": "jani"})
        user = await self.room.storage.get("user")

    It has the reads and writes of a `Transaction`, each of which is one of its own.
    """

    async def delete_all(self) -> None:
        """Delete all keys; and the alarm, with a compatibility date of 2026-02-24 or later."""
        await self._raw.deleteAll()

    async def get_alarm(self) -> int | None:
        """When the alarm is set for, in milliseconds since 1970, or None."""
        return values.python_value(await self._raw.getAlarm())  # type: ignore[no-any-return]

    async def set_alarm(self, when: float | datetime) -> None:
        """Have `on_alarm` called at a time, in milliseconds since 1970 or as a `datetime`.

            await self.room.storage.set_alarm(time.time() * 1000 + 60_000)

        A room has one alarm: another one takes its place.

        Raises:
            ValueError: the time is a number of seconds.
        """
        milliseconds = when.timestamp() * 1000 if isinstance(when, datetime) else when
        if milliseconds < SECONDS_BELOW:
            raise ValueError(
                f"an alarm is set in milliseconds since 1970: time.time() * 1000 + ..., not {when}"
            )
        await self._raw.setAlarm(int(milliseconds))

    async def delete_alarm(self) -> None:
        """Take the alarm back."""
        await self._raw.deleteAlarm()

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do all of what `work(transaction)` writes or, if it raises, nothing of it.

            async def transfer(transaction):
                balance = await transaction.get("balance")
                await transaction.put("balance", balance - 1)

            await self.room.storage.transaction(transfer)

        Returns what `work` returns.
        """
        return await transact(self._raw, lambda raw: work(Transaction(raw)))


class RawStorage:
    """The platform's storage, but with the alarm that the room's `ctx.storage` has.

    A capability that has the platform's alarm, for timers, has put its own there.
    """

    def __init__(self, raw: Any, storage: Any) -> None:
        self._raw = raw
        for name in ("getAlarm", "setAlarm", "deleteAlarm", "deleteAll"):
            setattr(self, name, getattr(storage, name))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def _key(key: Any) -> str:
    if size_of_key(key) > MAX_KEY_SIZE:
        raise StorageLimitError("the storage key", key, MAX_KEY_SIZE)
    return str.__str__(key)


def _key_or_keys(key: Any) -> Any:
    return _key(key) if isinstance(key, str) else values.string_list([_key(one) for one in key])
