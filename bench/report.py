"""The tables, as Markdown; those of `make bench` go into the documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .against import CONTROL as THIS_AGAIN
from .against import OTHER, THIS, Line
from .comparison import BASE, CONTROL, LIBRARY
from .paths import ROOT
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


def tables(results: Values) -> dict[str, str]:
    """The Markdown of each part of the results, by the name of its place in the page."""
    found = {"run": _run(results)}
    if results.get("comparison"):
        found["comparison"] = _comparison(results["comparison"], results["processes"])
    for story in results.get("steps", []):
        found[f"steps, {story['work']}"] = _steps(story)
    if results.get("cold_starts"):
        found["cold starts"] = _cold_starts(results["cold_starts"])
    if results.get("memory"):
        found["memory"] = _memory(results["memory"])
    return found


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


def _comparison(works: Sequence[Values], processes: int) -> str:
    rows = []
    for work in works:
        servers = work["servers"]
        cells = [_cell(servers[name]) if name in servers else "" for name in _HEADS]
        target, found = work["target"], Ratio(*servers[LIBRARY]["ratio"])
        reach = "" if target is None else f"<= {target:g}: {verdict(found, target)}"
        rows.append([work["work"], *cells, str(found), reach])
    busy = [of["load_busy"] for work in works for of in work["servers"].values()]
    table = _table(["work", *_HEADS.values(), "ratio (95%)", "to reach"], rows)
    rounds = [of["rounds"] for work in works for of in work["servers"].values()]
    return (
        f"{table}\nMedians of {min(rounds)} to {max(rounds)} rounds, of {processes} processes of "
        f"each server. The load generator was busy for {min(busy):.0%} to {max(busy):.0%} of the "
        "time.\n"
    )


def _cell(server: Values) -> str:
    return f"{_number(server['microseconds'])} ({Ratio(*server['ratio']).median:.2f}x)"


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


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
