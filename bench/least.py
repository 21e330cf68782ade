"""The least that works cost in Python: each by hand, past this library, for that work alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace

from .comparison import BASE, LIBRARY, find
from .load import Load
from .rounds import Entry, Samples, measure_all
from .servers import running
from .works import Messages

LEAST = "least"

#: The servers, by the works' titles, and the party if it is not the work's own: of all works that
#: are above their target, at least.
SERVERS: dict[str, tuple[str, str | None]] = {
    "echo, plain hook": ("steps", "Dispatched"),
    "echo, `async` hook": ("steps", "DispatchedAsync"),
    "echo, binary": ("steps", "CopiedBinary"),
    "a chat message: into SQL, to 10": ("least_rooms", None),
    "a move: `set_state`, to 20": ("least_rooms", None),
    "to the 10 of 50 with a tag, in a loop": ("least_rooms", None),
    "a key, by `ctx.storage`": ("least_rooms", None),
    "100 rows over HTTP, by `sql`": ("least_rooms", None),
    "100 rows over HTTP, by `sql_json`": ("least_rooms", None),
    "a dict to another room and back": ("least_rooms", None),
    "a new connection": ("least", None),
    "a connection, opened and closed": ("least", None),
    "HTTP request to a room": ("least", None),
}


def titles() -> list[str]:
    return list(SERVERS)


def measure_least(
    chosen: Iterable[str], *, rounds: int, seconds: float
) -> dict[str, dict[str, Samples]]:
    """The samples of npm partyserver, this library and the least, by the works' titles."""
    found = {}
    for title in chosen:
        print(f"  {title}", flush=True)
        group, row = find(title)
        variant, party = SERVERS[title]
        variants = {**group.servers, LEAST: variant}
        works = dict.fromkeys((BASE, LIBRARY, LEAST), row.work)
        if party is not None:
            assert isinstance(row.work, Messages)
            works[LEAST] = replace(row.work, party=party)
        with ExitStack() as stack:
            entries = [
                Entry(
                    name,
                    work,
                    stack.enter_context(running(name, variants[name])),
                    stack.enter_context(Load()),
                )
                for name, work in works.items()
            ]
            found[title] = measure_all(
                entries, rounds=rounds, seconds=seconds, warm_up=max(row.warm_up, 1000)
            )
    return found
