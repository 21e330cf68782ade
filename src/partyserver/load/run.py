"""A load from its first connection to its last."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .accounts import Accounts, Mode
from .addresses import rooms_of, shown, url_of
from .client import Client, Events, Target
from .payloads import Payload
from .report import Progress, Report
from .samples import summary
from .schedule import Backoff, Schedule, opening

#: So often it is looked whether the event loop is late, in seconds.
_TICK = 0.05


@dataclass(frozen=True)
class Options:
    """What is asked for. Times are in seconds.

    Attributes:
        rate: messages a second, of all connections together.
        ramp: so long it takes until all connections are to be open. The messages begin afterwards.
        duration: how long messages are sent, or connections held.
        wait: how long afterwards what is still to come is waited for.
        timeout: how long a connection may take to open. With a `backoff`, that has it.
    """

    url: str
    payload: Payload
    connections: int = 10
    rooms: int = 1
    mode: Mode = Mode.ECHO
    rate: float = 10.0
    ramp: float = 1.0
    duration: float = 10.0
    wait: float = 5.0
    timeout: float = 10.0
    backoff: Backoff | None = None
    headers: Sequence[tuple[str, str]] = ()
    subprotocols: Sequence[str] = ()
    seed: int = 0


async def run(
    options: Options, stop: asyncio.Event, on_second: Callable[[Progress], None]
) -> Report:
    """What came of it, until its end or until `stop` is set."""
    return await _Run(options, stop).run(on_second)


class _Run:
    def __init__(self, options: Options, stop: asyncio.Event) -> None:
        self.options, self.stop = options, stop
        self.clock = asyncio.get_running_loop().time
        self.rooms = rooms_of(options.connections, options.rooms)
        self.accounts = Accounts(self.rooms, options.mode)
        self.events = Events()
        self.clients = [self._client(index, room) for index, room in enumerate(self.rooms)]
        self.schedule = Schedule(options.connections, options.rate, options.duration, options.seed)
        self.lags = array("d")

    def _client(self, index: int, room: int) -> Client:
        options = self.options
        target = Target(
            url_of(options.url, room=room, rooms=options.rooms, connection=index),
            options.headers,
            options.subprotocols,
            options.backoff.timeout if options.backoff else options.timeout,
            options.backoff,
        )
        return Client(index, target, options.payload, self.accounts, self.events)

    async def run(self, on_second: Callable[[Progress], None]) -> Report:
        options, began, cpu = self.options, self.clock(), time.process_time()
        lives = [
            asyncio.create_task(
                client.live(began + opening(index, options.connections, options.ramp))
            )
            for index, client in enumerate(self.clients)
        ]
        beside = [
            asyncio.create_task(self._measure_lag()),
            asyncio.create_task(self._tell(began, on_second)),
        ]
        sends: list[asyncio.Task[None]] = []
        try:
            await self._unless_stopped(_all(client.settled.wait() for client in self.clients))
            start, sending = self.clock(), 0.0
            if options.mode is Mode.CONNECT:
                await self._unless_stopped(asyncio.wait(lives), options.duration)
            elif not self.stop.is_set():
                sends = [
                    asyncio.create_task(client.send(dues, start))
                    for client, dues in zip(self.clients, self.schedule.due(), strict=True)
                ]
                sending = await self._send(sends, lives, start)
            used = (time.process_time() - cpu) / (self.clock() - began)
            stopped_at = self.clock() if self.stop.is_set() else None
            is_open = [client.is_open for client in self.clients]
            settled = [client.settled.is_set() for client in self.clients]
            await asyncio.gather(*(client.close() for client in self.clients))
            # Their ends, and what came before: the others wait to connect, or have ended.
            closing = [life for life, was_open in zip(lives, is_open, strict=True) if was_open]
            if closing:
                await asyncio.wait(closing)
        finally:
            await _cancel([*lives, *sends, *beside])
        return self._report(sending, used, stopped_at, is_open, settled)

    async def _send(
        self, sends: Sequence[asyncio.Task[None]], lives: Sequence[asyncio.Task[None]], start: float
    ) -> float:
        """Until all that is due is sent and has come, or cannot; how many seconds sending took."""
        options, until = self.options, start + self.options.duration + self.options.wait
        over = asyncio.ensure_future(asyncio.wait(lives))
        sent = asyncio.ensure_future(asyncio.wait(sends))
        first = asyncio.wait([sent, over], return_when=asyncio.FIRST_COMPLETED)
        await self._unless_stopped(first, until - self.clock())
        took = self.clock() - start
        await _cancel([*sends, sent])
        while self.accounts.under_way and not (
            over.done() or self.stop.is_set() or self.clock() >= until
        ):
            await asyncio.sleep(_TICK)
        await _cancel([over])
        return took if self.stop.is_set() else max(took, options.duration)

    async def _unless_stopped(self, work: Awaitable[object], timeout: float | None = None) -> None:
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self.stop.wait())]
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        await _cancel(tasks)

    async def _measure_lag(self) -> None:
        while True:
            due = self.clock() + _TICK
            await asyncio.sleep(_TICK)
            self.lags.append(max(0.0, self.clock() - due))

    async def _tell(self, began: float, on_second: Callable[[Progress], None]) -> None:
        accounts, seconds, before = self.accounts, 0, 0
        while True:
            seconds += 1
            await asyncio.sleep(began + seconds - self.clock())
            latency = summary(accounts.latencies[before:])
            before = len(accounts.latencies)
            on_second(
                Progress(
                    seconds,
                    self.options.connections,
                    sum(client.is_open for client in self.clients),
                    self.events.failures.total(),
                    self.events.reconnects,
                    accounts.sent,
                    accounts.received,
                    accounts.under_way,
                    latency.p99 if latency else None,
                )
            )

    def _report(
        self,
        sending: float,
        cpu: float,
        stopped_at: float | None,
        is_open: Sequence[bool],
        settled: Sequence[bool],
    ) -> Report:
        options, accounts, events = self.options, self.accounts, self.events
        was_open = [client.was_open for client in self.clients]
        # What was sent just before an interruption is not lost, but on its way.
        lost = accounts.lost() if stopped_at is None else accounts.lost(stopped_at - options.wait)
        is_sending = options.mode is not Mode.CONNECT
        asked = self.schedule.count() if stopped_at is None else self.schedule.count(sending)
        return Report(
            url=shown(options.url),
            mode=options.mode,
            rooms=options.rooms,
            is_interrupted=stopped_at is not None,
            connections=options.connections,
            opened=sum(was_open),
            failed=sum(
                tried and not opened for tried, opened in zip(settled, was_open, strict=True)
            ),
            ended=sum(opened and not now for opened, now in zip(was_open, is_open, strict=True)),
            reconnects=events.reconnects,
            failures=dict(events.failures.most_common()),
            closes=dict(events.closes.most_common()),
            asked=asked if is_sending else 0,
            sent=accounts.sent,
            rate_asked=options.rate if is_sending else 0,
            rate_reached=round(accounts.sent / sending, 2) if sending else 0,
            expected=accounts.expected,
            received=accounts.received,
            lost=lost,
            under_way=accounts.under_way - lost,
            duplicated=accounts.duplicated,
            disordered=accounts.disordered,
            unexpected=accounts.unexpected,
            own=accounts.own,
            other=events.other,
            latency=summary(accounts.latencies),
            connecting=summary(events.connecting),
            lag=summary(self.lags),
            cpu=round(cpu, 3),
        )


async def _all(waits: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*waits)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel those that go on; what one of them has failed with is raised."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
