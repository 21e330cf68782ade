"""How costs grow: one thing is made larger and larger, and a line drawn through the costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from .comparison import BASE, LIBRARY
from .load import Load, Message
from .machine import most_connections
from .rounds import measure
from .servers import running
from .works import Connects, Messages, Work, deliveries, echo

SERVERS = (BASE, LIBRARY, "naive")


@dataclass(frozen=True)
class Growth:
    title: str
    axis: str
    unit: str
    sizes: Sequence[int]
    work: Callable[[int], Work]
    #: Whether the naive variant has it.
    in_naive: bool = True
    quick_up_to: int = 1000


def _rooms(count: int) -> Work:
    return Messages("echo", rooms=count)


def _tagged(count: int) -> Work:
    return Connects(party="tagged", room=f"room-{count}")


def _stateful(size: int) -> Work:
    return Messages("stateful", message=Message(size, reply="kept"))


GROWTHS = [
    Growth(
        "Delivery, by connections in the room",
        "connections",
        "delivery",
        (10, 30, 100, 300, 1000, 3000, min(10_000, most_connections())),
        deliveries,
    ),
    Growth("Echo, by rooms in the process", "rooms", "echo", (1, 10, 50, 200, 1000, 2000), _rooms),
    Growth(
        "New connection, by tags",
        "tags",
        "connection",
        (0, 1, 3, 6, 9),
        _tagged,
        in_naive=False,
    ),
    Growth(
        "Echo, by size of message",
        "bytes",
        "echo",
        (32, 256, 2048, 16_384, 131_072, 1_000_000),
        echo,
        quick_up_to=20_000,
    ),
    Growth(
        "set_state for each message, by size of state",
        "bytes",
        "message",
        (16, 128, 1024, 4096, 15_000),
        _stateful,
        in_naive=False,
        quick_up_to=20_000,
    ),
]

#: Microseconds for each size, by server.
Lines = dict[str, list[float]]


def grow(growth: Growth, sizes: Sequence[int], *, rounds: int, seconds: float) -> Lines:
    names = [name for name in SERVERS if growth.in_naive or name != "naive"]
    lines: Lines = {name: [] for name in names}
    for size in sizes:
        print(f"  {growth.title}: {size:,} {growth.axis}", flush=True)
        # New processes for each size, which owe nothing to the size before.
        with ExitStack() as stack:
            loads = {name: stack.enter_context(Load()) for name in names}
            servers = [stack.enter_context(running(name)) for name in names]
            samples = measure(growth.work(size), loads, servers, rounds=rounds, seconds=seconds)
        for name in names:
            lines[name].append(median(samples[name].cpu))
    return lines
