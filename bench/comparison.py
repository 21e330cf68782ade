"""The table: every work on every server, in one run, with what is to be reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from .load import Load, Message
from .rounds import Samples, measure
from .servers import running
from .works import ECHO, Connects, Messages, Requests, Wakes, Work, deliveries, echo

#: What all are compared with, and the same again: how far a difference is noise.
BASE, CONTROL, LIBRARY = "npm", "npm again", "library"
SERVERS = {BASE: "npm", CONTROL: "npm", LIBRARY: "library"} | {
    name: name for name in ("naive", "raw", "fastapi")
}
#: Of the real work of a room. "raw" is JavaScript's fastest known way for each.
ROOM_SERVERS = {BASE: "npm_rooms", CONTROL: "npm_rooms", LIBRARY: "rooms", "raw": "raw_rooms"}


#: The tables of the report.
MESSAGES, WORK = "messages", "the real work of a room"
REQUESTS, WAKING = "requests and connections", "waking up"


@dataclass(frozen=True)
class Row:
    title: str
    work: Work
    #: The ratio to npm partyserver that the library is to reach, if there is one.
    target: float | None = None
    #: Whether `make bench-quick` has it.
    quick: bool = True
    #: So many units come first, so that JavaScript's compilers have had their time.
    warm_up: int = 0


def _echoes() -> list[Row]:
    return [
        Row("echo, plain hook", echo(), 1.25, warm_up=10_000),
        Row("echo, `async` hook", echo(asynchronous=True), 1.45, warm_up=10_000),
        Row("echo, binary", echo(binary=True), 1.3, warm_up=10_000),
        Row(
            "echo, binary, `async` hook",
            echo(binary=True, asynchronous=True),
            1.7,
            quick=False,
            warm_up=10_000,
        ),
        Row("echo, 16 KB", echo(16_384), 1.5, warm_up=2000),
        Row("echo, 16 KB, binary", echo(16_384, binary=True), 1.5, quick=False, warm_up=2000),
        Row(
            "echo, 16 KB, `async` hook",
            echo(16_384, asynchronous=True),
            1.7,
            quick=False,
            warm_up=2000,
        ),
        Row(
            "echo, 16 KB, binary, `async` hook",
            echo(16_384, binary=True, asynchronous=True),
            1.7,
            quick=False,
            warm_up=2000,
        ),
    ]


def _deliveries() -> list[Row]:
    rows = []
    for connections, target in ((10, 1.3), (100, 1.05), (1000, 1.0)):
        room = f"delivery, room of {connections:,}"
        of = partial(deliveries, connections)
        rows += [
            Row(room, of(), target, warm_up=10_000),
            Row(f"{room}, `exclude`", of(exclude=True), target, quick=False),
            Row(f"{room}, binary", of(binary=True), target, quick=False),
            Row(
                f"{room}, binary, `exclude`",
                of(binary=True, exclude=True),
                target,
                quick=False,
            ),
        ]
    return rows


_PEOPLE = tuple(f"?_pk=c{at}" for at in range(50))
_TEAMS = ("?team=blue",) * 4 + ("?team=red",)
_SOMEBODY = {"name": "somebody", "color": "#2e6fdb", "x": 10, "y": 20}
_EVENT = '{"name":"somebody","color":"#2e6fdb","x":10,"y":20,"teams":["red","blue"]}'
_SAY = '{"type":"say","text":"hello, how are you today?"}'
_SAID = '{"type":"said","id":"c0","text":"hello, how are you today?"}'
_WRITTEN = '{"author":"somebody","text":"hello, how are you today?"}'
_KEPT = Message(reply="kept")


def rows(count: int, party: str = "rows") -> Requests:
    """So many rows of SQL as JSON over HTTP."""
    entries = [
        {
            "id": number + 1,
            "author": f"author {number % 7}",
            "text": f"entry {number}: hello, how are you today?",
            "at": 1_700_000_000.25 + number,
        }
        for number in range(count)
    ]
    return Requests(party=party, room=f"room-{count}", answer=entries)


def _received(party: str, message: Message, connections: int = 1) -> Messages:
    """A unit is a message that comes in, with all that goes out for it."""
    return Messages(
        party,
        connections,
        message,
        window=max(1, 100 // connections),
        queries=_TEAMS if party.startswith("teams") else _PEOPLE,
        each_is_a_unit=True,
    )


def _works_of_a_room() -> list[Row]:
    message = Message(text=_WRITTEN, reply=f'{{"type":"message","id":1,{_WRITTEN[1:]}', fanout=10)
    move = Message(
        text='{"x":10,"y":20}', reply='{"type":"move","id":"c0","x":10,"y":20}', fanout=20
    )
    who = Message(text="who", reply=json.dumps([_SOMEBODY] * 30, separators=(",", ":")))
    said = Message(text=_SAY, reply=_SAID, fanout=10)
    event = Message(text=_EVENT, reply=_EVENT)
    tagged = partial(_received, message=Message(fanout=10), connections=50)
    warm = partial(Row, warm_up=3000)
    return [
        warm("a chat message: into SQL, to 10", _received("chat", message, 10), 1.3),
        warm("a move: `set_state`, to 20", _received("moves", move, 20), 1.1, quick=False),
        warm("who is here: 30 states", _received("who", who, 30), 1.3, quick=False),
        warm("to the 10 of 50 with a tag, in a loop", tagged("teams"), 1.05, quick=False),
        warm("to the 10 of 50 with a tag, by `to`", tagged("teams-at-once"), 1.05, quick=False),
        warm("an event, typed, to 10", _received("typed", said, 10), 1.3, quick=False),
        warm("a key, by `ctx.storage`", _received("keyed", _KEPT), 2.0),
        warm("a number, by `kv`", _received("counted", _KEPT), 1.5, quick=False),
        warm("a text, by `kv`", _received("noted", ECHO), 1.5, quick=False),
        warm("a dict, by `kv`", _received("scored", _KEPT), 2.5, quick=False),
        warm("100 rows over HTTP, by `sql`", rows(100), 2.5),
        warm("100 rows over HTTP, by `sql_json`", rows(100, "rows-as-json"), 1.5, quick=False),
        warm("a dict to another room and back", _received("calls", event), 2.5, quick=False),
    ]


def _wakes() -> list[Row]:
    return [
        Row(
            f"a room of {count:,} wakes, by {'HTTP' if by_http else 'a message'}",
            Wakes(count, rooms, by_http),
            2.0,
            quick=False,
        )
        for count, rooms in ((1, 100), (100, 30), (1000, 4))
        for by_http in (False, True)
    ]


@dataclass(frozen=True)
class Group:
    """Rows on the same processes, which owe nothing to those of other groups."""

    #: Its table in the report, which it may share with others.
    title: str
    rows: Sequence[Row]
    servers: Mapping[str, str] = field(default_factory=lambda: SERVERS)
    #: Without the disk on which a room otherwise has its database, as deployed rooms have.
    in_memory: bool = False


_REQUESTS = [
    Row("a new connection, young process", Connects(), 4),
    Row("a new connection", Connects(), 2.5, warm_up=5000, quick=False),
    Row("a connection, opened and closed", Connects(and_closes=True), 2.0, quick=False),
    Row("HTTP request to a room", Requests(), 2.5, warm_up=5000),
    Row("a fresh room, by a connection", Connects(fresh_rooms=True), 3),
    Row("a fresh room, by HTTP", Requests(fresh_rooms=True), 3, quick=False),
]
_WITHOUT_DISK = [
    Row(f"{row.title}, no disk", row.work, quick=False)
    for row in _REQUESTS
    if "fresh room" in row.title
]
GROUPS = [
    Group(MESSAGES, _echoes()),
    Group(MESSAGES, _deliveries()),
    Group(WORK, _works_of_a_room(), ROOM_SERVERS),
    Group(REQUESTS, _REQUESTS),
    Group(REQUESTS, _WITHOUT_DISK, in_memory=True),
    Group(WAKING, _wakes(), ROOM_SERVERS),
]
TITLES = list(dict.fromkeys(group.title for group in GROUPS))
ROWS = [row for group in GROUPS for row in group.rows]


def titles() -> list[str]:
    return [row.title for row in ROWS]


def named(title: str, parts: Sequence[str]) -> bool:
    """Whether a title has one of these parts; without any, all have."""
    return not parts or any(part.lower() in title.lower() for part in parts)


def find(title: str) -> tuple[Group, Row]:
    """The row with this title, and its group."""
    return next((group, row) for group in GROUPS for row in group.rows if row.title == title)


def table_of(title: str) -> str:
    """In which table of the report the row with this title is."""
    return find(title)[0].title


@dataclass(frozen=True)
class Result:
    row: Row
    table: str
    samples: dict[str, Samples]


def compare(
    rows: Sequence[Row],
    groups: Sequence[Group] = GROUPS,
    *,
    processes: int,
    rounds: int,
    seconds: float,
    warm_up: int,
) -> list[Result]:
    """So many rounds with each of so many processes: two of the same server differ, by chance.

    At most `warm_up` units come before each.
    """
    results = []
    for group in groups:
        chosen = [row for row in group.rows if row in rows]
        if chosen:
            first, *others = (
                _compare(group, chosen, rounds=rounds, seconds=seconds, most=warm_up)
                for _ in range(processes)
            )
            for other in others:
                for result, more in zip(first, other, strict=True):
                    for name, samples in result.samples.items():
                        samples.extend(more.samples[name])
            results += first
    return results


def _compare(
    group: Group, rows: Sequence[Row], *, rounds: int, seconds: float, most: int
) -> list[Result]:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(*pair, in_memory=group.in_memory))
            for pair in group.servers.items()
        ]
        loads = {server.name: stack.enter_context(Load()) for server in servers}
        results = []
        for row in rows:
            print(f"  {row.title}", flush=True)
            samples = measure(
                row.work,
                loads,
                servers,
                rounds=rounds,
                seconds=seconds,
                warm_up=min(row.warm_up, most),
            )
            results.append(Result(row, group.title, samples))
        return results
