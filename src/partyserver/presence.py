"""`Presence`: who is here, in a room's memory, with its sockets, and on its clients' screens."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from . import tasks
from .connection import OPEN_PHASE, Connection, RoomConnection
from .errors import ConnectionClosedError
from .parts import Part, attach
from .reserved import life_of
from .rules.presence import DIFF, STATE, Change, Entry, Roster, check_key, meta_json
from .runtime import events
from .usercode import FAILURES, finish, is_pending

__all__ = ["Presence"]

#: Hooks that one change may lead to, where they track somebody themselves.
_MOST_CALLS = 1000


class _Attendance:
    """The presence of one room, in one life of it."""

    __slots__ = ("_calls", "_life", "_roster")

    def __init__(self, server: Any) -> None:
        self._life = life_of(server)
        self._roster: Roster[RoomConnection] | None = None
        #: Hooks that are still to be called, where one is being called.
        self._calls: deque[tuple[Any, ...]] | None = None

    @property
    def roster(self) -> Roster[RoomConnection]:
        """Read from the sockets when it is first asked for after a sleep."""
        if self._roster is None:
            roster = Roster(_is_open)
            kept = [(one, _kept(one)) for one in self._life.connections.known()]
            roster.find((one, entry) for one, entry in kept if entry is not None)
            self._roster = roster
        return self._roster

    def track(self, connection: Any, key: Any, meta: Any) -> None:
        check_key(key)
        text = meta_json(meta)
        connection = self._of_this_room(connection)
        if not connection.is_open:
            raise ConnectionClosedError(connection.id, "be tracked")
        roster = self.roster
        entry = roster.entry_for(connection, key, text)
        if entry is None:
            return
        is_new = connection not in roster
        PRESENCE.keep(connection, list(entry))
        change = roster.put(connection, entry)
        self._tell(change, connection)
        if is_new:
            with suppress(ConnectionClosedError):  # its end will come, as those of others
                connection.send(roster.state())
        self._call_hooks(change)

    def untrack(self, connection: Any) -> None:
        connection = self._of_this_room(connection)
        if connection in self.roster:
            PRESENCE.keep(connection, None)
            self._drop(connection)

    def closed(self, connection: RoomConnection) -> None:
        entry = _kept(connection)
        if entry is None:
            return
        if connection not in self.roster:  # the platform no longer lists its socket
            self.roster.find([(connection, entry)])
        self._drop(connection)

    def _drop(self, connection: RoomConnection) -> None:
        change = self.roster.drop(connection)
        self._tell(change, connection)
        self._call_hooks(change)

    def _of_this_room(self, connection: Any) -> RoomConnection:
        if not isinstance(connection, RoomConnection):
            raise TypeError(f"presence is tracked of connections, not of {connection!r}")
        if connection.registry is not self._life.connections:
            raise ValueError(f"{connection!r} is no connection of {self._life.label}")
        return connection

    def _tell(self, change: Change, connection: RoomConnection) -> None:
        message = change.message()
        if message is not None:
            self._life.connections.broadcast(message, [connection])

    def _call_hooks(self, change: Change) -> None:
        # They come after `on_start`, as others: where it has failed, so has `on_close`.
        if not self._life.is_open_to_calls:
            return
        server: Any = self._life.server
        calls: list[tuple[Any, ...]] = [("on_leave", server.on_leave, key) for key in change.leaves]
        if change.joined is not None:
            entry = change.joined
            calls.append(("on_join", server.on_join, entry.key, json.loads(entry.meta)))
        if not calls:
            return
        if self._calls is not None:
            # A hook has tracked somebody: else a key might leave before it has joined.
            self._calls.extend(calls)
            return
        self._calls = waiting = deque(calls)
        try:
            for _ in range(_MOST_CALLS):
                self._call(*waiting.popleft())
                if not waiting:
                    return
            error = RecursionError("on_join and on_leave track somebody without end")
            self._life.report(waiting[0][0], error)
        finally:
            self._calls = None

    def _call(self, where: str, hook: Callable[..., Any], *arguments: Any) -> None:
        life = self._life
        try:
            result = hook(*arguments)
            if is_pending(result):
                events.wait_until(life.ctx, tasks.run(finish(result, life.report, where)))
        except FAILURES as error:
            life.report(where, error)


def _is_open(connection: RoomConnection) -> bool:
    return connection.phase is OPEN_PHASE


def _kept(connection: RoomConnection) -> Entry | None:
    kept = PRESENCE.kept(connection)
    return None if kept is None else Entry(*kept)


def _closed(
    server: Any, connection: RoomConnection, code: int, reason: str, was_clean: bool
) -> None:
    PRESENCE.of(server).closed(connection)


PRESENCE: Final = Part(
    name="presence",
    rank=500,
    hooks={"on_join": ("key", "meta"), "on_leave": ("key",)},
    reserves=(STATE, DIFF),
    construct=_Attendance,
    closed=_closed,
)


@attach(PRESENCE)
class Presence:
    """Knows who is here, and tells the clients whenever that changes.

        class Room(Presence, Server):
            options = {"hibernate": True}

            def on_connect(self, connection, ctx):
                self.track(connection, ctx.query["user"], {"name": ctx.query["name"]})

            def on_join(self, key, meta):
                self.broadcast_json({"type": "notice", "text": f"{meta['name']} came"})

    A key stands for a person, or whatever else comes and goes, and each tracked connection adds a
    meta to it: somebody with three tabs is one key with three metas. On the wire:

    - the connection that is tracked gets
      `{"type": "presence_state", "presence": {key: [metas]}}`, once;
    - all others, tracked or not, get `{"type": "presence_diff", "joins": {key: [metas]},
      "leaves": [key]}` whenever the list of a key changes. `joins` has whole lists, of keys that
      are new here and of others.

    Who is here is kept with the sockets, and survives hibernation. Nobody stays whose connection
    is closed, however it ended. A connection that ends while its key has another one, as where a
    client has reconnected already, is no leave.
    """

    def track(self, connection: Connection, key: str, meta: Any = None) -> None:
        """Have a connection stand for `key`, with a meta; again, to change either.

        The same key and meta again do nothing. Another key is a leave of the old one, and a join.
        The order of the keys is that in which they came, and so is that of a key's metas.

        Args:
            connection: an open one of this room.
            key: who this is, of up to 256 UTF-8 bytes.
            meta: JSON, nested at most 498 levels deep. With the key it is kept with the socket,
                where it shares 16,384 bytes with the connection's id, tags, URL and state:
                https://developers.cloudflare.com/durable-objects/api/websockets/

        Raises:
            ConnectionClosedError: the connection is closed, or not yet open as in
                `get_connection_tags`.
            StateTooLargeError: the meta does not fit.
            TypeError, ValueError: the key, the meta or the connection is none. As after the other
                errors, what was tracked before stands, and nobody has been told anything.
        """
        PRESENCE.of(self).track(connection, key, meta)

    def untrack(self, connection: Connection) -> None:
        """Have a connection stand for nobody; one that does not do this changes nothing.

        It hears of others as before.
        """
        PRESENCE.of(self).untrack(connection)

    def present(self) -> dict[str, list[Any]]:
        """The keys that are here by an open connection, and their metas. A copy.

        It costs as much as there are connections. After a sleep, so does the first call.
        """
        present: dict[str, list[Any]] = PRESENCE.of(self).roster.present()
        return present

    def on_join(self, key: str, meta: Any) -> Any:
        """Called when the first connection of a key is tracked; the others have been told.

        It may be plain or `async`, and what it raises fails nothing but itself.
        """

    def on_leave(self, key: str) -> Any:
        """Called when a key's last connection has ended, or is tracked no longer.

        It comes before `on_close`, and `present` no longer has the key. It is not called for
        sockets that are lost with the whole room, as in a deployment.
        """
