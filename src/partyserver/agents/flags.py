"""What is known of a connection from its beginning on: two flags, which its socket keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..connection import OPEN_PHASE, RoomConnection

#: The name by which they are kept.
NAME = "agent"

READONLY = 1
NO_PROTOCOL = 2


def has(connection: Any, flag: int) -> bool:
    kept = connection.attachment.kept.get(NAME)
    return isinstance(kept, int) and bool(kept & flag)


def set_flags(connection: Any, flag: int, value: bool) -> None:
    kept = connection.attachment.kept.get(NAME)
    before = kept if isinstance(kept, int) else 0
    after = before | flag if value else before & ~flag
    if after != before:
        connection.keep(connection.attachment.with_kept(NAME, after or None))


def checked(connection: Any) -> RoomConnection:
    """What a user gives as a connection."""
    if not isinstance(connection, RoomConnection):
        raise TypeError(f"this takes a connection, not {type(connection).__name__}: {connection!r}")
    return connection


class Silent:
    """The connections of one agent that get no protocol frames.

    Where the class never says so of any, no socket is asked.
    """

    __slots__ = ("_connections", "_found")

    def __init__(self, connections: Any, *, may_be_some: bool) -> None:
        self._connections = connections
        self._found: set[RoomConnection] | None = None if may_be_some else set()

    def add(self, connection: RoomConnection) -> None:
        """One that has just been accepted."""
        self._all().add(connection)

    def open(self) -> Iterable[RoomConnection]:
        found = self._all()
        if found:
            found.difference_update([one for one in found if one.phase is not OPEN_PHASE])
        return found

    def _all(self) -> set[RoomConnection]:
        if self._found is None:
            known = self._connections.known()
            self._found = {one for one in known if has(one, NO_PROTOCOL)}
        return self._found
