"""How costs grow: one thing is made larger and larger, and a line drawn through the costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from .comparison import BASE, LIBRARY, rows
from .load import Load, Message
from .machine import most_connections
from .rounds import measure
from .servers import running
from .works import Connects, Messages, Work, deliveries, echo

BASIC = {BASE: "npm", LIBRARY: "library"}
WITH_NAIVE = BASIC | {"naive": "naive"}
ROOMS = {BASE: "npm_rooms", LIBRARY: "rooms", "raw": "raw_rooms"}


@dataclass(frozen=True)
class Growth:
    title: str
    axis: str
    unit: str
    sizes: Sequence[int]
    work: Callable[[int], Work]
    servers: Mapping[str, str] = field(default_factory=lambda: BASIC)
    quick_up_to: int = 1000
    #: So many bytes, rows or the like come before a line's point, and no more units than `_WARM`.
    warm_up: int = 10**9


#: JavaScript's compilers have their time, as in the comparison.
_WARM = 2000


def _rooms(count: int) -> Work:
    return Messages("echo", rooms=count)


def _tagged(count: int) -> Work:
    return Connects(party="tagged", room=f"room-{count}")


def _stateful(size: int) -> Work:
    return Messages("stateful", message=Message(size, reply="kept"))


def _values(size: int) -> Work:
    return Messages("values", message=Message(size), window=max(1, min(100, 1_000_000 // size)))


GROWTHS = [
    Growth(
        "Delivery, by connections in the room",
        "connections",
        "delivery",
        (10, 30, 100, 300, 1000, 3000, min(10_000, most_connections())),
        deliveries,
        WITH_NAIVE,
    ),
    Growth(
        "Echo, by rooms in the process",
        "rooms",
        "echo",
        (1, 10, 50, 200, 1000, 2000),
        _rooms,
        WITH_NAIVE,
    ),
    Growth("New connection, by tags", "tags", "connection", (1, 3, 5, 7, 9), _tagged),
    Growth(
        "Echo, by size of message",
        "bytes",
        "echo",
        (32, 256, 2048, 16_384, 131_072, 1_000_000),
        echo,
        WITH_NAIVE,
        quick_up_to=20_000,
        warm_up=40_000_000,
    ),
    Growth(
        "set_state for each message, by size of state",
        "bytes",
        "message",
        (0, 100, 1000, 4000, 10_000),
        _stateful,
        quick_up_to=10_000,
    ),
    Growth(
        "A value written and read by SQL, by its size",
        "bytes",
        "message",
        (100, 1000, 10_000, 100_000),
        _values,
        ROOMS,
        quick_up_to=10_000,
        warm_up=40_000_000,
    ),
    Growth(
        "Rows of SQL as JSON over HTTP, by their number",
        "rows",
        "request",
        (10, 100, 1000, 10_000),
        rows,
        ROOMS,
        warm_up=200_000,
    ),
]

#: Microseconds in each round, for each size, by server.
Lines = dict[str, list[list[float]]]


def titles() -> list[str]:
    return [growth.title for growth in GROWTHS]


def grow(growth: Growth, sizes: Sequence[int], *, rounds: int, seconds: float) -> Lines:
    lines: Lines = {name: [] for name in growth.servers}
    for size in sizes:
        print(f"  {growth.title}: {size:,} {growth.axis}", flush=True)
        # New processes for each size, which owe nothing to the size before.
        with ExitStack() as stack:
            servers = [stack.enter_context(running(*pair)) for pair in growth.servers.items()]
            loads = {server.name: stack.enter_context(Load()) for server in servers}
            samples = measure(
                growth.work(size),
                loads,
                servers,
                rounds=rounds,
                seconds=seconds,
                warm_up=min(_WARM, growth.warm_up // max(1, size)),
            )
        for name in growth.servers:
            lines[name].append(samples[name].cpu)
    return lines
