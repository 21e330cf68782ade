"""How events come to a room's methods: the part that `Events` attaches."""

from __future__ import annotations

from contextlib import suppress
from json import JSONDecodeError
from typing import Any

from ..errors import ConnectionClosedError
from ..parts import NOT_MINE, Part, parts_of
from ..reserved import life_of
from ..rules.events import SHORT, error_frame, refusal, unknown_event, without_halves
from ..rules.messages import check_json
from .table import Table, sent_type

RANK = 300


def _define(cls: type) -> Table:
    parts = parts_of(cls).all
    return Table(
        cls,
        {kind: part.name for part in parts for kind in part.reserves},
        leaves_text=any(part.leaves_text for part in parts),
    )


def _receive(server: Any, connection: Any, message: str | bytes) -> Any:
    """The hot path: a text that is an event goes to its method."""
    table: Table = life_of(server).kept_by_parts[EVENTS]
    decode = table.decode
    if decode is None or type(message) is not str:
        return NOT_MINE
    try:
        if len(message) > SHORT:
            check_json(message)
        event = decode(message)
    except ValueError as error:
        return _refuse(server, connection, message, error)
    name = table.methods.get(type(event))
    if name is None:
        return _refuse(server, connection, message, None)
    return getattr(server, name)(connection, event)


def _refuse(server: Any, connection: Any, message: str, error: ValueError | None) -> Any:
    """Tell the sender what is wrong, or leave the text to `on_message`."""
    table: Table = EVENTS.of(server)
    if error is not None and isinstance(error.__cause__, TypeError):
        raise error.__cause__  # of a `__post_init__`, which has no such word for its client
    is_too_deep = isinstance(error, JSONDecodeError)
    kind = None
    if not is_too_deep:
        mended = without_halves(message)
        if mended != message:
            return _receive(server, connection, mended)
        kind = sent_type(message)
    is_known = kind in table.received
    if table.leaves_text and not is_known:
        return NOT_MINE
    if error is None or (kind is not None and not is_known):
        text = unknown_event(kind or "")
    else:
        text = refusal(error)
    with suppress(ConnectionClosedError):
        connection.send(error_frame(text, kind))
    return None


EVENTS: Part = Part(
    name="events",
    rank=RANK,
    define=_define,
    construct=lambda server: EVENTS.defined(type(server)),
    message=_receive,
)
