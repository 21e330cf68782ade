"""How a document attaches to the events of its room."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from math import inf
from time import monotonic
from typing import Any

from ..connection import RoomConnection
from ..errors import ConnectionClosedError, StateTooLargeError
from ..parts import NOT_MINE, Part, mixins_of
from ..reserved import life_of
from ..rules.closing import POLICY_VIOLATION
from ..runtime import platform
from ..usercode import FAILURES, call
from . import frames, updates
from .awareness import MAX_ENTRIES, Awareness, Entry, in_frames
from .awareness import decode as decode_awareness
from .awareness import encode as encode_awareness
from .bounds import DocumentFullError
from .certain import Certain
from .coding import MalformedError
from .document import Document
from .frames import AWARENESS, CUSTOM, STEP_1, STEP_2, SYNC, UPDATE, Frame
from .peers import LONG_ANSWERS, Peer
from .retries import Retries
from .saves import MAX_WAIT, WAIT, Saves
from .store import merge

#: Malformed frames after which a connection is closed.
_MOST_MALFORMED = 5
_MALFORMED = "Malformed document frames"
_READ_ONLY = "This document is read-only"
_FULL = "This document is full"
#: Bytes of an edit of who may only read that is looked at: one that is longer is one.
_SMALL_EDIT = 1024
#: Seconds after which a client is asked again for what was refused as too much.
_ASK_AGAIN_AFTER = 10
#: Bytes of an awareness frame that goes to all also if they know it.
_SMALL_REPEAT = 4096
#: Bytes that the platform keeps with a socket.
_MOST_KEPT = 16 * 1024

HOOK_ARGUMENTS = {
    "is_read_only": ("connection",),
    "on_custom_message": ("connection", "text"),
    "on_load": (),
    "on_save": ("update",),
}

#: TypeScript's spellings, and what to write instead.
CAMEL_CASE = {
    "isReadOnly": "is_read_only",
    "onCustomMessage": "on_custom_message",
    "onLoad": "on_load",
    "onSave": "on_save",
}


class Room:
    """A document and those who work on it, in one life of its room."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._life = life_of(server)
        options = self._life.options
        self.document = Document(self._life, collect=options.get("collect_garbage", True))
        self._awareness: Awareness[RoomConnection] | None = None
        self._saves: Saves | None = None
        self._retries: Retries | None = None
        if YJS.defined(type(server)):  # else nobody wants to hear of it
            max_wait = options.get("debounce_max_wait", MAX_WAIT)
            self._saves = Saves(options.get("debounce_wait", WAIT), max_wait)
            self._retries = Retries(self._life, server.ctx.storage, max_wait)
        self._peers: dict[RoomConnection, Peer] = {}
        self._is_full = False
        self._certain = Certain(self._life, server.ctx.storage, self.document, self._tidy)

    @property
    def awareness(self) -> Awareness[RoomConnection]:
        """Read from the sockets when it is first asked for after a sleep."""
        if self._awareness is None:
            self._awareness = Awareness()
            for connection in self._life.connections.known():
                kept = YJS.kept(connection)
                if isinstance(kept, bytes):
                    self._awareness.find(connection, decode_awareness(kept))
        return self._awareness

    # --- events -----------------------------------------------------------------------

    async def starting(self) -> None:
        if self.document.is_empty:
            seed = await call(self._server.on_load)
            if seeds := _seeds(seed):
                self.document.add(merge(seeds))  # all of them, or none
        if self._retries is not None:
            self._retries.starting(self._save_again)
        if self._saves is not None and self.document.is_unsaved:
            self._edited()

    async def alarm(self, info: Any) -> Any:
        if self._retries is None:
            return NOT_MINE
        own, is_to_be_saved = self._retries.fired(getattr(info, "scheduledTime", None))
        if own:
            await self._life.until_started()
            self._retries.ended(own)  # not before: if the start fails, the platform tries again
        if is_to_be_saved and self._life.startup.started:
            self._save_again()
        return None if own else NOT_MINE

    def accepted(self, connection: RoomConnection) -> None:
        self._peers[connection] = Peer(is_opening=True)
        with suppress(ConnectionClosedError):
            connection.send(frames.step_1(self.document.vector()))
            for part in in_frames(self.awareness.present()):
                connection.send(frames.awareness(encode_awareness(part)))

    def receive(self, connection: RoomConnection, message: str | bytes) -> Any:
        if isinstance(message, str):
            if not message.startswith(CUSTOM):
                return NOT_MINE
            return self._server.on_custom_message(connection, message[len(CUSTOM) :])
        try:
            frame = frames.parse(message)
            if frame.type == SYNC:
                self._sync(connection, frame, message)
            elif frame.type == AWARENESS:
                self._point(connection, frame.body, message)
        except MalformedError as error:
            self._refuse(connection, error)
        return None

    def closed(self, connection: RoomConnection) -> None:
        self._peers.pop(connection, None)
        connections = self._life.connections
        if left := self.awareness.leave(connection):
            connections.broadcast(frames.awareness(encode_awareness(left)), [connection])
        if not any(one is not connection for one in connections.select()):
            self._tidy(self.document.rest)
            if self._saves is not None:
                self._saves.hurry()

    # --- the document -----------------------------------------------------------------

    def _peer(self, connection: RoomConnection) -> Peer:
        peer = self._peers.get(connection)
        if peer is None:  # the room has slept
            peer = self._peers[connection] = Peer()
        return peer

    def _sync(self, connection: RoomConnection, frame: Frame, message: bytes) -> None:
        peer = self._peer(connection)
        if frame.kind == STEP_1:
            self._answer(connection, peer, frame.body)
            return
        is_first, peer.is_opening = peer.is_opening, False
        if self._is_read_only(connection):
            if not self._is_known(peer, frame.body, is_first=is_first):
                self._deny(connection, peer, _READ_ONLY)
            return
        if peer.asked_at is not None and self._has_gap(frame.body):
            self._ask_again(connection, peer)
            return
        try:
            new = self.document.add(frame.body)
        except MalformedError:
            raise
        except DocumentFullError as error:
            if not self._is_full:
                self._is_full = True
                self._life.report("the document", error)
            if peer.asked_at is None:
                peer.asked_at = -inf
            self._deny(connection, peer, _FULL)
            return
        except FAILURES:
            peer.has_lost = True
            raise
        if frame.kind == STEP_2:
            peer.asked_at = None  # this has all that was refused
        if peer.has_lost or (new is not None and self.document.has_gap):
            # A deletion that was lost leaves no gap: it is asked for as soon as it can be stored.
            peer.has_lost = False
            self._ask(connection)
        elif new is not None and peer.asked_at is not None:
            self._ask_again(connection, peer)
        if new is not None:
            # As it came, which is no copy; but the others have not asked for an answer.
            is_as_it_came = frame.kind == UPDATE and new is frame.body
            news = message if is_as_it_came else frames.update(new)
            self._mark()
            self._certain.when(new, partial(self._tell, news, [connection]))

    def _ask(self, connection: RoomConnection) -> None:
        with suppress(ConnectionClosedError):
            connection.send(frames.step_1(self.document.vector()))

    def _ask_again(self, connection: RoomConnection, peer: Peer) -> None:
        """Ask for what was refused: some of it may be deleted by now, or there is room."""
        now = monotonic()
        if peer.asked_at is not None and now >= peer.asked_at + _ASK_AGAIN_AFTER:
            peer.asked_at = now
            self._ask(connection)

    def _has_gap(self, update: bytes) -> bool:
        """Whether something in an update goes on from what is not there."""
        vector = updates.decode_vector(self.document.vector())
        return any(
            structs and structs[0].clock > vector.get(client, 0)
            for client, structs in updates.decode(update).structs.items()
        )

    def _is_known(self, peer: Peer, update: bytes, *, is_first: bool) -> bool:
        """Whether what somebody sends who may only read is no edit.

        To read it takes seconds, if it is made for that. A client sends all that it has once, in
        answer to the room's question.
        """
        if _READ_ONLY in peer.told:
            return False
        if not is_first and len(update) > _SMALL_EDIT:
            return False
        return self.document.has_all_of(update)

    def _answer(self, connection: RoomConnection, peer: Peer, vector: bytes) -> None:
        now = monotonic()
        if not peer.budget.is_left(now):
            return
        is_long = self.document.is_long_answer(vector)
        if is_long and not peer.long_answers.take(LONG_ANSWERS, now):
            return
        size = 0
        with suppress(ConnectionClosedError):
            for answer in self.document.answers(vector):
                size += len(answer)
                connection.send(answer)
        peer.budget.pay(size)

    def _deny(self, connection: RoomConnection, peer: Peer, reason: str) -> None:
        """Tell a client once why its edits are not taken."""
        if reason not in peer.told:
            peer.told.add(reason)
            with suppress(ConnectionClosedError):
                connection.send(frames.denied(reason))

    def apply(self, update: bytes) -> bool:
        """Take an update of the room's own code."""
        new = self.document.add(update)
        if new is None:
            return False
        self._mark()
        self._certain.when(new, partial(self._tell, frames.update(new), ()))
        return True

    def _mark(self) -> None:
        """In a transaction, have it stored with the edit that it is to be saved.

        Else the room could end between them.
        """
        if self._saves is not None and self._certain.is_open:
            self._tidy(self._set_unsaved)

    def _set_unsaved(self) -> None:
        self.document.is_unsaved = True

    def _tell(self, news: bytes, exclude: Any) -> None:
        self._life.connections.broadcast(news, exclude)
        self._edited()
        if self.document.is_to_be_folded:
            self._tidy(self.document.fold)

    def _tidy(self, work: Callable[[], None]) -> None:
        """What fails here is nobody's fault who has sent something, and is tried again later."""
        try:
            work()
        except FAILURES as error:
            self._life.report("the document", error)

    def _is_read_only(self, connection: RoomConnection) -> bool:
        try:
            return bool(self._server.is_read_only(connection))
        except FAILURES as error:
            self._life.report("is_read_only", error)
            return True

    def _edited(self) -> None:
        saves = self._saves
        if saves is None:
            return
        if not saves.is_pending:  # stored first: if that fails, the next edit begins anew
            self.document.is_unsaved = True
        if saves.edited():
            self._life.wait_until(saves.run(self._save))

    def _save_again(self) -> None:
        if self._saves is not None and self.document.is_unsaved:
            if not self._saves.is_pending:
                self._edited()
            self._saves.hurry()

    async def _save(self) -> None:
        document, saves, retries = self.document, self._saves, self._retries
        assert saves is not None
        assert retries is not None
        if not document.is_unsaved:  # all has been deleted
            return
        try:
            await call(self._server.on_save, document.encode())
        except FAILURES as error:  # also made up for with the next edit, and in the next life
            self._life.report("on_save", error)
            await retries.failed()
        else:
            if not saves.is_pending:
                document.is_unsaved = False
            retries.succeeded()

    # --- who points where -------------------------------------------------------------

    def _point(self, connection: RoomConnection, update: bytes, message: bytes) -> None:
        awareness, peer = self.awareness, self._peer(connection)
        entries = decode_awareness(update, MAX_ENTRIES)
        changed, news = awareness.take(connection, entries, may_be_echo=not peer.is_opening)
        for one in changed:
            if one.is_open:
                _keep(one, awareness)
        # No echoes: in a room of 50, each move would come back 50 times to each.
        if not news and len(message) <= _SMALL_REPEAT:
            news = awareness.repeated(connection, entries)
        if news:
            # To the sender, too: one that hears nothing for 30 seconds connects anew.
            told = message if news == entries else frames.awareness(encode_awareness(news))
            self._life.connections.broadcast(told)

    # --- what is wrong ----------------------------------------------------------------

    def _refuse(self, connection: RoomConnection, error: MalformedError) -> None:
        peer = self._peer(connection)
        peer.malformed += 1
        platform.log_warning(
            f"{self._life.label}: a malformed frame of connection {connection.id!r} is dropped: "
            f"{error}"
        )
        if peer.malformed >= _MOST_MALFORMED:
            connection.end(POLICY_VIOLATION, _MALFORMED)


def _keep(connection: RoomConnection, awareness: Awareness[RoomConnection]) -> None:
    """Keep what a connection has said with its socket, as much of it as there is room for."""
    entries = awareness.held(connection)
    without = [Entry(one.client, one.clock, None) for one in entries]
    fits = awareness.size_of(connection) <= _MOST_KEPT  # else it need not be encoded
    for kept in ([entries] if fits else []) + [without, []]:
        with suppress(StateTooLargeError):
            YJS.keep(connection, encode_awareness(kept) if kept else None)
            return


def _seeds(seed: Any) -> list[bytes]:
    if seed is None:
        return []
    seeds = seed if isinstance(seed, list | tuple) else [seed]
    for one in seeds:
        if not isinstance(one, bytes | bytearray | memoryview):
            raise TypeError(
                "on_load returns an update of Yjs as bytes, a list of them, or None, "
                f"not {type(one).__name__}"
            )
    return [bytes(one) for one in seeds]


def _define(cls: Any) -> bool:
    """Whether the class wants its document saved."""
    if iscoroutinefunction(cls.is_read_only):
        raise TypeError(
            f"{cls.__name__}.is_read_only is asked for each edit, which waits for nothing: let it "
            "be a plain function"
        )
    owner = next(base for base in cls.__mro__ if "on_save" in vars(base))
    return owner not in mixins_of(cls)


def _of(server: Any) -> Room:
    room: Room = YJS.of(server)
    return room


async def _starting(server: Any) -> None:
    await _of(server).starting()


def _accepted(server: Any, connection: RoomConnection, ctx: Any) -> None:
    _of(server).accepted(connection)


def _message(server: Any, connection: RoomConnection, message: str | bytes) -> Any:
    return _of(server).receive(connection, message)


async def _alarm(server: Any, info: Any) -> Any:
    return await _of(server).alarm(info)


def _closed(
    server: Any, connection: RoomConnection, code: int, reason: str, was_clean: bool
) -> None:
    _of(server).closed(connection)


YJS: Part = Part(
    name="yjs",
    rank=200,
    hooks=HOOK_ARGUMENTS,
    spellings=CAMEL_CASE,
    options=("debounce_wait", "debounce_max_wait", "collect_garbage"),
    define=_define,
    construct=Room,
    starting=_starting,
    accepted=_accepted,
    message=_message,
    closed=_closed,
    alarm=_alarm,
)
