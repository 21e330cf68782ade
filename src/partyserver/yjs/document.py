"""The document of one room: rows of its SQLite, and in memory only what somebody has asked for.

Each update that brings something new is a row, written before anybody hears of it. After some
hundred, they become one; and when these have grown to half of the rest, all is written anew,
without what is deleted. So there are three levels: the base, what has been folded, and the newest.

Whoever comes with nothing gets the rows as they are. To tell what is new, and who lacks what, which
clocks there are is enough: all of the document is read for those who have some of it and lack more
than has been folded since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import inf
from time import monotonic
from typing import Any

from ..rules.options import PLATFORM_MAX_MESSAGE_SIZE
from ..runtime import JsException, sockets, storage
from ..tables import Table
from . import bounds, frames, updates
from .bounds import DocumentFullError
from .coding import Reader, integer
from .coverage import Coverage
from .rows import MAX_ROW, decode, parts, stored
from .store import Store
from .updates import EMPTY_UPDATE, EMPTY_VECTOR, Update

_NEWEST, _FOLDED, _BASE = range(3)
#: What the base has behind clocks that were missing, once more: nobody can say that they have it.
_BEHIND_GAPS = 3

# more: whether the next row has the rest of this update.
_LOG = Table(
    "yjs",
    "id integer primary key, level integer not null, more integer not null, data blob not null",
)
_APPEND = f"insert into {_LOG.name} (level, more, data) values ({_NEWEST}, 0, ?)"
# What `Coverage.encode` gives, and the state vector of the base, as they were when the newest
# updates were folded.
_INDEX = Table("yjs_index", "name text not null, part integer not null, data blob not null")
_COVERAGE, _BASE_VECTOR = "coverage", "base"
#: What the base and what has been folded weigh, at most, without the clients.
_WEIGHT = "weight"
#: Whether there is an edit that `on_save` has not been told of.
_UNSAVED = "unsaved"

#: Updates after which the newest become one.
_FOLD_AFTER = 200
#: Bytes of the newest, after which they do as well: a room that wakes reads them all.
_FOLD_AFTER_SIZE = 256 * 1024
#: Updates that have been folded, after which they become one: a newcomer gets a frame for each.
_MOST_FOLDED = 20
#: Updates after which the newest become one where nobody is left.
_FOLD_BEFORE_REST = 50
#: Bytes of what has been folded, up to which all is left as it is.
_SMALL = 16 * 1024
#: Seconds after which a full document is written anew once more to make room, which takes long:
#: where that makes none, they double.
_MAKE_ROOM_AFTER, _MAKE_ROOM_AFTER_MOST = 10, 320
#: How often the newest become one until all that is in memory is dropped, where nobody has read it.
_FORGET_AFTER = 5
#: Structs in memory, up to which they are left as they have come.
_FEW = 1000


class Document:
    """What a room keeps of its document, in one life of it."""

    def __init__(self, life: Any, *, collect: bool) -> None:
        self._life = life
        self._ctx = life.ctx
        self._collect = collect
        self._made_room_at, self._make_room_after = -inf, _MAKE_ROOM_AFTER
        #: Whether the update that was added last goes on from something that is not there.
        self.has_gap = False
        self.forget()

    def forget(self) -> None:
        """Read all again when it is asked for: what is stored may be something else now."""
        self._coverage: Coverage | None = None
        #: All of it, if somebody has asked for it.
        self._store: Store | None = None
        #: How many structs it had when it was compacted.
        self._compacted = 0
        #: How often the newest have become one since it was read.
        self._unread = 0
        #: Of the base and of what has been folded.
        self._weight = 0
        self._forget_newest()
        #: By client, the first clock that the base lacks.
        self._base: Mapping[int, int] = {}
        self._base_size = self._folded_size = self._folded_count = 0

    def rest(self) -> None:
        """Nobody is here any more. Whoever comes shall not have to wait long."""
        if self._newest_count >= _FOLD_BEFORE_REST:
            self.fold()
        self._store = None

    # --- what there is ----------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever stored."""
        return not _LOG.read(self._ctx, "select id from {table} limit 1")

    def vector(self) -> bytes:
        return self._known().vector()

    def encode(self, vector: bytes = EMPTY_VECTOR) -> bytes:
        """What somebody with this state vector lacks, as one update.

        Raises:
            MalformedError: it is no state vector.
        """
        return self._all().encode(vector)

    def answers(self, vector: bytes) -> Iterator[bytes]:
        """The frames for somebody who has asked with a state vector; the last is a step 2.

        Raises:
            MalformedError: it is none.
        """
        theirs = updates.decode_vector(vector)
        known = self._known()
        if not theirs:
            yield from map(frames.update, self._records(_FOLDED))
            yield frames.step_2(self._newest.encode())
            return
        if self._lacks_base(theirs):
            answer = frames.step_2(self._all().encode(vector))
            if len(answer) <= PLATFORM_MAX_MESSAGE_SIZE:
                yield answer
                return
            yield from map(frames.update, self._records(_NEWEST))
            yield frames.step_2(EMPTY_UPDATE)
            return
        deletions = updates.encode({}, known.deleted)
        if known.is_known_by(theirs):
            yield frames.step_2(deletions)
            return
        for level in (_BEHIND_GAPS, _FOLDED):
            yield from map(frames.update, self._records(level, level))
        yield frames.update(self._newest.encode(vector))
        yield frames.step_2(deletions)

    def is_long_answer(self, vector: bytes) -> bool:
        """Whether somebody with this state vector is told all, or what all has to be read for.

        Raises:
            MalformedError: it is none.
        """
        theirs = updates.decode_vector(vector)
        self._known()
        return self._lacks_base(theirs)

    def _lacks_base(self, theirs: Mapping[int, int]) -> bool:
        return not all(theirs.get(client, 0) >= clock for client, clock in self._base.items())

    def _known(self) -> Coverage:
        if self._coverage is None:
            self._coverage = self._read_coverage()
        return self._coverage

    def _read_coverage(self) -> Coverage:
        self.forget()
        index: dict[str, bytes] = defaultdict(bytes)
        for row in _INDEX.read(self._ctx, "select * from {table} order by name, part"):
            index[row["name"]] += row["data"]
        if index[_COVERAGE] and index[_WEIGHT]:
            coverage = stored(Coverage.decode, index[_COVERAGE])
            read_vector = partial(updates.decode_vector, bounded=False)
            self._base = stored(read_vector, index[_BASE_VECTOR] or EMPTY_VECTOR)
            self._weight = stored(lambda kept: Reader(kept).integer(), index[_WEIGHT])
        else:  # it was never folded; or that was lost
            coverage = self._coverage_of(_BASE)
            self._base = coverage.reached()
            self._coverage_of(_FOLDED, coverage)
        sizes = "select level, count(*) as n, sum(length(data)) as size from {table} group by level"
        rows = {row["level"]: row for row in _LOG.read(self._ctx, sizes)}
        if _BASE in rows:
            self._base_size = rows[_BASE]["size"]
        if _FOLDED in rows:
            self._folded_size, self._folded_count = rows[_FOLDED]["size"], rows[_FOLDED]["n"]
        for record in self._records(_NEWEST, _NEWEST):
            update = decode(record)
            coverage.add(update)
            self._count(update, len(record), self._weigh(update, len(record)))
        return coverage

    def _weigh(self, update: Update, size: int) -> int:
        return bounds.weight(update, size, collect=self._collect)

    def _count(self, update: Update, size: int, weight: int) -> None:
        self._newest.take(update)
        self._newest_count += 1
        self._newest_size += size
        self._newest_weight += weight

    def _coverage_of(self, level: int, coverage: Coverage | None = None) -> Coverage:
        """With what the updates of a level have."""
        coverage = coverage or Coverage()
        for record in self._records(level, level):
            update = decode(record)
            coverage.add(update)
            self._weight += self._weigh(update, len(record))
        return coverage

    def _all(self) -> Store:
        self._unread = 0
        if self._store is None:
            self._store = self._store_of(_NEWEST)
        return self._store

    def _store_of(self, lowest: int, highest: int = _BASE) -> Store:
        store = Store()
        for record in self._records(lowest, highest):
            store.take(decode(record))
        return store

    def _records(self, lowest: int, highest: int = _BASE) -> Iterator[bytes]:
        """The updates of these levels, in the order in which they have come."""
        rows = _LOG.read(
            self._ctx,
            "select more, data from {table} where level between ? and ? order by id",
            lowest,
            highest,
        )
        parts: list[bytes] = []
        for row in rows:
            parts.append(row["data"])
            if not row["more"]:
                yield parts[0] if len(parts) == 1 else b"".join(parts)
                parts = []

    def has_all_of(self, update: bytes) -> bool:
        """Whether an update has nothing new.

        Raises:
            MalformedError: it is none.
        """
        known, decoded = self._known(), updates.decode(update)
        return known.has_all_of(decoded)

    @property
    def is_unsaved(self) -> bool:
        """Whether `on_save` has not been told of an edit."""
        return bool(_INDEX.read(self._ctx, "select name from {table} where name = ?", _UNSAVED))

    @is_unsaved.setter
    def is_unsaved(self, value: bool) -> None:
        if value != self.is_unsaved:
            if value:
                self._write_index(_UNSAVED, b"\1")
            else:
                _INDEX.read(self._ctx, "delete from {table} where name = ?", _UNSAVED)

    # --- what comes -------------------------------------------------------------------

    def add(self, update: bytes) -> bytes | None:
        """Store what is new in an update, and return it: the update itself where all of it is.

        Clients send all deletions that they know with each answer, and often what they once had.

        Returns:
            None where nothing is new.

        Raises:
            MalformedError: it is none. Nothing has been stored.
            DocumentFullError: the document would become too large, likewise.
        """
        decoded = updates.decode(update)
        known = self._known()
        new = known.lacking(decoded)
        if new.is_empty:
            return None
        if new != decoded:
            update = new.encode()
        weight = self._weigh(new, len(update))
        if not self._has_room(known, new, weight):
            self._make_room(known, new, weight)
        # In memory it is known from here on: what fails has not been stored.
        known.add(new)
        is_one_row = len(update) <= MAX_ROW
        write = self._append if is_one_row else partial(self._write, _NEWEST)
        self._at_once(lambda: write(update), is_one_row=is_one_row)
        self.has_gap = known.lacks_what_is_before(new)
        self._count(new, len(update), weight)
        if self._store is not None:
            self._store.take(new)
        return update

    def _has_room(self, known: Coverage, new: Update, weight: int) -> bool:
        return self._with(known, new, weight) <= self._most(known, new)

    def _with(self, known: Coverage, new: Update, weight: int) -> int:
        """What the document weighs with something new, at most."""
        of_clients = bounds.OF_CLIENT * known.clients(new)
        return self._weight + self._newest_weight + weight + of_clients

    def _most(self, known: Coverage, new: Update) -> int:
        return bounds.most(new, is_first=not known.clients())

    def _make_room(self, known: Coverage, new: Update, weight: int) -> None:
        now = monotonic()
        if (self._newest_count or self._folded_count) and (
            now >= self._made_room_at + self._make_room_after
        ):
            self._made_room_at = now
            self._at_once(lambda: self._rewrite(known))
            if self._has_room(known, new, weight):
                self._make_room_after = _MAKE_ROOM_AFTER
                return
            self._make_room_after = min(2 * self._make_room_after, _MAKE_ROOM_AFTER_MOST)
        raise DocumentFullError(self._with(known, new, weight), self._most(known, new))

    @property
    def is_to_be_folded(self) -> bool:
        return self._newest_count >= _FOLD_AFTER or self._newest_size >= _FOLD_AFTER_SIZE

    def fold(self) -> None:
        """Make one update of the newest; and write more anew if that is worth it."""
        known = self._known()
        if self._newest_count:
            self._at_once(lambda: self._fold(known))
        store = self._store
        if store is None:
            return
        self._unread += 1
        if self._unread > _FORGET_AFTER:
            self._store = None
        # When it has doubled: so each struct is looked at twice, however many there are.
        elif len(store) > max(_FEW, 2 * self._compacted):
            store.compact(collect=self._collect)
            self._compacted = len(store)

    def _fold(self, known: Coverage) -> None:
        newest = self._newest
        newest.compact(collect=self._collect)
        written = list(_pieces(newest))
        size = sum(map(len, written))
        weight = self._weigh(newest.contents(), size)
        # So all that is stored is less than twice the base, or little.
        if self._folded_size + size > max(_SMALL, self._base_size // 2):
            self._rewrite(known)
            return
        level, size = _NEWEST, self._folded_size + size
        if self._folded_count >= _MOST_FOLDED:
            store = self._store_of(_NEWEST, _FOLDED)
            store.compact(collect=self._collect)
            written = list(_pieces(store))
            level, size, self._folded_count = _FOLDED, sum(map(len, written)), 0
        _LOG.read(self._ctx, "delete from {table} where level <= ?", level)
        for piece in written:
            self._write(_FOLDED, piece)
        # Too much where what has been folded has become one, until all is written anew.
        self._write_known(known, self._weight + weight)
        self._folded_size, self._folded_count = size, self._folded_count + len(written)
        self._forget_newest()

    def _rewrite(self, known: Coverage) -> None:
        store = self._store_of(_NEWEST) if self._store is None else self._store
        store.compact(collect=self._collect)
        written = list(_pieces(store))
        size = sum(map(len, written))
        _LOG.read(self._ctx, "delete from {table}")
        for piece in written:
            self._write(_BASE, piece)
        for piece in store.behind_gaps(MAX_ROW):
            self._write(_BEHIND_GAPS, piece)
        base = known.reached()
        self._write_index(_BASE_VECTOR, updates.encode_vector(base))
        self._write_known(known, self._weigh(store.contents(), size))
        self._base, self._base_size = base, size
        self._folded_size = self._folded_count = 0
        self._forget_newest()
        self._compacted = len(store)

    def _write_known(self, known: Coverage, weight: int) -> None:
        self._write_index(_COVERAGE, known.encode())
        self._write_index(_WEIGHT, integer(weight))
        self._weight = weight

    def _forget_newest(self) -> None:
        self._newest, self._newest_count, self._newest_size = Store(), 0, 0
        self._newest_weight = 0

    def _at_once(self, work: Callable[[], None], *, is_one_row: bool = False) -> None:
        """Write several rows, or none. If that fails, memory may have more than the storage."""
        try:
            if is_one_row:
                work()
            else:
                storage.transact_at_once(self._ctx.storage, work)
        except BaseException:
            self.forget()
            raise

    def _append(self, update: bytes) -> None:
        """One row of the newest, as for each keystroke: nothing is looked up, nor read back."""
        try:
            self._life.exec_sql(_APPEND, sockets.sendable(update))
        except JsException:  # there is no table yet; or else this fails as well
            self._write(_NEWEST, update)

    def _write(self, level: int, update: bytes) -> None:
        rows = list(parts(update))
        for number, part in enumerate(rows, 1):
            _LOG.write(
                self._ctx,
                "insert into {table} (level, more, data) values (?, ?, ?)",
                level,
                int(number < len(rows)),
                part,
            )

    def _write_index(self, name: str, data: bytes) -> None:
        _INDEX.read(self._ctx, "delete from {table} where name = ?", name)
        for number, part in enumerate(parts(data)):
            _INDEX.write(self._ctx, "insert into {table} values (?, ?, ?)", name, number, part)


def _pieces(store: Store) -> Iterator[bytes]:
    """A document in updates that each fit into a message, and into a row if that is possible."""
    whole = store.encode()
    if len(whole) <= MAX_ROW:
        yield whole
    else:
        yield from store.pieces(MAX_ROW)
