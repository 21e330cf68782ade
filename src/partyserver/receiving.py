"""A message, from its connection to the hook."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from time import time
from types import CoroutineType
from typing import Any, Protocol

from . import tasks
from .connection import OPEN_PHASE, Connection, RoomConnection
from .errors import ClientError, ConnectionClosedError
from .parts import NOT_MINE, Handlers
from .rules import failures
from .rules.closing import MESSAGE_TOO_BIG, POLICY_VIOLATION
from .rules.options import PLATFORM_MAX_MESSAGE_SIZE, ServerOptions
from .rules.rate import Allowance, Rate
from .runtime import events
from .startup import Startup
from .usercode import FAILURES, finish, is_pending

#: Called with where it was, and the failure.
Report = Callable[[str, BaseException], None]


class MessageHooks(Protocol):
    """The user's, which messages call."""

    def on_message(self, connection: Connection, message: str | bytes) -> Any: ...
    def on_rate_limited(self, connection: Connection) -> Any: ...


class Receiving:
    """What is done with the messages of one room."""

    __slots__ = ("_max_message_size", "_rate", "_receiver", "_report", "_server", "_startup")

    def __init__(
        self,
        server: MessageHooks,
        startup: Startup,
        claims: Handlers,
        report: Report,
    ) -> None:
        self._server = server
        self._startup = startup
        self._report = report
        #: Whose `on_message` gets the messages: the user's, unless parts may claim some.
        self._receiver: Any = _Claims(server, claims) if claims else server
        self._max_message_size: int | None = None
        self._rate: Rate | None = None

    def by(self, options: ServerOptions) -> Callable[..., Any]:
        """The function that takes messages by these options.

        It is called with a connection, its message, and what runs an `async` hook.
        """
        maximum = options["max_message_size"]
        self._max_message_size = maximum if maximum < PLATFORM_MAX_MESSAGE_SIZE else None
        rate = options["rate"]
        self._rate = None if rate is None else Rate(rate)
        return self._receive if rate is None else self._receive_limited

    def _receive(
        self, connection: RoomConnection, message: str | bytes, run: Any = tasks.run
    ) -> Any:
        """The hot path, called in a context in which the hook may set a `ContextVar`."""
        if connection.phase is not OPEN_PHASE:
            return None
        try:
            if self._max_message_size is not None and self._too_big(connection, message):
                return None
            if not self._startup.started:
                return self._receive_later(connection, message, run)
            result = self._receiver.on_message(connection, message)
            # As `is_pending`: the call would be one more for each message.
            if result is None or not (type(result) is CoroutineType or isawaitable(result)):
                return None
            task = run(finish(result, partial(self._failed, connection), "on_message"))
            return None if task.done() else events.promise_of(task)
        except FAILURES as error:
            self._failed(connection, "on_message", error)
            return None

    def _receive_later(self, connection: RoomConnection, message: str | bytes, run: Any) -> Any:
        """Start first, or wait for the start, whose failure is none of the message."""
        event = partial(copy_context().run, self._begin, connection, message)
        try:
            return self._finished(self._startup.run(event), self._report, "on_message", run)
        except FAILURES as error:
            self._report("on_message", error)
            return None

    def _begin(self, connection: RoomConnection, message: str | bytes) -> Any:
        """The hook for a message that had to wait; a coroutine if there is more to await."""
        try:
            result = self._receiver.on_message(connection, message)
        except FAILURES as error:
            self._failed(connection, "on_message", error)
            return None
        if not is_pending(result):
            return None
        return finish(result, partial(self._failed, connection), "on_message")

    def _failed(self, connection: RoomConnection, where: str, error: BaseException) -> None:
        """Tell the sender what a hook has to say to it; all else is a failure."""
        if not isinstance(error, ClientError):
            self._report(where, error)
            return
        try:
            with suppress(ConnectionClosedError):
                connection.send(failures.client_frame(error))
        except FAILURES as another:  # of a subclass without a message, or with one that is no text
            self._report(where, another)

    def _finished(self, result: Any, report: Report, where: str, run: Any) -> Any:
        if not is_pending(result):
            return None
        task = run(finish(result, report, where))
        return None if task.done() else events.promise_of(task)

    def _too_big(self, connection: RoomConnection, message: str | bytes) -> bool:
        limit = self._max_message_size or PLATFORM_MAX_MESSAGE_SIZE
        size = len(message)
        if isinstance(message, str) and size <= limit < size * 4:
            size = len(message.encode(errors="surrogatepass"))
        if size > limit:
            connection.end(MESSAGE_TOO_BIG, f"a message has at most {limit} bytes")
        return size > limit

    # --- the rate ---------------------------------------------------------------------

    def _receive_limited(
        self, connection: RoomConnection, message: str | bytes, run: Any = tasks.run
    ) -> Any:
        """`_receive` for a room whose options have a rate."""
        rate = self._rate
        if rate is None or connection.phase is not OPEN_PHASE:
            return None
        now = time()
        allowance = connection.allowance
        if allowance is None:
            allowance = Allowance(rate, now)
            connection.allowance = allowance  # type: ignore[misc]
        if allowance.take(rate, now):
            return self._receive(connection, message, run)
        if rate.closes:
            connection.end(POLICY_VIOLATION, "too many messages")
        elif self._startup.started:  # what is dropped starts no room
            report = partial(self._failed, connection)
            try:
                result = self._server.on_rate_limited(connection)
                return self._finished(result, report, "on_rate_limited", run)
            except FAILURES as error:
                report("on_rate_limited", error)
        return None


class _Claims:
    """Offers each message to the parts before the user's hook gets it."""

    def __init__(self, server: Any, handlers: Handlers) -> None:
        self._server = server
        self._handlers = handlers

    def on_message(self, connection: RoomConnection, message: str | bytes) -> Any:
        for handler in self._handlers:
            result = handler(self._server, connection, message)
            if result is not NOT_MINE:
                return result
        return self._server.on_message(connection, message)
