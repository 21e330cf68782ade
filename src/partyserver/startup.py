"""`on_start`: once per life in memory, and before everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from workers.entrypoints import DurableObjectAbort

from . import attribution, tasks
from .rules.contract import calls_are_own
from .runtime import JsException, can_run_sync, events
from .runtime.io_context import Gate
from .usercode import is_pending, settled

#: Set while `on_start` runs: what it calls is not made to wait for it.
_inside_on_start: ContextVar[bool] = ContextVar("inside_on_start", default=False)


class Startup:
    """Holds events back until `on_start` has finished, then lets them through in order.

    An object that has just been created or woken has not started. The first event starts
    it; if `on_start` raises, that event fails with its error and the next one tries again.
    If `on_start` aborts the object, none does: the platform is about to end it.
    """

    def __init__(
        self,
        ctx: Any,
        on_start: Callable[[], Awaitable[None] | None],
        on_started: Callable[[], None],
    ) -> None:
        self.started = False
        #: Whether the object's `__init__` has returned; until then its calls are its own.
        self.constructed = False
        self._ctx = ctx
        self._on_start = on_start
        self._on_started = on_started
        self._starting = False
        self._abort: DurableObjectAbort | None = None
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    @property
    def open_to_calls(self) -> bool:
        """Whether a public method that is called now may run now."""
        return self.started or not self.constructed or _inside_on_start.get() or calls_are_own.get()

    @property
    def to_be_waited_for(self) -> bool:
        return not self.started and self.constructed and not _inside_on_start.get()

    @property
    def can_have_props(self) -> bool:
        """Whether `on_start` is still to be called."""
        return not self.started and not self._starting

    def run(self, event: Callable[[], Any]) -> Any:
        """`event()`, now if possible, else a future of its result once the start is over."""
        if self.started:
            return event()
        future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        self._waiting.append((event, future))
        if not self._starting:
            self._starting = True
            if can_run_sync():
                self._begin()
            else:  # a message's direct entry; on_start may block on synchronous HTTP
                asyncio.get_event_loop().call_soon(self._begin)
        return future.result() if future.done() else future

    def _begin(self) -> None:
        if self._abort is not None:
            self._end(self._abort)
            return
        inside, event_of = _inside_on_start.set(True), attribution.current.set(None)
        try:
            result = self._on_start()
            if is_pending(result):
                tasks.run(self._begin_gated(result))
                return
        except BaseException as error:
            self._end(error)
            return
        finally:
            _inside_on_start.reset(inside)
            attribution.current.reset(event_of)
        self._end(None)

    async def _begin_gated(self, on_start: Awaitable[None]) -> None:
        async def work() -> None:
            _inside_on_start.set(True)
            try:
                with Gate():
                    await settled(on_start)
            except GeneratorExit:
                raise  # the object is being collected
            except BaseException as error:  # even a CancelledError, or the room would wait for ever
                self._end(error)
            else:
                self._end(None)

        try:
            await events.block_concurrency(self._ctx, work)
        except JsException as error:  # the platform's time limit has reset the object
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if not self._starting:
            return
        self._starting = False
        self.started = error is None
        # Whoever was cancelled waits no longer.
        self._waiting = [one for one in self._waiting if not one[1].done()]
        if error is not None:
            if isinstance(error, DurableObjectAbort):
                self._abort = error
            failing = len(self._waiting) if self._abort is not None else 1
            for _, future in self._waiting[:failing]:
                future.set_exception(error)
            del self._waiting[:failing]
            if self._waiting:
                self._starting = True
                self._begin()
            return
        self._on_started()
        # Here, and not after a turn of the event loop, so that no later event overtakes them.
        waiting, self._waiting = self._waiting, []
        for event, future in waiting:
            try:
                outcome = event()
            except BaseException as failure:
                _settle(future.set_exception, future, failure)
            else:
                _settle(future.set_result, future, outcome)


def _settle(settle: Callable[[Any], None], future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():  # an event before may have cancelled it
        settle(value)
