"""The way from the naive server to this library's, with the figure of each step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from .comparison import BASE, LIBRARY
from .load import Load
from .rounds import Entry, Samples, measure_all
from .servers import running
from .works import Connects, Messages, Requests, Work, deliveries, echo

#: Units.
WARM_UP = 3000


@dataclass(frozen=True)
class Step:
    title: str
    server: str
    #: The class of the server that does it, if not the work's own.
    party: str | None = None


ECHO = [
    Step("npm partyserver", BASE, "echo"),
    Step("naive: a task and an attachment read per message", "steps", "Naive"),
    Step("no task: a plain method", "steps", "Plain"),
    Step("no attachment read: a cache", "steps", "Cached"),
    Step("no look-up of `send`: bound once", "steps", "Bound"),
    Step("no detour: a function instead of a method", "steps", "Direct"),
    Step("no look-up of that: a JavaScript object", "steps", "Fronted"),
    Step("no object of the socket: a function for each", "steps", "Dispatched"),
    Step("this library, plain hook", LIBRARY, "echo"),
    Step("the last step, with an eager task for an `async` hook", "steps", "DispatchedAsync"),
    Step("this library, `async` hook", LIBRARY, "async-echo"),
]

BINARY = [
    Step("npm partyserver", BASE, "echo"),
    Step("this library without its shortcuts", "unshortened", "echo"),
    Step("a function for each socket, which only sends", "steps", "Dispatched"),
    Step("the bytes of the object that comes", "steps", "DispatchedBinary"),
    Step("no object: the bytes are copied", "steps", "CopiedBinary"),
    Step("this library", LIBRARY, "echo"),
]

ROOM = [
    Step("npm partyserver", BASE, "room"),
    Step("naive: a task per message, an attachment read per socket", "steps", "RoomNaive"),
    Step("no task, no attachments", "steps", "RoomPlain"),
    Step("no detour, and a loop over bound `send`s", "steps", "RoomBound"),
    Step("one call into JavaScript for all sockets", "steps", "RoomFanout"),
    Step("this library", LIBRARY, "room"),
]

#: What is not of one kind of event alone: the library without its shortcuts, and with them.
WHOLE = [
    Step("npm partyserver", BASE),
    Step("naive Python", "naive"),
    Step("this library without its shortcuts", "unshortened"),
    Step("this library", LIBRARY),
]

#: Of requests, also the least that Python can do: what is left is the runtime's, and Pyodide's.
REQUEST = [*WHOLE, Step("both hops enter Python, which does nothing", "least")]

STORIES: dict[str, tuple[Sequence[Step], Work]] = {
    "echo": (ECHO, echo()),
    "echo, binary": (BINARY, echo(binary=True)),
    "delivery, room of 10": (ROOM, deliveries(10)),
    "delivery, room of 100": (ROOM, deliveries(100)),
    "echo, 16 KB": (WHOLE, echo(16_384)),
    "echo, 16 KB, binary": (WHOLE, echo(16_384, binary=True)),
    "HTTP request to a room": (REQUEST, Requests()),
    "a new connection": (REQUEST, Connects()),
}


def walk(steps: Sequence[Step], like: Work, *, rounds: int, seconds: float) -> dict[str, Samples]:
    """The samples of each step, by its title. The servers are warm, and take turns."""
    with ExitStack() as stack:
        names = dict.fromkeys(step.server for step in steps)
        servers = {name: stack.enter_context(running(name)) for name in names}
        entries = [
            Entry(step.title, _of(step, like), servers[step.server], stack.enter_context(Load()))
            for step in steps
        ]
        return measure_all(entries, rounds=rounds, seconds=seconds, warm_up=WARM_UP)


def _of(step: Step, work: Work) -> Work:
    if step.party is None:
        return work
    assert isinstance(work, Messages)
    return replace(work, party=step.party)
