"""The TypeScript module for the clients of a worker's rooms and agents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.inspect import type_info

from ..events.part import EVENTS
from ..events.table import Table
from ..parts import parts_of
from ..reserved import LifeHolder
from ..rules.events import ERROR
from . import frames
from .stubs import Stub, is_agent
from .typescript import Declarations, Direction


def module_of(rooms: Iterable[type], source: str) -> str:
    """What the clients of these classes may call and send, and what they get, as TypeScript.

    `source` is the worker's module as it was given on the command line.
    """
    declarations = Declarations()
    rooms = list(rooms)
    stubs = {room: Stub(declarations, room) for room in rooms if is_agent(room)}
    with_events = [
        room for room in rooms if has_events(room) and (room not in stubs or is_used(room))
    ]
    names = {
        (room, direction): declarations.reserve(room.__name__ + _NAMES[direction])
        for room in with_events
        for direction in _NAMES
    }
    # The names that are as the classes' go to what is sent.
    for stub in stubs.values():
        stub.read_arguments()
    unions = []
    for direction in _NAMES:
        for room in with_events:
            unions.append((room, direction, _union(declarations, room, direction)))
    heads = []
    for room in rooms:
        if room in stubs:
            heads.append(stubs[room].text())
        heads += [
            f"/** What a client of `{room.__name__}` {_VERBS[direction]}. */\n"
            f"export type {names[room, direction]} ={members};\n"
            for of, direction, members in unions
            if of is room
        ]
    changing = ["callables"] * bool(stubs) + ["events"] * bool(with_events)
    head = _HEAD.format(source=source.replace("*/", "* /"), changing=" or ".join(changing))
    return "\n".join([head, *heads, *declarations])


_HEAD = """\
/* Made by `partyserver types {source}`. Make it again when the worker's {changing} change. */
"""

_VERBS = {"sent": "may send", "received": "gets"}
_NAMES: dict[Direction, str] = {"sent": "ClientMessage", "received": "ServerMessage"}


def has_events(value: Any) -> bool:
    """Whether a member of a module is a class of rooms with `Events`."""
    return (
        isinstance(value, type) and issubclass(value, LifeHolder) and EVENTS in parts_of(value).all
    )


def is_used(room: type) -> bool:
    """Whether a class says anything of its events: others are bases for some that do."""
    table: Table = EVENTS.defined(room)
    return bool(table.received or table.sends)


def _union(declarations: Declarations, room: type, direction: Direction) -> str:
    table: Table = EVENTS.defined(room)
    events = table.received if direction == "sent" else table.sends
    members = [declarations.type_of(type_info(event), direction) for event in events.values()]
    if direction == "received":
        members += [_frame(declarations, kind) for kind in _frames_of(room)]
    if not members:
        return " never"
    return (
        f" {' | '.join(members)}"
        if len(members) < 4
        else "".join(f"\n  | {one}" for one in members)
    )


def _frames_of(room: type) -> list[str]:
    return [ERROR, *(kind for part in parts_of(room).all for kind in part.reserves)]


def _frame(declarations: Declarations, kind: str) -> str:
    known = frames.FRAMES.get(kind)
    name = known.name if known else "".join(word.capitalize() for word in kind.split("_"))
    return declarations.declare(
        ("frame", kind), name, frames.body(kind), [known.doc] if known else []
    )
