"""What an agent does one after the other, in the background, also if it sleeps in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from ..errors import PartyServerError
from ..parts import Part, attach
from ..reserved import life_of
from ..rules import callbacks, failures, timers
from ..rules.messages import parse_json
from ..rules.retry import Retry
from ..runtime import platform
from ..schedule.clock import now_in_ms
from ..schedule.mixin import timers_of
from ..tables import Table
from ..usercode import FAILURES, call

if TYPE_CHECKING:
    from ..life import Life
    from ..schedule.timers import Timers

#: By which the timers call the queue.
_NAME = "queue"
#: An item that has been begun so often, and never ended, is given up: it may be what ends the
#: object each time.
_MAX_STARTS = 3

_QUEUE = Table(
    "agent_queue",
    """id integer primary key,
    callback text not null,
    payload text not null,
    retry text,
    starts integer not null default 0""",
)
_INSERT = """
    insert into {table} (id, callback, payload, retry)
    values (max(?, 1 + coalesce((select max(id) from {table}), 0)), ?, ?, ?) returning id"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queued:
    """What waits in an agent's queue.

    Attributes:
        id: what `get_queue` and `dequeue` take.
        callback: the name of the method that it calls.
        payload: what that is called with, as JSON keeps it: a tuple is a list.
        retry: how often it is tried if it fails.
    """

    id: str
    callback: str
    payload: Any
    retry: Retry = field(default_factory=Retry)


class Queue:
    """The queue of one agent, in one life of it."""

    __slots__ = ("_last_id", "_life", "_running", "_timers")

    def __init__(self, life: Life, timers: Any) -> None:
        self._life = life
        self._timers: Timers = timers
        self._running: asyncio.Task[Any] | None = None
        self._last_id = 0
        timers.runs.own[_NAME] = self._run

    # --- what waits -------------------------------------------------------------------

    async def add(self, callback: Any, payload: Any, retry: Any) -> str:
        name = callbacks.name_of(self._life.owner, callback)
        text, kept_retry = timers.payload_json(payload), timers.retry_json(retry)
        # They rise, and none comes again after `deleteAll`.
        at_least = max(self._last_id + 1, now_in_ms() * 2**11)
        (row,) = _QUEUE.write(self._life.ctx, _INSERT, at_least, name, text, kept_retry)
        self._last_id = row["id"]
        await self._timers.run_soon(_NAME)
        return timers.id_of(row["id"])

    def get(self, id: Any) -> Queued | None:
        number = timers.number_of(id)
        rows = [] if number is None else self._read("select * from {table} where id = ?", number)
        return self._queued(rows[0]) if rows else None

    def all(self) -> list[Queued]:
        return [self._queued(row) for row in self._read("select * from {table} order by id")]

    def remove(self, id: Any) -> bool:
        number = timers.number_of(id)
        query = "delete from {table} where id = ? returning id"
        return number is not None and bool(self._read(query, number))

    def remove_all(self, callback: Any) -> int:
        if callback is None:
            return len(self._read("delete from {table} returning id"))
        name = callback
        if not isinstance(callback, str):
            name = callbacks.name_of(self._life.owner, callback)
        return len(self._read("delete from {table} where callback = ? returning id", name))

    def _queued(self, row: Row) -> Queued:
        payload = parse_json(row["payload"])
        return Queued(timers.id_of(row["id"]), row["callback"], payload, self._retry(row))

    def _retry(self, row: Row) -> Retry:
        return timers.stored_retry(row["retry"], self._life.options.get("retry"))

    def _read(self, query: str, *params: Any) -> list[Row]:
        return _QUEUE.read(self._life.ctx, query, *params)

    # --- what runs --------------------------------------------------------------------

    def started(self) -> None:
        """Take up what an earlier life has left, if the timers do not know of it."""
        if self._read("select id from {table} limit 1"):
            self._life.wait_until(self._timers.run_soon(_NAME))

    async def _run(self) -> None:
        """Do all that waits. It is called at least once, and may be called again meanwhile."""
        while self._running is not None:
            await asyncio.wait([self._running])
        # What has been queued since that one looked for the last time is this one's.
        self._running = asyncio.current_task()
        try:
            while rows := self._read("select * from {table} order by id limit 1"):
                await self._do(rows[0])
                self._timers.goes_on(_NAME)
        finally:
            self._running = None

    async def _do(self, row: Row) -> None:
        number = row["id"]
        where = f"the queued {row['callback']}"
        if row["starts"] >= _MAX_STARTS:
            error = PartyServerError(
                f"{where} was begun {_MAX_STARTS} times and never ended: each time the object was "
                "evicted or reset. It is given up"
            )
            self._life.report(where, error)
        else:
            self._read("update {table} set starts = starts + 1 where id = ?", number)
            await self._timers.ask_platform()  # in which time this is stored
            await self._try(row, where)
        self._read("delete from {table} where id = ?", number)

    async def _try(self, row: Row, where: str) -> None:
        owner = self._life.owner
        method = callbacks.find(owner, row["callback"])
        if method is None:
            platform.log_error(
                f"{self._life.label}: {where} is no method of {type(owner).__name__} any more. It "
                "is taken as done."
            )
            return
        retry = self._retry(row)
        attempt = 1
        while self._is_there(row["id"]):
            try:
                await _call(method, row["payload"])
                return
            except FAILURES as error:
                if attempt >= retry.max_attempts:
                    self._life.report(where, error)
                    return
                pause = retry.delay_ms(attempt, platform.random_fraction())
                platform.log_warning(
                    f"{self._life.label}: {where} has failed, attempt {attempt} of "
                    f"{retry.max_attempts}; the next is in {pause} ms. {failures.summary(error)}"
                )
            await asyncio.sleep(pause / 1000)
            attempt += 1

    def _is_there(self, number: int) -> bool:
        return bool(self._read("select id from {table} where id = ?", number))


async def _call(method: Callable[..., Any], payload: str) -> Any:
    if callbacks.takes_payload(method):
        return await call(method, parse_json(payload))
    return await call(method)


def _construct(server: Any) -> Queue:
    return Queue(life_of(server), timers_of(server))


def _started(server: Any) -> None:
    _of(server).started()


#: Behind the timers, which it asks for.
_PART = Part(name="queue", rank=610, construct=_construct, started=_started)


def _of(server: Any) -> Queue:
    queue: Queue = _PART.of(server)
    return queue


@attach(_PART)
class QueueMethods:
    """What an agent does later, one after the other."""

    async def queue(
        self,
        callback: str | Callable[..., Any],
        payload: Any = None,
        *,
        retry: Retry | None = None,
    ) -> str:
        """Have a method called soon, when all that was queued before has ended; return an id.

            await self.queue(self.summarize, {"message": 42})

        The queue is stored, and goes on after an eviction: each item runs at least once. One that
        fails is tried again, while the others wait, and `on_exception` gets the error after the
        last attempt. It must be awaited.

        There is no time-out: an item that does not end holds up all after it. One that has been
        begun 3 times and cut off each time, by an eviction, a reset or a deployment, is given up,
        and `on_exception` is told.

        Args:
            callback: a method of this agent, or its name. It takes the payload, or nothing.
            payload: JSON of at most 1,000,000 bytes.
            retry: how often it is tried if it fails. Default: `options["retry"]`, or
                else `partyserver.schedule.Retry()`.

        Raises:
            TypeError, ValueError: what is given cannot be queued; the message says what can.
        """
        return await _of(self).add(callback, payload, retry)

    def dequeue(self, id: str) -> bool:
        """Remove an item, and tell whether there was one.

        One that is running ends, and is not tried again.
        """
        return _of(self).remove(id)

    def dequeue_all(self, callback: str | Callable[..., Any] | None = None) -> int:
        """Remove all items, or those of a method, and tell how many there were."""
        return _of(self).remove_all(callback)

    @overload
    def get_queue(self) -> list[Queued]: ...
    @overload
    def get_queue(self, id: str) -> Queued | None: ...
    def get_queue(self, id: str | None = None) -> Any:
        """The items that wait, in their order, and the one that runs; or the one with this id."""
        return _of(self).all() if id is None else _of(self).get(id)
