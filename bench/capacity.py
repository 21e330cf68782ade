"""What one room holds on one core: load at a steady pace, more of it until it is too much.

A room holds a load if its server is busy for no more than `BUSY` of the time, and 95 of 100
messages have come within `LATENCY` seconds (and a tick, where the room waits for one).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from .comparison import BASE, LIBRARY
from .load import Load, Message, Paced
from .machine import SERVER_CORE, core_seconds, most_connections, resident_bytes
from .rounds import measure
from .servers import Server, running
from .works import Connects, Requests, Work

BUSY = 0.85
LATENCY = 0.1
#: When the load generator is that busy, it is what ends a line.
LOAD_BUSY = 0.95

SERVERS = {BASE: "npm_capacity", LIBRARY: "capacity", "fastapi": "fastapi_capacity"}

_serial = itertools.count()

#: Begins the time at which a message is sent.
AT = 1_000_000_000


@dataclass(frozen=True)
class Traffic:
    """What comes to a room: so many of its connections send so many messages a second each."""

    connections: int
    senders: int
    rate: float


@dataclass(frozen=True)
class Room:
    """A load that grows: people in a room, or messages a second."""

    title: str
    party: str
    text: str
    traffic: Callable[[int], Traffic]
    #: Where to begin; the first round finds the way from here.
    guess: int
    #: To how many connections a message goes; with a tick it is the tick that is sent, to all.
    fanout: Callable[[Traffic], int]
    #: Seconds between two pictures of all, if what comes is collected for one.
    tick: float = 0
    #: The load grows with this power of the amount: people who all talk to all are 2.
    power: float = 1
    #: What one of the amount is in the report, such as the rows that a message reads.
    worth: int = 1
    #: Whether this is a row of "how many people fit into a room".
    is_people: bool = False


_CONNECTIONS = 100


def _messages(a_second: int) -> Traffic:
    return Traffic(_CONNECTIONS, _CONNECTIONS, a_second / _CONNECTIONS)


def _one(_: Traffic) -> int:
    return 1


def _all(traffic: Traffic) -> int:
    return traffic.connections


def _others(traffic: Traffic) -> int:
    return traffic.connections - 1


_HELLO = f"hello, it is now {AT}"
_MOVE = f'{{"x":10,"y":20,"at":{AT}}}'
#: Of those who look at a board, so many move at a time.
MOVING = 4


def _chat(people: int) -> Traffic:
    return Traffic(people, people, 1 / 20)


def _board(people: int) -> Traffic:
    return Traffic(people, max(1, people // MOVING), 20)


def _game(people: int) -> Traffic:
    return Traffic(people, people, 10)


ROOMS = [
    Room("messages in, echoed", "echo", _HELLO, _messages, 10_000, _one),
    Room(
        "messages out, to 100 connections",
        "everybody",
        _HELLO,
        _messages,
        300,
        _all,
        worth=_CONNECTIONS,
    ),
    Room("rows written, by a message each", "written", _HELLO, _messages, 4000, _one),
    Room("rows read, 100 for a message", "read", _HELLO, _messages, 400, _one, worth=100),
    Room(
        "a chat, a message each every 20 s",
        "chat",
        f'{{"author":"somebody","text":"{_HELLO}"}}',
        _chat,
        700,
        _all,
        power=2,
        is_people=True,
    ),
    Room(
        "cursors at 20 Hz, each move sent",
        "cursors",
        _MOVE,
        _board,
        70,
        _others,
        power=2,
        is_people=True,
    ),
    Room(
        "cursors at 20 Hz, moves collected",
        "collected-cursors",
        _MOVE,
        _board,
        350,
        _all,
        tick=1 / 20,
        power=1.4,
        is_people=True,
    ),
    Room(
        "a game at 10 Hz",
        "game",
        f'{{"dx":1,"dy":2,"seq":{AT}}}',
        _game,
        350,
        _all,
        tick=1 / 10,
        power=1.4,
        is_people=True,
    ),
]


def titles() -> list[str]:
    return [room.title for room in ROOMS]


@dataclass(frozen=True)
class Seen:
    """What a load was like."""

    amount: int
    #: The share of the time in which the server, and the load generator, were busy.
    busy: float
    load_busy: float
    #: Milliseconds.
    median: float
    p95: float
    #: Messages a second that came out of the room, of those that should have.
    delivered: float
    expected: float
    #: The share of the server's core that others had.
    disturbed: float = 0
    #: Why this is too much: "CPU", "latency", "the load generator"; None if it is not.
    limit: str | None = None


#: If others had more of the server's core, a load is tried again, so many times.
DISTURBED = 0.08
AGAIN = 2


def try_out(room: Room, amount: int, server: Server, load: Load, *, seconds: float) -> Seen:
    """Fill a new room with so much, for so many seconds."""
    seen = [try_once(room, amount, server, load, seconds)]
    while seen[-1].disturbed > DISTURBED and len(seen) <= AGAIN:
        time.sleep(seconds)
        seen.append(try_once(room, amount, server, load, seconds))
    return min(seen, key=lambda one: one.disturbed)


def try_once(room: Room, amount: int, server: Server, load: Load, seconds: float) -> Seen:
    traffic = room.traffic(amount)
    name = f"{server.name}-{next(_serial)}"
    paths = [f"/parties/{room.party}/{name}?_pk=c{at}" for at in range(traffic.connections)]
    load.open(name, server.port, paths)
    server.settle()
    before, core = server.cpu(), core_seconds(SERVER_CORE)
    took = load.pace(
        name,
        room.text,
        senders=traffic.senders,
        rate=traffic.rate,
        seconds=seconds,
        watched=min(8, traffic.connections),
    )
    used, core = server.cpu() - before, core_seconds(SERVER_CORE) - core
    came = load.rest(name, 0 if room.tick else room.fanout(traffic))
    load.close(name)
    server.settle()
    return _judged(
        room,
        traffic,
        came,
        seconds,
        Seen(
            amount,
            busy=used / took.seconds,
            load_busy=took.cpu / took.seconds,
            disturbed=(core - used) / took.seconds,
            median=came.median,
            p95=came.p95,
            delivered=came.in_time / seconds,
            expected=0,
        ),
    )


def _judged(room: Room, traffic: Traffic, came: Paced, seconds: float, seen: Seen) -> Seen:
    """With what should have come, and what makes it too much."""
    fanout = room.fanout(traffic)
    if room.tick:
        expected = seconds / room.tick * fanout
    else:
        expected = float(came.sent * fanout)
        if came.received != expected:
            raise RuntimeError(f"{room.title}: {came.received} came instead of {expected}")
    if came.sent and not came.watched:
        raise RuntimeError(f"{room.title}: no message was seen to come")
    limit = None
    if seen.busy > BUSY:
        limit = "CPU"
    elif seen.load_busy > LOAD_BUSY:
        limit = "the load generator"
    elif came.p95 > (LATENCY + room.tick) * 1000 or came.in_time < 0.8 * expected:
        limit = "latency"
    return replace(seen, expected=expected / seconds, limit=limit)


#: The largest load that is held is found within this factor.
CLOSE = 1.06
MOST_TRIES = 8


@dataclass
class Most:
    """The most that a server has held, in each round, and what the next more was stopped by."""

    held: list[Seen] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)


#: By the titles of the rooms and the names of the servers.
Filled = dict[str, dict[str, Most]]


def find_most(room: Room, guess: int, attempt: Callable[[int], Seen]) -> tuple[Seen, str]:
    """The largest load that was held, and what ended the next larger one."""
    best: Seen | None = None
    low, high, limit = 0.0, float("inf"), "nothing"
    amount = guess
    tries = 0
    # Once something is held, it need not be exact at any price.
    while best is None or tries < MOST_TRIES:
        tries += 1
        seen = attempt(amount)
        if seen.limit is None:
            best, low = seen, amount
        elif amount == 1:
            raise RuntimeError(f"{room.title}: not even one is held, because of {seen.limit}")
        else:
            high, limit = amount, seen.limit
        if low and high <= max(low * CLOSE, low + 1):
            break
        amount = _next(room, seen, low, high)
    return best, limit


def _next(room: Room, seen: Seen, low: float, high: float) -> int:
    """Where the server should be just not too busy, if it is CPU that ends it; else in between."""
    by_cpu = seen.amount * (0.98 * BUSY / max(seen.busy, 0.02)) ** (1 / room.power)
    by_cpu = min(max(by_cpu, seen.amount / 4), seen.amount * 4)
    if high == float("inf"):
        wish = max(by_cpu, low * CLOSE)
    elif not low:
        wish = min(by_cpu, high * 0.7)
    else:
        # What the busy server says, but so that the gap becomes smaller by a fair part.
        wish = min(max(by_cpu, low * (high / low) ** 0.35), low * (high / low) ** 0.65)
    wish = max(1, round(wish))
    if wish <= low:
        return int(low) + 1
    return int(high) - 1 if wish >= high else wish


def fill(rooms: Sequence[Room], *, rounds: int, seconds: float) -> Filled:
    """The most that each server holds of each room."""
    found: Filled = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*pair)) for pair in SERVERS.items()]
        loads = {server.name: stack.enter_context(Load()) for server in servers}
        for room in rooms:
            print(f"  {room.title}", flush=True)
            of = found[room.title] = {server.name: Most() for server in servers}
            guesses = {server.name: room.guess for server in servers}
            for at in range(rounds):
                for server in servers:
                    attempt = _attempt(room, server, loads[server.name], seconds)
                    if at == 0:  # the compilers have their time
                        attempt(max(1, room.guess // 2))
                    held, limit = find_most(room, guesses[server.name], attempt)
                    guesses[server.name] = held.amount
                    of[server.name].held.append(held)
                    of[server.name].limits.append(limit)
                    if held.disturbed > DISTURBED:
                        print(f"    others had {held.disturbed:.0%} of the core of {server.name}")
    return found


def _attempt(room: Room, server: Server, load: Load, seconds: float) -> Callable[[int], Seen]:
    return lambda amount: try_out(room, amount, server, load, seconds=seconds)


# --- what has no pace of its own -----------------------------------------------------------

WORKS: Mapping[str, Work] = {
    "HTTP requests": Requests(party="everybody"),
    "connections opened and closed": Connects(and_closes=True),
}

#: A second, in each round, by the titles of the works and the names of the servers.
Rates = dict[str, dict[str, list[float]]]


def serve(works: Sequence[str], *, rounds: int, seconds: float) -> Rates:
    """How many make a server as busy as `BUSY` says, by the CPU that each takes."""
    found = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*pair)) for pair in SERVERS.items()]
        loads = {server.name: stack.enter_context(Load()) for server in servers}
        for title in works:
            print(f"  {title}", flush=True)
            samples = measure(
                WORKS[title], loads, servers, rounds=rounds, seconds=seconds, warm_up=2000
            )
            found[title] = {
                name: [BUSY / (each / 1e6) for each in of.cpu] for name, of in samples.items()
            }
    return found


@dataclass(frozen=True)
class Crowd:
    """Connections that are all in one room."""

    connections: int
    #: Bytes of the process's memory, and seconds of CPU, for each.
    memory: float
    cpu: float
    #: Seconds of CPU until a message has gone to all of them.
    broadcast: float


CROWD = "connections in one room"


def gather(connections: int) -> dict[str, Crowd]:
    connections = min(connections, most_connections())
    found = {}
    for name, variant in SERVERS.items():
        print(f"  {connections:,} {CROWD}: {name}", flush=True)
        with running(name, variant) as server, Load() as load:
            path = "/parties/everybody/crowd?_pk="
            load.open("some", server.port, [f"{path}s{at}" for at in range(connections // 10)])
            load.close("some", handshake=True)
            server.settle()
            held, before = resident_bytes(server.pid), server.cpu()
            load.open("all", server.port, [f"{path}c{at}" for at in range(connections)])
            server.settle()
            cpu = (server.cpu() - before) / connections
            memory = (resident_bytes(server.pid) - held) / connections
            message = Message(fanout=connections)
            load.probe("all", message)
            server.settle()
            before = server.cpu()
            load.run("all", 5, message, window=1)
            server.settle()
            found[name] = Crowd(connections, memory, cpu, (server.cpu() - before) / 5)
    return found
