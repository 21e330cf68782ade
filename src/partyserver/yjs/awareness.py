"""Awareness: who is here, and where they point. Each client of Yjs tells its own state.

The clients keep a clock for each other, and take only what is newer. So a state that is taken back
for somebody who has gone has the clock that was last seen: one more, and that client's own next
state would be refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

from ..rules.messages import parse_json
from .coding import MalformedError, Reader, integer, text_of

#: Clients that one connection may speak for; it has one, as a rule.
MAX_CLIENTS = 100
#: Clients in one frame. Who comes tells again whom it has been told of: all who are here.
MAX_ENTRIES = 100_000
#: Clients that have gone, whose clocks are remembered.
_MAX_GONE = 1000

#: Characters of a state, which goes to all, and stays in memory.
MAX_STATE = 64 * 1024

C = TypeVar("C", bound=Hashable)


class Entry(NamedTuple):
    """What a client says of itself.

    Attributes:
        client: its number in the document.
        clock: how often it has said something.
        state: an object as JSON; None if it has gone.
    """

    client: int
    clock: int
    state: str | None


def decode(update: bytes, most: int = MAX_CLIENTS) -> list[Entry]:
    """
    Raises:
        MalformedError: it is no awareness update, or one that some client could not read.
    """
    reader = Reader(update)
    count = reader.integer()
    if count > most:
        raise MalformedError(f"one connection speaks for {count} clients")
    entries = []
    for _ in range(count):
        client, clock = reader.integer(), reader.integer()
        entries.append(Entry(client, clock, _state(text_of(reader.bytes()))))
    if not reader.is_at_end:
        raise MalformedError("bytes follow the awareness update")
    return entries


def _state(text: str) -> str | None:
    if text == "null":
        return None
    if len(text) > MAX_STATE:
        raise MalformedError(f"an awareness state has more than {MAX_STATE:,} characters")
    if not text.startswith("{"):
        raise MalformedError("an awareness state is an object, or null")
    try:
        parse_json(text)
    except ValueError as error:
        raise MalformedError(f"an awareness state is not JSON: {error}") from None
    return text


def encode(entries: Iterable[Entry]) -> bytes:
    out = []
    for client, clock, state in entries:
        text = b"null" if state is None else state.encode()
        out.append(integer(client) + integer(clock) + integer(len(text)) + text)
    return integer(len(out)) + b"".join(out)


class _Known(Generic[C]):
    __slots__ = ("clock", "owner", "state")

    def __init__(self, clock: int, state: str | None, owner: C) -> None:
        self.clock = clock
        self.state = state
        self.owner = owner


class Awareness(Generic[C]):
    """Who is here, by which connection. It decides; nothing here sends or stores.

    The providers tell the server again each state that they have got from it, as if it were
    theirs. Such an echo is never newer than what is known. But a client that is back on a new
    connection may also come with the clock that it had.
    """

    def __init__(self) -> None:
        self._known: dict[int, _Known[C]] = {}
        self._clients: dict[C, list[int]] = {}
        #: The last clocks of those who have gone: an echo may come after them.
        self._gone: dict[int, int] = {}

    def take(self, connection: C, entries: Iterable[Entry], *, may_be_echo: bool = False) -> set[C]:
        """Take what has come by a connection; return those of whom something else is to be kept.

        A client belongs to the connection that has spoken for it last: one that is back by a new
        connection does not go when the old one ends. What `may_be_echo` has to be newer for that.

        Raises:
            MalformedError: the connection speaks for too many clients. Nothing has been taken.
        """
        entries = list(entries)
        mine = self._clients.get(connection, [])
        claimed = {
            client for client, clock, state in entries if state and self._last(client) < clock
        }
        if len(claimed.union(mine)) > MAX_CLIENTS:
            raise MalformedError(f"one connection speaks for more than {MAX_CLIENTS} clients")
        changed: set[C] = set()
        for client, clock, state in entries:
            known = self._known.get(client)
            last = self._last(client)
            if clock < last or clock == 0:
                continue
            if clock == last and may_be_echo and (known is None or state is not None):
                continue
            if state is None:
                if known is not None:
                    self._forget(client, clock, known)
                    changed.add(known.owner)
                continue
            if known is None:
                self._gone.pop(client, None)
                known = self._known[client] = _Known(clock, state, connection)
                self._clients.setdefault(connection, []).append(client)
            elif known.owner != connection:
                changed.add(known.owner)
                self._disown(client, known.owner)
                known.owner = connection
                self._clients.setdefault(connection, []).append(client)
            elif clock == last:
                continue
            if clock > last:
                known.clock, known.state = clock, state
            changed.add(connection)
        return changed

    def find(self, connection: C, entries: Iterable[Entry]) -> None:
        """Take what was kept with a connection while the room slept."""
        for client, clock, state in entries:
            known = self._known.get(client)
            if known is not None:
                if known.clock > clock:
                    continue
                self._disown(client, known.owner)
            self._known[client] = _Known(clock, state, connection)
            self._clients.setdefault(connection, []).append(client)

    def held(self, connection: C) -> list[Entry]:
        """What is to be kept with a connection."""
        clients = self._clients.get(connection, ())
        return [Entry(c, self._known[c].clock, self._known[c].state) for c in clients]

    def present(self) -> list[Entry]:
        """All who are here, for somebody who comes."""
        return [
            Entry(client, known.clock, known.state)
            for client, known in self._known.items()
            if known.state is not None
        ]

    def leave(self, connection: C) -> list[Entry]:
        """A connection has ended: what the others are to be told."""
        left = []
        for client in self._clients.pop(connection, []):
            clock = self._known.pop(client).clock
            self._remember(client, clock)
            left.append(Entry(client, clock, None))
        return left

    def speaks_for(self, connection: C, entries: Iterable[Entry]) -> bool:
        """Whether a client in these is a connection's own."""
        mine = self._clients.get(connection, ())
        return any(entry.client in mine for entry in entries)

    def _last(self, client: int) -> int:
        """The clock that was seen last; 0 of a client that nobody knows."""
        known = self._known.get(client)
        return self._gone.get(client, 0) if known is None else known.clock

    def _forget(self, client: int, clock: int, known: _Known[C]) -> None:
        del self._known[client]
        self._disown(client, known.owner)
        self._remember(client, clock)

    def _remember(self, client: int, clock: int) -> None:
        self._gone.pop(client, None)
        self._gone[client] = clock
        if len(self._gone) > _MAX_GONE:
            del self._gone[next(iter(self._gone))]

    def _disown(self, client: int, owner: C) -> None:
        clients = self._clients[owner]
        clients.remove(client)
        if not clients:
            del self._clients[owner]
