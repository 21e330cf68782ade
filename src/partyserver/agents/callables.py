"""Methods that clients call."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any

from ..errors import ConnectionClosedError
from ..parts import mark_of
from ..rules import agents as rules
from ..rules import callables as methods
from ..rules import failures
from ..rules.arguments import Arguments, Convert, converter
from ..usercode import FAILURES, is_pending, settled
from .current import Event, begin
from .streams import StreamingResponse

if TYPE_CHECKING:
    from ..connection import RoomConnection
    from ..life import Life
    from ..parts import Part


@dataclass(frozen=True, slots=True)
class CallableInfo:
    """What is known of a method that clients may call.

    Attributes:
        streaming: it is given a `StreamingResponse`, by which it answers.
        description: what it says of itself.
    """

    streaming: bool = False
    description: str | None = None


class Entry:
    """One callable of a class."""

    __slots__ = ("arguments", "info", "name")

    def __init__(self, cls: type, name: str, function: Any, info: CallableInfo) -> None:
        where = f"{cls.__name__}.{name}"
        wrapped = inspect.unwrap(function)
        if inspect.isgeneratorfunction(wrapped) or inspect.isasyncgenfunction(wrapped):
            raise TypeError(
                f"{where} has a yield in it, and so would never run: send chunks by the stream, "
                "with @agents.callable(streaming=True)"
            )
        self.name = name
        self.info = info
        try:
            self.arguments = Arguments(function, 2 if info.streaming else 1)
        except TypeError as error:
            needs = "self and a stream" if info.streaming else "self"
            raise TypeError(
                f"{where} cannot be called by clients: {error}. It takes {needs}, and then what "
                "clients give it"
            ) from None
        trouble = methods.stream_trouble(where, function, StreamingResponse, streams=info.streaming)
        if trouble is not None:
            raise TypeError(trouble)


#: What clients may not call, since the platform, JavaScript or the agent calls or reads it.
_SPECIAL = frozenset(
    ("alarm", "constructor", "ctx", "env", "fetch", "id", "name", "state", "then", "toJSON")
)

#: The callables of a class by their names; None for other methods.
Table = Mapping[str, Entry | None]


def table_of(cls: type, part: Part, taken: frozenset[str]) -> Table:
    """The members of a class that clients may name. `taken` are hooks, which they may not call."""
    table: dict[str, Entry | None] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            mark = mark_of(member) or mark_of(getattr(member, "__func__", None))
            if mark is not None and mark.part is part:
                _check(cls, name, member, taken)
                table[name] = Entry(cls, name, member, mark.value)
            elif _is_method(member):
                table[name] = None
            else:
                table.pop(name, None)
    return table


def _check(cls: type, name: str, member: Any, hooks: frozenset[str]) -> None:
    where = f"{cls.__name__}.{name}"
    if name in hooks:
        raise TypeError(
            f"{where} is a hook, and no method for clients: give what they call a name of its own"
        )
    if name in _SPECIAL or (name.startswith("__") and name.endswith("__")):
        raise TypeError(f"{where}: clients cannot call a method of this name; give it another")
    if isinstance(member, staticmethod | classmethod):
        raise TypeError(
            f"{where} has @agents.callable, and so takes self: it is no {type(member).__name__}"
        )


def _is_method(member: Any) -> bool:
    return isinstance(member, FunctionType | staticmethod | classmethod)


class Calls:
    """The calls of one agent's clients, in one life of it."""

    __slots__ = ("_convert", "_is_searched", "_life", "_table")

    def __init__(self, life: Life, table: Table) -> None:
        self._life = life
        self._table = table
        self._convert: Convert | None = None
        self._is_searched = False

    def infos(self) -> dict[str, CallableInfo]:
        return {name: entry.info for name, entry in self._table.items() if entry is not None}

    def receive(self, connection: RoomConnection, frame: rules.CallFrame) -> Any:
        """Answer a call; a coroutine if there is more to await."""
        entry = self._table.get(frame.method)
        if entry is not None:
            return _Call(self._life, connection, frame.id, entry).run(frame.args, self._converter())
        is_method = frame.method in self._table
        text = (rules.not_callable if is_method else rules.no_such_method)(frame.method)
        _send(connection, rules.error_frame(frame.id, text))
        return None

    def _converter(self) -> Convert | None:
        if not self._is_searched:
            self._convert, self._is_searched = converter(), True
        return self._convert


class _Call:
    """One call, from its frame to its answer."""

    __slots__ = ("_connection", "_entry", "_event", "_id", "_life", "_stream")

    def __init__(self, life: Life, connection: RoomConnection, id: str, entry: Entry) -> None:
        self._life = life
        self._connection = connection
        self._id = id
        self._entry = entry
        self._event = Event(life.server, connection, task=_task())
        self._stream = StreamingResponse(connection, id) if entry.info.streaming else None

    def run(self, args: list[Any], convert: Convert | None) -> Any:
        begin(self._event)
        try:
            arguments = self._entry.arguments.checked(args, convert)
            if self._stream is not None:
                arguments.insert(0, self._stream)
            result = getattr(self._life.server, self._entry.name)(*arguments)
            if is_pending(result):
                return self._finish(result)
            self._answer(result)
        except FAILURES as error:
            self._fail(error)
        self._event.is_over = True
        return None

    async def _finish(self, pending: Any) -> None:
        self._event.task = _task()
        begin(self._event)  # which may be in another context than the call's beginning
        try:
            result = await pending
            if isinstance(result, CoroutineType | asyncio.Future):  # as it seldom is
                result = await settled(result)
            self._answer(result)
        except FAILURES as error:
            self._fail(error)
        finally:
            self._event.is_over = True

    def _answer(self, result: Any) -> None:
        try:
            if self._stream is None:
                _send(self._connection, rules.result_frame(self._id, result))
            elif result is not None:  # without a result it is open until its stream is ended
                self._stream.end(result)
        except TypeError as error:
            raise methods.not_json(self._entry.name, result, error) from None

    def _fail(self, error: BaseException) -> None:
        """Tell the caller what it may be told, and the log the rest."""
        text = rules.told_by(error)
        if text is None:
            self._life.report(self._entry.name, error)
            text = failures.answer(error, debug=self._life.options["debug"])[1]
        if self._stream is None:
            _send(self._connection, rules.error_frame(self._id, text))
        else:
            self._stream.error(text)


def _send(connection: RoomConnection, frame: str) -> None:
    try:
        connection.send(frame)
    except ConnectionClosedError:
        return  # nobody waits for it any more


def _task() -> Any:
    return asyncio.current_task(asyncio.get_event_loop())
