"""Who is connected to a room, in both modes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from operator import length_hint
from typing import Any

from .connection import OPEN_PHASE, Connection, Phase, RoomConnection
from .errors import ConnectionClosedError
from .rules.closing import INTERNAL_ERROR, OPEN
from .runtime import JsException, JsProxy, sockets
from .shortcuts.current import current
from .shortcuts.dispatch import Dispatch
from .shortcuts.fanout import Fanout, Loop
from .shortcuts.fanout import fanout as make_fanout

_UNEXPECTED = "Unexpected error"

#: Connections; to send to fewer by one call takes no less time than a call for each.
_MANY = 4


class ConnectionIterator(Iterator[Connection]):
    """Connections one after the other, of which `len` counts those that are still to come."""

    __slots__ = ("_rest",)

    def __init__(self, connections: list[RoomConnection]) -> None:
        self._rest = iter(connections)

    def __iter__(self) -> Iterator[Connection]:
        return self._rest  # so that a loop runs in C

    def __next__(self) -> Connection:
        return next(self._rest)

    def __len__(self) -> int:
        return length_hint(self._rest)  # which is exact for a list


class Connections:
    """The connections of one room.

    A room that hibernates forgets its Python objects while the platform keeps the sockets;
    `sleeping` then gives the sockets that are still there, and each is made a `Connection`
    again when it is first needed. In memory there is nothing to find again.
    """

    def __init__(
        self,
        room_name: Callable[[], str],
        receive: Callable[..., Any],
        context: Context,
    ) -> None:
        self.room_name, self.receive = room_name, receive
        #: What the context of each message is a copy of.
        self.context = context
        self._sleeping: sockets.Sockets | None = None
        self._all_awake = True
        #: Those whose last events may still come, too.
        self._by_socket: dict[int, RoomConnection] = {}
        #: The others are of the open ones, in the order they came.
        self._open: dict[RoomConnection, None] = {}
        self._by_id: dict[str, list[RoomConnection]] = {}
        self._by_tag: dict[str, dict[RoomConnection, None]] = {}
        #: To all, and to those with a tag, as far as messages have gone there.
        self._fanout: Fanout | Loop | None = None
        self._fanouts: dict[str, Fanout | Loop] = {}
        self._dispatch: Dispatch | None = None
        self._undispatched = 0

    def sleep_in(self, sleeping: sockets.Sockets | None) -> None:
        """Where the sockets are while the room sleeps; None if it does not."""
        self._sleeping = sleeping
        self._all_awake = sleeping is None

    # --- coming and going -------------------------------------------------------------

    def add(self, connection: RoomConnection) -> None:
        """A connection is open from here on; `RoomConnection.opened` calls this."""
        self._by_socket[connection.socket.js_id] = connection
        self._enter(connection)
        if self._fanout is not None:
            self._fanout.add(connection.socket)
        if self._fanouts:
            for tag in connection.tags[1:]:
                if tag in self._fanouts:
                    self._fanouts[tag].add(connection.socket)
        if self._dispatch is not None:
            self._dispatch.add(connection)

    def _enter(self, connection: RoomConnection) -> None:
        self._open[connection] = None
        remembered = connection.remembered
        same_id = self._by_id.get(remembered.id)
        if same_id is None:
            self._by_id[remembered.id] = [connection]
        else:
            same_id.append(connection)
        for tag in remembered.tags[1:]:
            self._by_tag.setdefault(tag, {})[connection] = None

    def remove(self, connection: RoomConnection) -> None:
        """A connection is no longer open. Its last events still find it, until `forget`."""
        if connection not in self._open:
            return
        del self._open[connection]
        same_id = self._by_id.get(connection.id, [])
        if connection in same_id:
            same_id.remove(connection)
            if not same_id:
                del self._by_id[connection.id]
        for tag in connection.tags[1:]:
            tagged = self._by_tag[tag]
            del tagged[connection]
            if tag in self._fanouts:
                self._fanouts[tag].discard(connection.socket)
            if not tagged:
                del self._by_tag[tag]
                self._fanouts.pop(tag, None)
        if self._fanout is not None:
            self._fanout.discard(connection.socket)

    def forget(self, connection: RoomConnection) -> None:
        """Nothing more will come from this connection's socket."""
        self.remove(connection)
        self._by_socket.pop(connection.socket.js_id, None)
        if self._dispatch is not None:
            self._dispatch.discard(connection)

    # --- finding ----------------------------------------------------------------------

    def of_socket(self, socket: JsProxy) -> RoomConnection | None:
        """The connection of a socket that an event came from; None if it is not ours."""
        connection = self._by_socket.get(socket.js_id)
        if connection is None and self._sleeping is not None:
            connection = self._wake(*sockets.find(socket))
        return connection

    def dispatch_by(self, dispatch: Dispatch) -> None:
        """Have `dispatch` bring open connections their messages, once that has been worth it."""
        self._dispatch = dispatch

    def count_message(self) -> None:
        """Count a message that came with its socket; after some of them, dispatch.

        All sockets have to be awake for that, and to be given functions. A room that thousands are
        in need not do that for the few that talk: after 2, 4, 8, ... messages it is asked whether
        they are fewer.
        """
        if self._dispatch is None or self._sleeping is None:
            return
        self._undispatched += 1
        count = self._undispatched
        if count > 1 and not count & (count - 1) and len(self._sleeping) <= count:
            self._wake_all()
            self._dispatch.begin(self._open)

    def are_fewer_than(self, limit: int, without: str | None = None) -> bool:
        """Whether the open connections, but for those with the id `without`, are fewer."""
        if self._sleeping is not None and len(self._sleeping) < limit:
            return True
        self._wake_all()
        count = len(self._open)
        if without is not None:
            count -= len(self._by_id.get(without, ()))
        return count < limit

    def get(self, connection_id: str) -> RoomConnection | None:
        """The newest open connection with this id."""
        self._wake_id(connection_id)
        found = self._by_id.get(connection_id)
        return found[-1] if found else None

    def select(self, tags: Iterable[str] = ()) -> list[RoomConnection]:
        """The open connections that carry all of `tags`, in the order they came."""
        if not self._all_awake:
            self._wake_all()
        wanted = tuple(tags)
        if not wanted:
            return list(self._open)
        first = wanted[0]
        same_id, tagged = self._by_id.get(first), self._by_tag.get(first)
        found: Iterable[RoomConnection]
        if same_id and tagged:  # one's id is another's tag
            found = [one for one in self._open if first in one.tags]
        else:
            found = same_id or tagged or ()
        if len(wanted) > 1:
            return [one for one in found if all(tag in one.tags for tag in wanted)]
        return list(found)

    def known(self) -> list[RoomConnection]:
        """The open connections, and those whose end is still to come, in the order they came."""
        self._wake_all()
        return list(self._by_socket.values())

    def _wake(
        self, socket: JsProxy, attachment: sockets.Unread | None, ready_state: int
    ) -> RoomConnection | None:
        """The connection of a socket that was found, for which there is none yet."""
        if attachment is None:
            return None
        if ready_state != OPEN:
            closing = RoomConnection(socket, attachment, self, Phase.CLOSED_BY_PEER)
            self._by_socket[socket.js_id] = closing
            return closing
        connection = RoomConnection(socket, attachment, self, OPEN_PHASE)
        self.add(connection)
        return connection

    def _wake_all(self) -> None:
        """Make sure that every sleeping socket is a connection again, in the order they came."""
        if self._all_awake or self._sleeping is None:
            return
        known = self._by_socket
        self._by_socket, self._open, self._by_id, self._by_tag = {}, {}, {}, {}
        self._fanout, self._fanouts = None, {}
        # As `_wake` and `add`, with fewer calls. Nothing is dispatched yet.
        for socket, attachment, ready_state in self._sleeping.all():
            key = socket.js_id
            connection = known.pop(key, None)
            if connection is None:
                if attachment is None:
                    continue
                phase = OPEN_PHASE if ready_state == OPEN else Phase.CLOSED_BY_PEER
                connection = RoomConnection(socket, attachment, self, phase)
            self._by_socket[key] = connection
            if connection.phase is OPEN_PHASE:
                self._enter(connection)
        self._by_socket.update(known)  # closed ones whose last event has not come yet
        self._all_awake = True

    def _wake_id(self, connection_id: str) -> None:
        """As `_wake_all`, for the few connections with this id only."""
        if self._all_awake or self._sleeping is None:
            return
        same_id = []
        for found in self._sleeping.tagged(connection_id):
            connection = self._by_socket.get(found[0].js_id) or self._wake(*found)
            if connection is not None and connection.phase is OPEN_PHASE:
                same_id.append(connection)
        if same_id:
            self._by_id[connection_id] = [one for one in same_id if one.id == connection_id]

    # --- sending ----------------------------------------------------------------------

    def broadcast(self, message: Any, exclude: Iterable[str | Connection] = ()) -> None:
        """Send to all but those ids and connections. A socket that fails is closed with 1011."""
        payload = current.payload if message is current.content else sockets.sendable(message)
        excluded = self.excluded(exclude)
        if not self._open:
            return
        if self._fanout is None:
            self._fanout = _fanout_to(self._open)
        self._fan_out(self._fanout, message, payload, excluded)

    def send_to(
        self,
        message: Any,
        to: Connection | Iterable[Connection] | str,
        exclude: Iterable[str | Connection] = (),
    ) -> None:
        """As `broadcast`, to a connection, to several, or to those with a tag.

        Those that have closed are left out.
        """
        payload = current.payload if message is current.content else sockets.sendable(message)
        fanout = self._fanout_of(to) if type(to) is str else None
        targets = () if fanout is not None else self._targets(to)
        excluded = self.excluded(exclude) if exclude != () else ()
        if fanout is not None:
            if excluded:
                excluded = [one for one in excluded if to in one.tags]
            self._fan_out(fanout, message, payload, excluded)
            return
        for connection in targets:
            if excluded and connection in excluded:
                continue
            try:
                connection.send(message)
            except ConnectionClosedError:
                if connection.phase is OPEN_PHASE:
                    connection.end(INTERNAL_ERROR, _UNEXPECTED)

    def _fanout_of(self, tag: str) -> Fanout | Loop | None:
        """Those with the tag, kept for the next time; None for few, or if it is an id, too."""
        self._wake_all()
        if tag in self._by_id:
            return None
        fanout = self._fanouts.get(tag)
        if fanout is None:
            tagged = self._by_tag.get(tag, ())
            if len(tagged) >= _MANY:
                fanout = self._fanouts[tag] = _fanout_to(tagged)
        return fanout

    def _fan_out(
        self, fanout: Fanout | Loop, message: Any, payload: Any, excluded: Iterable[RoomConnection]
    ) -> None:
        for connection in excluded:
            fanout.discard(connection.socket)
        try:
            fanout.send(payload)
        except JsException as error:
            self._finish_broadcast(fanout, current.outgoing(message), error)
        finally:
            for connection in excluded:
                if connection.phase is OPEN_PHASE:
                    fanout.add(connection.socket)

    def _targets(self, to: Any) -> list[RoomConnection]:
        """Whom `to` means, each once; `TypeError` for what is no connection of the room."""
        if type(to) is RoomConnection and to.registry is self:  # the sender, mostly
            return [to]
        if isinstance(to, str):
            return self.select((to,))
        try:
            given = [to] if isinstance(to, RoomConnection) else list(to)
        except TypeError:
            given = [to]
        for one in given:
            if not isinstance(one, RoomConnection):
                raise TypeError(
                    "to takes a connection, several connections, or a tag, "
                    f"not {type(one).__name__}: {one!r}"
                )
            if one.registry is not self:
                raise TypeError(f"to takes connections of this room, and {one!r} is of another")
        return list(dict.fromkeys(given))

    def excluded(self, exclude: Any) -> list[RoomConnection]:
        """Those that a broadcast leaves out; `TypeError` for what is no id and no connection."""
        self._wake_all()
        if exclude == ():
            return []
        try:
            given = [exclude] if isinstance(exclude, str) else list(exclude)
        except TypeError:  # one connection, or what is refused below
            given = [exclude]
        excluded: dict[RoomConnection, None] = {}
        for one in given:
            if isinstance(one, str):
                excluded.update(dict.fromkeys(self._by_id.get(one, ())))
            elif isinstance(one, RoomConnection):
                if one.registry is self and one.phase is Phase.OPEN:
                    excluded[one] = None
            else:
                raise TypeError(
                    "exclude takes ids and connections, as in exclude=[connection], "
                    f"not {type(one).__name__}: {one!r}"
                )
        return list(excluded)

    def _finish_broadcast(self, fanout: Fanout | Loop, payload: Any, error: Exception) -> None:
        """Go on behind the socket that ended a broadcast: the first that is not open."""
        sockets = list(fanout)
        failed = next((at for at, socket in enumerate(sockets) if socket.readyState != OPEN), None)
        if failed is None:
            raise error
        self._give_up(sockets[failed])
        for socket in sockets[failed + 1 :]:
            try:
                socket.send(payload)
            except JsException:
                self._give_up(socket)

    def _give_up(self, socket: JsProxy) -> None:
        connection = self._by_socket.get(socket.js_id)
        if connection is not None:
            connection.end(INTERNAL_ERROR, _UNEXPECTED)


def _fanout_to(connections: Iterable[RoomConnection]) -> Fanout | Loop:
    fanout = make_fanout()
    for connection in connections:
        fanout.add(connection.socket)
    return fanout
