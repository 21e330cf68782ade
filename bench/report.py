"""The tables, as Markdown; those of `make bench` go into the documentation."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .against import CONTROL as THIS_AGAIN
from .against import OTHER, THIS, Line
from .agents import TITLE as AGENTS
from .comparison import BASE, CONTROL, LIBRARY, TITLES
from .documents import TITLE as DOCUMENTS
from .hosting import BYTES, RATE
from .hosting import TITLE as HOSTING
from .hosts import DEV, FASTAPI, OWNER, RELAYED, SERVE
from .least import LEAST
from .paths import ROOT
from .profile import KINDS, REST
from .ratios import Ratio, verdict
from .results import Values

PAGE = ROOT / "docs" / "pages" / "performance.md"

_HEADS = {
    "raw": "raw JavaScript",
    BASE: "npm partyserver",
    CONTROL: "the same again",
    "naive": "naive Python",
    "fastapi": "FastAPI",
    LIBRARY: "this library",
}


#: Parts that are one table of the comparison's kind each, with a run of its own; their base.
ON_THEIR_OWN = {AGENTS: "the Agents SDK", DOCUMENTS: "npm y-partyserver"}

#: Beside what the capacity is measured.
_COMPARED = (BASE, LIBRARY, "fastapi")


def tables(results: Values) -> dict[str, str]:
    """The Markdown of each part of the results, by the name of its place in the page."""
    found = {"run": _run(results)}
    if results.get("capacity"):
        found |= _capacity(results["capacity"])
    for table, works in by_table(results).items():
        run = results[table]["run"] if table in ON_THEIR_OWN else results
        found[table] = _comparison(works, run["processes"], _heads_of(table))
        if table in ON_THEIR_OWN:
            found[table] = f"{_run(run)}\n{found[table]}"
    if results.get("documents"):
        found |= _documents(results["documents"])
    if results.get("cold_starts"):
        found["cold starts"] = _cold_starts(results["cold_starts"])
    if results.get("memory"):
        found["memory"] = _memory(results["memory"])
    if results.get("growth"):
        found["growth"] = _growth(results["growth"])
    if results.get("profiles") and results.get("comparison"):
        found["profiles"] = _profiles(results["profiles"], results["comparison"])
    if results.get("least") and results.get("comparison"):
        found["least"] = _least(results["least"], results["comparison"])
    if HOSTING in results:
        found[HOSTING] = _hosting(results[HOSTING])
    for story in results.get("steps", []):
        found[f"steps, {story['work']}"] = _steps(story)
    return found


def by_table(results: Values) -> dict[str, list[Values]]:
    """The rows of the comparison and of the like, by the titles of their tables, in order."""
    found: dict[str, list[Values]] = {table: [] for table in (*TITLES, *ON_THEIR_OWN)}
    own = [results.get(part, {}).get("rows", []) for part in ON_THEIR_OWN]
    for work in itertools.chain(results.get("comparison", []), *own):
        found[work["table"]].append(work)
    return {table: works for table, works in found.items() if works}


def pictures(results: Values) -> list[str]:
    """The files of the plots, which `plots.py` draws."""
    return [
        *(picture_of_ratios(table) for table in by_table(results)),
        *(picture(growth["title"]) for growth in results.get("growth", [])),
    ]


def picture(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-") + ".png"


def picture_of_ratios(table: str) -> str:
    return picture(f"ratios {table}")


def write_into_page(parts: dict[str, str], page: Path = PAGE) -> None:
    """Replace what stands between `<!-- bench: name -->` and `<!-- end -->`."""
    text = page.read_text()
    for name, markdown in parts.items():
        place = re.compile(rf"(<!-- bench: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = place.subn(lambda match: f"{match[1]}\n{markdown}\n{match[2]}", text)  # noqa: B023
        if not count:
            raise ValueError(f"{page} has no place for {name!r}")
    page.write_text(text)


def differences(lines: Sequence[Line]) -> str:
    """The table of `--against`."""
    rows = [
        [
            line.title,
            *(f"{_number(line.median(name))} {line.unit}" for name in (THIS, OTHER)),
            str(line.to(OTHER)),
            str(line.to(THIS_AGAIN)),
            line.verdict,
        ]
        for line in lines
    ]
    head = [THIS, OTHER, f"{THIS} / {OTHER} (95%)", f"{THIS} / {THIS_AGAIN} (95%)", "verdict"]
    return _table(["CPU or memory", *head], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _run(results: Values) -> str:
    machine = results["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; {results['date']}; "
        f"load average before the run {results['load_average']:.1f}.\n"
    )


def base_of(table: str) -> str:
    """What the rows of a table are compared with, for people."""
    return ON_THEIR_OWN.get(table, _HEADS[BASE])


def _heads_of(table: str) -> dict[str, str]:
    return {**_HEADS, BASE: base_of(table)}


def _comparison(works: Sequence[Values], processes: int, heads: Mapping[str, str]) -> str:
    rows = []
    names = [name for name in heads if any(name in work["servers"] for work in works)]
    for work in works:
        servers = work["servers"]
        cells = [_cell(servers[name]) if name in servers else "" for name in names]
        target, found = work["target"], Ratio(*servers[LIBRARY]["ratio"])
        reach = "" if target is None else f"<= {target:g}: {verdict(found, target)}"
        rows.append([work["work"], *cells, str(found), reach])
    busy = [of["load_busy"] for work in works for of in work["servers"].values()]
    table = _table(["work", *(heads[name] for name in names), "ratio (95%)", "to reach"], rows)
    rounds = [of["rounds"] for work in works for of in work["servers"].values()]
    return (
        f"{table}\nMedians of {_from_to(min(rounds), max(rounds))} rounds, of {processes} "
        f"processes of each server. The load generator was busy for {min(busy):.0%} to "
        f"{max(busy):.0%} of the time.\n"
    )


def _documents(documents: Values) -> dict[str, str]:
    base = ON_THEIR_OWN[DOCUMENTS]
    head = ["time", base, _HEADS[LIBRARY], "ratio (95%)"]
    rows = [
        [
            work["work"],
            *(f"{of[name]['milliseconds']:.1f} ms" for name in (BASE, LIBRARY)),
            str(Ratio(*of[LIBRARY]["ratio"])),
        ]
        for work in documents["rows"]
        if (of := work["times"])
    ]
    found = {"documents, times": _table(head, rows)}
    if documents["typed"]:
        found["documents, typed"] = _typed(documents["typed"], base)
    return found


def _typed(typed: Values, base: str) -> str:
    sides = [typed[name] for name in (BASE, LIBRARY)]
    rows = [
        ["Yjs' own encoding", *(_kilobytes(of["encoded"]) for of in sides)],
        ["stored of the document", *(_stored(of) for of in sides)],
        ["memory of the process", *(f"{of['memory'] / 2**20:.0f} MB" for of in sides)],
        ["by so much it has grown", *(f"{of['grown'] / 2**20:+.1f} MB" for of in sides)],
        ["CPU of a keystroke", *(_per_keystroke(of) for of in sides)],
    ]
    head = f"after {sides[0]['keystrokes']:,} keystrokes"
    return _table([head, base, _HEADS[LIBRARY]], rows)


def _kilobytes(count: int) -> str:
    return f"{count / 1000:,.0f} KB"


def _stored(typed: Values) -> str:
    return f"{_kilobytes(typed['stored'])} ({typed['stored'] / typed['encoded']:.2f}x)"


def _per_keystroke(typed: Values) -> str:
    return f"{_number(typed['cpu'] / typed['keystrokes'] * 1e6)} us"


def _from_to(least: float, most: float) -> str:
    return f"{least}" if least == most else f"{least} to {most}"


def _capacity(capacity: Values) -> dict[str, str]:
    found = {}
    counts = [
        [room["title"], *_amounts(room["servers"], room["worth"])]
        for room in capacity["rooms"]
        if not room["is_people"]
    ] + [[rate["title"], *_counts(rate["servers"])] for rate in capacity["rates"]]
    names = [_HEADS[name] for name in _COMPARED]
    if counts:
        found["capacity"] = _table(["a second, in one room", *names], counts)
    people = [
        [
            room["title"],
            *_amounts(room["servers"], 1),
            f"{room['servers'][LIBRARY]['delivered']:,.0f}",
            f"{room['servers'][LIBRARY]['p95']:.0f} ms",
        ]
        for room in capacity["rooms"]
        if room["is_people"]
    ]
    if people:
        more = [f"{_HEADS[LIBRARY]}: {what}" for what in ("messages out a second", "95% within")]
        found["people"] = _table(["people in one room", *names, *more], people)
    if capacity["crowd"]:
        found["crowd"] = _crowd(capacity["crowd"])
    return found


def _amounts(servers: Values, worth: int) -> list[str]:
    """What ends a load is said if it is not the server's CPU."""
    cells = _counts({name: [one * worth for one in of["amount"]] for name, of in servers.items()})
    limits = [servers[name]["limit"] for name in _COMPARED]
    return [
        cell if limit == "CPU" else f"{cell}, by {limit}"
        for cell, limit in zip(cells, limits, strict=True)
    ]


def _counts(servers: Values) -> list[str]:
    return [_count(*servers[name]) for name in _COMPARED]


def _count(middle: float, least: float, most: float) -> str:
    """Three digits are what such a figure is worth."""
    one, low, high = (f"{float(f'{figure:.3g}'):,.0f}" for figure in (middle, least, most))
    return one if low == high else f"{one} ({low}-{high})"


def _crowd(crowd: Values) -> str:
    count = crowd[BASE]["connections"]
    rows = [
        [
            "memory of the process, each",
            *(f"{crowd[n]['memory'] / 1024:.0f} KB" for n in _COMPARED),
        ],
        ["CPU to open, each", *(f"{crowd[name]['cpu'] * 1e3:.2f} ms" for name in _COMPARED)],
        ["CPU of a message to all", *(f"{crowd[n]['broadcast'] * 1e3:.0f} ms" for n in _COMPARED)],
    ]
    head = [f"{count:,} connections in one room", *(_HEADS[name] for name in _COMPARED)]
    return _table(head, rows)


_HOSTS = {
    SERVE: "`partyserver serve`",
    OWNER: "a cluster, by the room's node",
    RELAYED: "a cluster, by another node",
    DEV: "`wrangler dev`",
    FASTAPI: "FastAPI",
}


def _hosting(hosting: Values) -> str:
    if not hosting:
        return "Not measured yet.\n"
    rows = [
        [
            row["title"] + (", a second" if row["unit"] == RATE else ""),
            *(_hosted(cell, row["unit"]) for cell in row["figures"]),
        ]
        for row in hosting["rows"]
    ]
    table = _table(["one room", *(_HOSTS[name] for name in hosting["hosts"])], rows)
    return (
        f"{_run(hosting['run'])}\n{table}\nThe cluster's bucket stores a page in "
        f"{hosting['bucket']:.1f} ms, where nobody else asks.\n"
    )


def _hosted(cell: Sequence[float] | None, unit: str) -> str:
    """A figure, and its ratio to serve's where it is not serve's own."""
    if cell is None:
        return ""
    figure, *found = cell
    if unit == RATE:
        text = f"{float(f'{figure:.3g}'):,.0f}"
    else:
        text = f"{figure / 2**20:,.0f} MB" if unit == BYTES else f"{figure:.1f} s"
    return text if found == [1, 1, 1] else f"{text}, {Ratio(*found)}"


def _growth(growths: Sequence[Values]) -> str:
    rows = []
    for growth in growths:
        first, last = (Ratio(*found) for found in growth["ratios"])
        sizes = growth["sizes"]
        per_one = growth["per_one"]
        rows.append(
            [
                growth["title"],
                f"{sizes[0]:,} to {sizes[-1]:,} {growth['axis']}",
                str(first),
                str(last),
                *(f"{per_one[name]:.3g}" for name in (BASE, LIBRARY)),
                _slopes(growth),
            ]
        )
    head = ["growth", "from, to", "ratio at the smallest", "ratio at the largest"]
    each = [f"us for each more, {_HEADS[name]}" for name in (BASE, LIBRARY)]
    return _table([*head, *each, "ratio of these"], rows)


def _slopes(growth: Values) -> str:
    if growth["is_flat"]:
        return "both flat"
    if growth["slopes"]:
        return str(Ratio(*growth["slopes"]))
    return f"{_HEADS[min(BASE, LIBRARY, key=growth['per_one'].__getitem__)]}'s is flat"


def _cell(server: Values) -> str:
    return f"{_number(server['microseconds'])} ({Ratio(*server['ratio']).median:.2f}x)"


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _profiles(profiles: Values, comparison: list[Values]) -> str:
    """Where the CPU goes, by the shares of a profile, of the microseconds of the comparison."""
    rows = []
    for work in comparison:
        if work["work"] not in profiles:
            continue
        sides = [
            (profiles[work["work"]][name], work["servers"][name]["microseconds"])
            for name in (BASE, LIBRARY)
        ]
        cells = [
            " / ".join(_number(shares.get(kind, 0) * whole) for shares, whole in sides)
            for kind in (*KINDS, REST)
        ]
        rows.append([work["work"], *cells, " / ".join(_number(whole) for _, whole in sides)])
    head = [f"us: {_HEADS[BASE]} / {_HEADS[LIBRARY]}", *KINDS, "the kernel, and the rest", "all"]
    return _table(head, rows)


def _least(least: Values, comparison: Sequence[Values]) -> str:
    """What is to be reached, beside what the least that Python can do costs in the same run."""
    rows = []
    for work in comparison:
        of = least.get(work["work"])
        if of is None:
            continue
        ratios = [Ratio(*of[name]["ratio"]) for name in (LEAST, LIBRARY)]
        cells = [_number(of[name]["microseconds"]) for name in (BASE, LEAST, LIBRARY)]
        rows.append([work["work"], *cells, *map(str, ratios), f"<= {work['target']:g}"])
    heads = [_HEADS[BASE], "the least", _HEADS[LIBRARY]]
    return _table(
        ["work", *heads, "the least: ratio (95%)", "this library: ratio", "to reach"], rows
    )


def _steps(story: Values) -> str:
    rows = [
        [title, _number(of["microseconds"]), str(Ratio(*of["ratio"]))]
        for title, of in story["steps"].items()
    ]
    return _table([story["work"], "CPU us", "ratio (95%)"], rows)


def _cold_starts(starts: Values) -> str:
    rows = [
        [title, f"{of['seconds']:.2f} s", f"{of['cpu']:.2f} s"]
        for title, of in starts.items()
        if title != "ratios"
    ]
    table = _table(["cold start", "to the first response", "CPU"], rows)
    ratios = [
        [title, *(str(Ratio(*found)) for found in both)] for title, both in starts["ratios"].items()
    ]
    head = ["CPU (to reach: 1.1)", "without a snapshot", "with one"]
    return f"{table}\n{_table(head, ratios)}"


def _memory(variants: Values) -> str:
    rows = [
        [
            _HEADS[variant],
            f"{of['per_room'] / 1024:.1f} KB",
            f"{of['per_connection'] / 1024:.1f} KB",
            f"{of['kept'] / 1024 / 1024:+.1f} MB",
        ]
        for variant, of in variants.items()
    ]
    gone = next(iter(variants.values()))["gone"]
    return _table(
        [
            "memory",
            "an idle room with its connection",
            "a connection",
            f"after {gone:,} connections came and went",
        ],
        rows,
    )
