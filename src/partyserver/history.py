"""`History`: what a client has missed, it gets when it is back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar, Final

from .connection import Connection, RoomConnection
from .errors import ConnectionClosedError
from .parts import Part, attach
from .reserved import life_of
from .rules.history import (
    EVENT,
    GAP,
    HistoryOptions,
    check_options,
    check_range,
    event_json,
    event_message,
    gap_message,
    parse_since,
    resume,
)
from .rules.messages import check_levels
from .runtime import JsException, sockets
from .tables import Table

__all__ = ["History", "HistoryOptions"]

_EVENTS = Table("history", "seq integer primary key, time integer not null, value text not null")

#: What has passed out of a history, by number or by age, but for the last event: its number is
#: where the next life of the room goes on. Where nothing is to be deleted, two rows are read.
_TRIM = """delete from {table} where seq < min(
    (select max(seq) from {table}),
    max(?, coalesce((select seq from {table} where time >= ? order by seq limit 1), 9e15))
)"""
_LAST = "select seq, time from {table} order by seq desc limit 1"
_FIRST = "select seq from {table} where time >= ? order by seq limit 1"
_PAGE = "select seq, value from {table} where seq > ? and time >= ? order by seq limit ?"
#: As `event_message` makes them.
_MESSAGES = """select '{"type":"event","seq":' || seq || ',"data":' || value || '}'
    from {table} where seq > ? and time >= ? order by seq"""


class _Log:
    """The events of one room, in one life of it."""

    __slots__ = ("_last", "_life", "_options", "_time")

    def __init__(self, server: Any) -> None:
        self._life = life_of(server)
        self._options: HistoryOptions = type(server).history_options
        # Known from here on: `deleteAll` must not take the numbers back.
        rows = _EVENTS.read(self._life.ctx, _LAST)
        self._last: int = rows[0]["seq"] if rows else 0
        self._time: int = rows[0]["time"] if rows else 0

    def publish(self, value: Any, exclude: Any) -> int:
        text = event_json(_plain(value))
        connections = self._life.connections
        excluded = connections.excluded(exclude)
        number, now = self._last + 1, _now()
        # Clocks may go back, and the older of two events shall be the first that is too old.
        published = max(now, self._time)
        _EVENTS.write(
            self._life.ctx, "insert into {table} values (?, ?, ?)", number, published, text
        )
        send = partial(connections.broadcast, event_message(number, text), excluded)
        transaction = self._life.transaction
        if transaction is None:
            send()
        else:  # what may be undone nobody has heard of
            transaction.at_end(send, partial(self._go_back_to, self._last, self._time))
        self._last, self._time = number, published
        self._trim(now)
        return number

    def _go_back_to(self, last: int, time: int) -> None:
        self._last, self._time = last, time

    def replay(self, connection: RoomConnection) -> None:
        """Send a new connection what it asks for. Nothing newer can come before the end of it."""
        asked = connection.query.get("since")
        if asked is None:
            return
        since = parse_since(asked)
        if since == self._last:
            return
        now = _now()
        self._trim(now)
        oldest = self._options.oldest_time(now)
        rows = _EVENTS.read(self._life.ctx, _FIRST, oldest)
        first = rows[0]["seq"] if rows else self._last + 1
        has_gap, after = resume(since, first, self._last)
        try:
            if has_gap:
                connection.send(gap_message(first))
            if rows:
                messages = _EVENTS.cursor(self._life.ctx, _MESSAGES, after, oldest)
                sockets.send_rows(connection.socket, messages)
        except (ConnectionClosedError, JsException):
            if connection.is_open:
                raise

    def read(self, since: Any, limit: Any) -> list[tuple[int, Any]]:
        check_range(since, limit)
        if since >= self._last:
            return []
        options = self._options
        rows = _EVENTS.read(
            self._life.ctx,
            _PAGE,
            max(since, options.oldest_number(self._last) - 1),
            options.oldest_time(_now()),
            min(limit, options.max_events),
        )
        return [(row["seq"], json.loads(row["value"])) for row in rows]

    def _trim(self, now: int) -> None:
        number, time = self._options.oldest_number(self._last), self._options.oldest_time(now)
        _EVENTS.read(self._life.ctx, _TRIM, number, time)  # which makes no table


def _plain(value: Any) -> Any:
    """An event of `partyserver.events` as the dict that it is on the wire; others as they are."""
    if not hasattr(type(value), "__struct_config__"):
        return value
    from msgspec import to_builtins  # whose struct it is, and so it has been loaded

    check_levels(value, type(value).__name__)
    return to_builtins(value, str_keys=True)


def _now() -> int:
    return int(time.time() * 1000)


def _accepted(server: Any, connection: RoomConnection, context: Any) -> None:
    HISTORY.of(server).replay(connection)


HISTORY: Final = Part(
    name="history",
    rank=400,
    reserves=(EVENT, GAP),
    define=check_options,
    construct=_Log,
    accepted=_accepted,
)


@attach(HISTORY)
class History:
    """Numbers and keeps what a room publishes, and sends clients what they have missed.

        class Room(History, Server):
            options = {"hibernate": True}
            history_options = HistoryOptions(max_events=500, max_age=timedelta(hours=1))

            def on_message(self, connection, message):
                self.publish({"from": connection.id, "text": message})

    Every client gets `{"type": "event", "seq": 42, "data": value}`. One that connects with
    `?since=41` in its URL gets all that came after event 41 first: in order, each once, and before
    anything newer. So partysocket resumes with
    `query: () => ({ since: String(last) })`.

    `{"type": "history_gap", "first": n}` comes before that if something is missing: what the client
    has not had is no longer kept, or `since` is a number that was never given, or none. Then what
    is there follows, and its first event is `n`. Without `since` nothing is replayed.

    The room has to be stored in SQLite (`new_sqlite_classes`).
    """

    history_options: ClassVar[HistoryOptions] = HistoryOptions()
    """How much is kept."""

    def publish(self, value: Any, exclude: Iterable[str | Connection] = ()) -> int:
        """Number a value, store it, and send it to every open connection; return its number.

            self.publish({"text": text}, exclude=[connection])

        The numbers begin at 1, and each is one more than the last. What is sent is the JSON that is
        stored. It leaves the room when it is stored, as everything that a room sends:
        https://developers.cloudflare.com/durable-objects/reference/in-memory-state/

        In `transaction` it is sent when that is done, and neither numbered nor sent if it is
        undone. (Of the platform's own `ctx.storage.transactionSync` a room does not know.)

        Args:
            value: JSON of at most 1,900,000 bytes, nested at most 500 levels deep; or an event of
                `partyserver.events`, which is published as it is on the wire.
            exclude: as for `broadcast`. It does not hold for replays: who is left out gets the
                event when it resumes from a number before it.

        Raises:
            TypeError, ValueError: the value or `exclude` is none. As after a `SQLError`, nothing
                is numbered, stored or sent.
            SQLError: it cannot be stored.
        """
        number: int = HISTORY.of(self).publish(value, exclude)
        return number

    def read_events(self, since: int = 0, limit: int = 100) -> list[tuple[int, Any]]:
        """The events after number `since` that are kept, oldest first: their numbers and values.

        Args:
            since: from 0, which is before the first.
            limit: at most so many, from 1.

        Raises:
            TypeError, ValueError: an argument is no such number.
        """
        events: list[tuple[int, Any]] = HISTORY.of(self).read(since, limit)
        return events
