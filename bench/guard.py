"""A few seconds of measuring, for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from . import agents, capacity, documents, hosting, hosts
from .comparison import BASE, LIBRARY, ROOM_SERVERS, ROWS, WORK, Row, table_of
from .documents import DocumentWakes
from .load import Document, Load
from .paths import ROOT
from .rounds import measure
from .servers import running
from .works import Messages, deliveries, echo

WORKS = {"echo": echo(), "a room of 100": deliveries(100)}


def ratios() -> dict[str, dict[str, float]]:
    """CPU for each unit of work, as a multiple of npm partyserver's in the same run.

        {"echo": {"library": 1.5, "control": 1.02}, ...}

    The control is another npm partyserver, which tells how far to trust the other figure.
    """
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        servers = [
            stack.enter_context(running("npm")),
            stack.enter_context(running("control", "npm")),
            stack.enter_context(running("library")),
        ]
        found = {}
        for name, work in WORKS.items():
            samples = measure(work, load, servers, rounds=7, seconds=0.05)
            base = median(samples.pop("npm").cpu)
            found[name] = {one: median(of.cpu) / base for one, of in samples.items()}
        return found


def replies() -> list[str]:
    """The real works of a room whose replies were the expected ones, in all variants.

    Each work looks at a reply before it is measured, and counts those that come as it is.
    """
    rows = [row for row in ROWS if table_of(row.title) == WORK]
    for variant in sorted(set(ROOM_SERVERS.values())):
        _do_some(variant, rows)
    return [row.title for row in rows]


def frames_of_agents(variant: str) -> list[str]:
    """The works of agents in which each connection was told what it should be, and no more."""
    _do_some(variant, agents.ROWS)
    return agents.titles()


def documents_of(variant: str) -> list[str]:
    """The works of documents in which all heard what was typed, and newcomers had all of it."""
    rows = [row for row in documents.ROWS if row.quick and "1 MB" not in row.title]
    few = [
        replace(row, work=replace(row.work, rooms=2))
        if isinstance(row.work, DocumentWakes)
        else row
        for row in rows
    ]
    _do_some(variant, few)
    return [row.title for row in rows]


def wrong_documents() -> list[str]:
    """Why the load generator refuses a newcomer whose document was another one."""
    found = []
    with running(documents.SERVERS[LIBRARY]) as server, Load() as load:
        for kind in ("typed", "pasted"):
            load.open("group", server.port, ["/parties/notes/one"], greeting=1)
            load.write("group", Document(2000, kind))
            try:
                load.newcomers("group", server.port, "/parties/notes/one", 1, is_checked=True)
            except RuntimeError as error:
                found.append(str(error))
            else:
                found.append("")
                load.close("group")
    return found


def typed(keystrokes: int) -> dict[str, int]:
    """What is stored after so many keystrokes in a room of this library's."""
    return vars(documents.type_much(LIBRARY, keystrokes))


def hosted(name: str) -> list[str]:
    """The works of hosting that a host has done, after a start without a snapshot.

    Each looks at a reply, and at a cluster's other node also at where the room is.
    """
    # Its standard library need not be compiled at the start.
    hosts.BUNDLE = ROOT / ".cache" / "pyodide-bundle-compiled"
    with hosting.hosts() as found, Load() as load:
        start = found.serve("--no-snapshot") if name == hosts.SERVE else found.host(name)
        with start as host:
            for row in hosting.ROWS:
                row.work.prepare(load, host)
                row.work.run(load, host, 10 * row.work.granularity)
                row.work.finish(load, host)
            assert host.memory() > 2**20
    return hosting.titles()[: len(hosting.ROWS)]


def misplaced() -> list[str]:
    """Why a room is refused that is not where it should be, by the rows of hosting."""
    hosts.BUNDLE = ROOT / ".cache" / "pyodide-bundle-compiled"
    found = []
    with hosting.hosts() as all_hosts, all_hosts.host(hosts.RELAYED) as host, Load() as load:
        for row in hosting.ROWS:
            try:
                row.work.prepare(load, replace(host, owner_port=host.port))
            except RuntimeError as error:
                found.append(str(error))
            load.close(host.name)
    return found


def _do_some(variant: str, rows: Sequence[Row]) -> None:
    with running(variant) as server, Load() as load:
        for row in rows:
            row.work.prepare(load, server)
            row.work.run(load, server, row.work.fixed or 10 * row.work.granularity)
            row.work.finish(load, server)


def refusals(cases: Sequence[tuple[list[str], list[str]]]) -> list[str]:
    """Why the load generator refuses a call that sets the state, were these to be its frames.

    Each case has those of the caller, and of each other; what is not refused has the empty text.
    """
    row = next(row for row in agents.ROWS if row.title == "a call that sets the state, to 10")
    assert isinstance(row.work, Messages)
    found = []
    with running(agents.SERVERS[LIBRARY]) as server:
        for answers, others in cases:
            message = replace(row.work.message, answers=tuple(answers), others=tuple(others))
            with Load() as load:
                try:
                    replace(row.work, message=message).prepare(load, server)
                except RuntimeError as error:
                    found.append(str(error))
                else:
                    found.append("")
    return found


def held() -> dict[str, dict[str, bool]]:
    """Whether a small load comes out again, by the rooms whose capacity is measured."""
    found: dict[str, dict[str, bool]] = {room.title: {} for room in capacity.ROOMS}
    for variant in (capacity.SERVERS[BASE], capacity.SERVERS[LIBRARY]):
        with running(variant) as server, Load() as load:
            for room in capacity.ROOMS:
                amount = 8 if room.is_people else 200
                # It fails if not all comes at last, however late.
                seen = capacity.try_once(_lively(room), amount, server, load, seconds=1)
                has_come = 0 < seen.delivered <= 1.2 * seen.expected
                found[room.title][variant] = has_come if room.tick else seen.expected > 0
    return found


def _lively(room: capacity.Room) -> capacity.Room:
    """So that everybody says something soon."""

    def traffic(amount: int) -> capacity.Traffic:
        usual = room.traffic(amount)
        return replace(usual, rate=max(usual.rate, 5))

    return replace(room, traffic=traffic)


def found(
    most: int, guesses: list[int], *, power: float, busy: float, limit: str
) -> list[tuple[int, str]]:
    """What the search finds for a room that holds `most`, where its server is so busy."""

    def attempt(amount: int) -> capacity.Seen:
        share = 0.1 + (busy - 0.1) * (amount / most) ** power
        too_much = limit if amount > most else None
        return capacity.Seen(amount, share, 0.5, 1, 2, amount, amount, limit=too_much)

    room = replace(capacity.ROOMS[0], power=power)
    most_held = [capacity.find_most(room, guess, attempt) for guess in guesses]
    return [(seen.amount, ended_by) for seen, ended_by in most_held]
