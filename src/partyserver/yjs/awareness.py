"""Awareness: who is here, and where they point. Each client of Yjs tells its own state.

The clients keep a clock for each other, and take only what is newer. So a state that is taken back
for somebody who has gone has the clock that was last seen: one more, and that client's own next
state would be refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
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
#: Characters of all states that one connection has told; a client's has some hundred, as a rule.
MAX_OF_CONNECTION = 2 * MAX_STATE
#: Characters of all states in a room, where all rooms of a process have 128 MB.
MAX_OF_ROOM = 2_000_000
#: The largest clock that is taken: a client that moves 60 times a second has it after a year.
MAX_CLOCK = 2**31
#: By how much a clock may be above the last one that is known of a client. It may have been away
#: for hours; but somebody else must not use up all of its clocks at once.
MAX_AHEAD = 100_000
#: Characters of states that are told in one frame.
_FRAME = 128 * 1024

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
    size = 0
    for _ in range(count):
        client, clock = reader.integer(), reader.integer()
        text = text_of(reader.bytes())
        size += len(text)
        if size > MAX_OF_ROOM:
            raise MalformedError(f"awareness states have more than {MAX_OF_ROOM:,} characters")
        entries.append(Entry(client, clock, _state(text)))
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


def in_frames(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The same in parts, each of which is no long frame."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        if part and size + _size(entry.state) > _FRAME:
            yield part
            part, size = [], 0
        part.append(entry)
        size += _size(entry.state)
    if part:
        yield part


def _size(state: str | None) -> int:
    """Characters, with what a client takes that has none."""
    return 4 if state is None else len(state)


class Taken(NamedTuple, Generic[C]):
    """What has been taken of a frame.

    Attributes:
        changed: the connections of which something else is to be kept.
        news: what the others are to be told, once for each client.
    """

    changed: set[C]
    news: list[Entry]


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
        #: Characters of the states of all.
        self._size = 0
        #: The last clocks of those who have gone: an echo may come after them.
        self._gone: dict[int, int] = {}

    def take(
        self, connection: C, entries: Iterable[Entry], *, may_be_echo: bool = False
    ) -> Taken[C]:
        """Take what has come by a connection.

        A client belongs to the connection that has spoken for it last: one that is back by a new
        connection does not go when the old one ends. What `may_be_echo` has to be newer for that.

        What has a clock far above the last one is passed over, and so is a state for which there is
        no room: by either somebody could shut others out, so it is no fault of who comes with it.

        Raises:
            MalformedError: the connection speaks for too many clients. Nothing has been taken.
        """
        entries = [entry for entry in entries if self._is_near(entry)]
        mine = self._clients.get(connection, [])
        claimed = {
            client for client, clock, state in entries if state and self._last(client) < clock
        }
        if len(claimed.union(mine)) > MAX_CLIENTS:
            raise MalformedError(f"one connection speaks for more than {MAX_CLIENTS} clients")
        changed: set[C] = set()
        news: dict[int, Entry] = {}
        size = self.size_of(connection)
        for entry in entries:
            client, clock, state = entry
            known = self._known.get(client)
            last = self._last(client)
            if clock < last or clock == 0:
                continue
            if clock == last and may_be_echo and (known is None or state is not None):
                continue
            if state is None:
                if known is not None:
                    if known.owner == connection:
                        size -= _size(known.state)
                    self._forget(client, clock, known)
                    changed.add(known.owner)
                    news[client] = entry
                continue
            is_mine = known is not None and known.owner == connection
            if is_mine and clock == last:
                continue
            before = 0 if known is None else _size(known.state)
            after = len(state) if clock > last else before or len(state)
            more = after - before if is_mine else after
            if more > 0 and size + more > MAX_OF_CONNECTION:
                continue
            if after > before and self._size + after - before > MAX_OF_ROOM:
                continue
            size += more
            self._size += after - before
            if known is None:
                self._gone.pop(client, None)
                known = self._known[client] = _Known(clock, state, connection)
                self._clients.setdefault(connection, []).append(client)
            elif not is_mine:
                changed.add(known.owner)
                self._disown(client, known.owner)
                known.owner = connection
                self._clients.setdefault(connection, []).append(client)
            if clock > last:
                known.clock, known.state = clock, state
            changed.add(connection)
            news[client] = Entry(client, clock, known.state)
        return Taken(changed, list(news.values()))

    def find(self, connection: C, entries: Iterable[Entry]) -> None:
        """Take what was kept with a connection while the room slept."""
        for client, clock, state in entries:
            known = self._known.get(client)
            if known is not None:
                if known.clock > clock:
                    continue
                self._disown(client, known.owner)
                self._size -= _size(known.state)
            self._known[client] = _Known(clock, state, connection)
            self._size += _size(state)
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
            known = self._known.pop(client)
            self._size -= _size(known.state)
            self._remember(client, known.clock)
            left.append(Entry(client, known.clock, None))
        return left

    def size_of(self, connection: C) -> int:
        """Characters of the states that a connection has told."""
        return sum(_size(self._known[one].state) for one in self._clients.get(connection, ()))

    def repeated(self, connection: C, entries: Iterable[Entry]) -> list[Entry]:
        """Those of these that a connection has told before, of clients of its own."""
        mine = self._clients.get(connection, ())
        return [
            one for one in entries if one.client in mine and one.clock <= self._last(one.client)
        ]

    def _is_near(self, entry: Entry) -> bool:
        """Whether a clock is one that its client may have by now."""
        last = self._last(entry.client)
        most = min(last + MAX_AHEAD, MAX_CLOCK) if last else MAX_CLOCK
        return entry.clock <= most

    def _last(self, client: int) -> int:
        """The clock that was seen last; 0 of a client that nobody knows."""
        known = self._known.get(client)
        return self._gone.get(client, 0) if known is None else known.clock

    def _forget(self, client: int, clock: int, known: _Known[C]) -> None:
        del self._known[client]
        self._size -= _size(known.state)
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
