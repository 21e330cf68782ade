"""Who is here: which connections stand for whom, and what others have to be told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from .messages import MAX_JSON_DEPTH, bounded_json, compact_json

#: UTF-8 bytes, as an id has.
MAX_KEY_SIZE = 256

#: Levels of a meta: it is read back with the two that stand around it.
MAX_META_DEPTH = MAX_JSON_DEPTH - 2

#: The messages that clients get.
STATE, DIFF = "presence_state", "presence_diff"


def check_key(key: Any) -> None:
    """Raise `TypeError` or `ValueError` for what is no key of somebody."""
    if not isinstance(key, str):
        raise TypeError(f"a presence key is a str, not {type(key).__name__}: {key!r}")
    if not key:
        raise ValueError("a presence key is not empty: it says who is here")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError(f"a presence key holds no half surrogate pair: {key!r}") from None
    if size > MAX_KEY_SIZE:
        raise ValueError(f"a presence key has at most {MAX_KEY_SIZE} UTF-8 bytes, not {size}")


def meta_json(meta: Any) -> str:
    """A meta as it is sent and kept; `TypeError` or `ValueError` for what JSON cannot hold."""
    return bounded_json(meta, "a presence meta", MAX_META_DEPTH)


class Entry(NamedTuple):
    """What a connection stands for, as it is kept with its socket."""

    #: The number of the entry by which the key has come: the order of the keys.
    came: int
    #: Of this entry: the order of a key's metas.
    number: int
    key: str
    #: JSON.
    meta: str


@dataclass(slots=True)
class Change:
    """What others have to be told, and for whom the hooks are called."""

    #: The keys whose lists have changed, each as `"key":[metas]`.
    texts: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)
    #: Of the first connection of a key.
    joined: Entry | None = None

    def message(self) -> str | None:
        """The JSON for the others; None if there is nothing to tell."""
        if not self.texts and not self.leaves:
            return None
        joins, leaves = ",".join(self.texts), compact_json(self.leaves)
        return f'{{"type":"{DIFF}","joins":{{{joins}}},"leaves":{leaves}}}'


Who = TypeVar("Who", bound=Hashable)


class Roster(Generic[Who]):
    """Who is here, by connection and by key.

    A connection that is closed is no longer here, although the room may have to wait for its end
    to hear of it. Until then the others have been told of it, and its key has not left.
    """

    def __init__(self, is_open: Callable[[Who], bool]) -> None:
        self._is_open = is_open
        self._entries: dict[Who, Entry] = {}
        self._by_key: dict[str, dict[Who, None]] = {}
        #: What the others know: `"key":[metas]` of each key.
        self._told: dict[str, str] = {}
        self._last = 0

    def __contains__(self, who: Who) -> bool:
        return who in self._entries

    def find(self, entries: Iterable[tuple[Who, Entry]]) -> None:
        """Take up what was kept in an earlier life of the room: the others have been told."""
        found = sorted(entries, key=lambda one: one[1].number)
        for who, entry in found:
            self._add(who, entry)
        for key in dict.fromkeys(entry.key for entry in sorted(entry for _, entry in found)):
            self._told[key] = self._text(key, self._by_key[key])

    def entry_for(self, who: Who, key: str, meta: str) -> Entry | None:
        """The entry that `put` is to be given; None if it would change nothing."""
        known = self._entries.get(who)
        if known is not None and known.key == key:
            return None if known.meta == meta else Entry(known.came, known.number, key, meta)
        number = self._last + 1
        came = number
        if key in self._told:
            came = self._entries[next(iter(self._by_key[key]))].came
        return Entry(came, number, key, meta)

    def put(self, who: Who, entry: Entry) -> Change:
        """A connection stands for somebody from here on, in the place of whom it stood for."""
        known = self._entries.get(who)
        if known is None or known.key == entry.key:
            self._add(who, entry)
            return self._changed(entry.key)
        self._remove(who)
        self._add(who, entry)
        return self._changed(known.key, entry.key)

    def drop(self, who: Who) -> Change:
        """A connection stands for nobody from here on."""
        return self._changed(self._remove(who).key)

    def json(self) -> str:
        """Who is here by an open connection: `{"key":[metas]}`."""
        told = self._told
        closed = {entry.key for who, entry in self._entries.items() if not self._is_open(who)}
        if closed:
            told = {key: text for key, text in told.items() if key not in closed}
            for key in closed:
                if members := self._open_members(key):
                    told[key] = self._text(key, members)
        return f"{{{','.join(told.values())}}}"

    def state(self) -> str:
        """The JSON for a connection that is new here."""
        return f'{{"type":"{STATE}","presence":{self.json()}}}'

    def present(self) -> dict[str, list[Any]]:
        present: dict[str, list[Any]] = json.loads(self.json())
        return present

    def _add(self, who: Who, entry: Entry) -> None:
        self._entries[who] = entry
        self._by_key.setdefault(entry.key, {})[who] = None
        self._last = max(self._last, entry.number)

    def _remove(self, who: Who) -> Entry:
        entry = self._entries.pop(who)
        members = self._by_key[entry.key]
        del members[who]
        if not members:
            del self._by_key[entry.key]
        return entry

    def _changed(self, *keys: str) -> Change:
        """What is new of these keys, from what the others know."""
        change = Change()
        for key in keys:
            before = self._told.get(key)
            members = self._open_members(key)
            if members:
                text = self._text(key, members)
                if text != before:
                    self._told[key] = text
                    change.texts.append(text)
                if before is None:
                    change.joined = self._entries[members[0]]
            elif before is not None:
                del self._told[key]
                change.leaves.append(key)
        return change

    def _open_members(self, key: str) -> list[Who]:
        return [who for who in self._by_key.get(key, ()) if self._is_open(who)]

    def _text(self, key: str, members: Iterable[Who]) -> str:
        metas = ",".join(self._entries[who].meta for who in members)
        return f"{compact_json(key)}:[{metas}]"
