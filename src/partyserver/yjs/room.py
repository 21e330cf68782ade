"""How a document attaches to the events of its room."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from time import monotonic
from typing import Any

from ..connection import RoomConnection
from ..errors import ConnectionClosedError, StateTooLargeError
from ..parts import NOT_MINE, Part, mixins_of
from ..reserved import life_of
from ..rules.closing import POLICY_VIOLATION
from ..rules.rate import Allowance, Rate
from ..runtime import platform
from ..undoing import follow
from ..usercode import FAILURES, call
from . import frames
from .awareness import MAX_ENTRIES, Awareness, Entry
from .awareness import decode as decode_awareness
from .awareness import encode as encode_awareness
from .bounds import DocumentFullError
from .coding import MalformedError
from .document import Document
from .frames import AWARENESS, CUSTOM, STEP_1, SYNC, UPDATE, Frame
from .retries import Retries
from .saves import MAX_WAIT, WAIT, Saves
from .store import merge

#: Malformed frames after which a connection is closed.
_MOST_MALFORMED = 5
_MALFORMED = "Malformed document frames"
_READ_ONLY = "This document is read-only"
_FULL = "This document is full"
#: How often a connection is told all, or what all has to be read for. A client asks for that once,
#: and then for what it lacks, some of them every few seconds: that has no limit.
_LONG_ANSWERS = Rate({"messages": 20, "per": 60.0, "burst": 20})

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
        self.document = Document(self._life.ctx, collect=options.get("collect_garbage", True))
        self._awareness: Awareness[RoomConnection] | None = None
        self._saves: Saves | None = None
        self._retries: Retries | None = None
        if YJS.defined(type(server)):  # else nobody wants to hear of it
            max_wait = options.get("debounce_max_wait", MAX_WAIT)
            self._saves = Saves(options.get("debounce_wait", WAIT), max_wait)
            self._retries = Retries(self._life, server.ctx.storage, max_wait)
        self._malformed: dict[RoomConnection, int] = {}
        #: What each has been told of why an edit of it is not taken.
        self._denied: dict[RoomConnection, set[str]] = {}
        self._long_answers: dict[RoomConnection, Allowance] = {}
        self._is_full = False
        #: How many transactions of the storage's own are open, and what nobody is told before.
        self._open = 0
        self._held: list[tuple[bytes, Callable[[], None]]] = []
        #: Who has not yet answered. An answer comes before any echo of the greeting's states.
        self._opening: set[RoomConnection] = set()
        storage, forget = server.ctx.storage, self.document.forget
        follow(storage, deleting=forget, began=self._began, ended=self._ended)

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
        is_own, is_to_be_saved = self._retries.fired(getattr(info, "scheduledTime", None))
        if is_own:
            await self._life.until_started()
        if is_to_be_saved and self._life.startup.started:
            self._save_again()
        return None if is_own else NOT_MINE

    def accepted(self, connection: RoomConnection) -> None:
        self._opening.add(connection)
        with suppress(ConnectionClosedError):
            connection.send(frames.step_1(self.document.vector()))
            if present := self.awareness.present():
                connection.send(frames.awareness(encode_awareness(present)))

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
        self._malformed.pop(connection, None)
        self._denied.pop(connection, None)
        self._long_answers.pop(connection, None)
        self._opening.discard(connection)
        connections = self._life.connections
        if left := self.awareness.leave(connection):
            connections.broadcast(frames.awareness(encode_awareness(left)), [connection])
        if not any(one is not connection for one in connections.select()):
            self._tidy(self.document.rest)
            if self._saves is not None:
                self._saves.hurry()

    # --- the document -----------------------------------------------------------------

    def _sync(self, connection: RoomConnection, frame: Frame, message: bytes) -> None:
        if frame.kind == STEP_1:
            self._answer(connection, frame.body)
            return
        self._opening.discard(connection)
        if self._is_read_only(connection):
            if not self.document.has_all_of(frame.body):
                self._deny(connection, _READ_ONLY)
            return
        try:
            new = self.document.add(frame.body)
        except DocumentFullError as error:
            if not self._is_full:
                self._is_full = True
                self._life.report("the document", error)
            self._deny(connection, _FULL)
            return
        if new is not None:
            # As it came, which is no copy; but the others have not asked for an answer.
            is_as_it_came = frame.kind == UPDATE and new is frame.body
            news = message if is_as_it_came else frames.update(new)
            if self.document.has_gap:  # it has come without one that was before it
                with suppress(ConnectionClosedError):
                    connection.send(frames.step_1(self.document.vector()))
            self._when_certain(new, partial(self._tell, news, [connection]))

    def _answer(self, connection: RoomConnection, vector: bytes) -> None:
        if self.document.is_long_answer(vector):
            now = monotonic()
            allowance = self._long_answers.get(connection)
            if allowance is None:
                allowance = self._long_answers[connection] = Allowance(_LONG_ANSWERS, now)
            if not allowance.take(_LONG_ANSWERS, now):
                return
        with suppress(ConnectionClosedError):
            for answer in self.document.answers(vector):
                connection.send(answer)

    def _deny(self, connection: RoomConnection, reason: str) -> None:
        """Tell a client once why its edits are not taken."""
        told = self._denied.setdefault(connection, set())
        if reason not in told:
            told.add(reason)
            with suppress(ConnectionClosedError):
                connection.send(frames.denied(reason))

    def apply(self, update: bytes) -> bool:
        """Take an update of the room's own code."""
        new = self.document.add(update)
        if new is None:
            return False
        self._when_certain(new, partial(self._tell, frames.update(new), ()))
        return True

    # --- what may be undone, nobody has heard of --------------------------------------

    def _when_certain(self, update: bytes, tell: Callable[[], None]) -> None:
        transaction = self._life.transaction
        if transaction is not None:
            transaction.at_end(partial(self._hold, update, tell), self.document.forget)
        else:
            self._hold(update, tell)

    def _hold(self, update: bytes, tell: Callable[[], None]) -> None:
        if self._open:
            self._held.append((update, tell))
        else:
            tell()

    def _began(self) -> None:
        self._open += 1

    def _ended(self) -> None:
        self._open -= 1
        self.document.forget()
        if not self._open and self._held:
            held, self._held = self._held, []
            self._tidy(partial(self._tell_what_stands, held))

    def _tell_what_stands(self, held: list[tuple[bytes, Callable[[], None]]]) -> None:
        for update, tell in held:
            if self.document.has_all_of(update):  # it was not undone
                self._when_certain(update, tell)

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
        awareness = self.awareness
        entries = decode_awareness(update, MAX_ENTRIES)
        changed = awareness.take(connection, entries, may_be_echo=connection not in self._opening)
        for one in changed:
            if one.is_open:
                _keep(one, awareness.held(one))
        # No echoes: in a room of 50, each move would come back 50 times to each.
        if changed or awareness.speaks_for(connection, entries):
            # To the sender, too: one that hears nothing for 30 seconds connects anew.
            self._life.connections.broadcast(message)

    # --- what is wrong ----------------------------------------------------------------

    def _refuse(self, connection: RoomConnection, error: MalformedError) -> None:
        count = self._malformed[connection] = self._malformed.get(connection, 0) + 1
        platform.log_warning(
            f"{self._life.label}: a malformed frame of connection {connection.id!r} is dropped: "
            f"{error}"
        )
        if count >= _MOST_MALFORMED:
            connection.end(POLICY_VIOLATION, _MALFORMED)


def _keep(connection: RoomConnection, entries: list[Entry]) -> None:
    """Keep what a connection has said with its socket, as much of it as there is room for."""
    for kept in (entries, [Entry(one.client, one.clock, None) for one in entries], []):
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
