"""`python -m bench`: measures all, and writes the report into the documentation.

With --quick it takes about two minutes, and prints the tables only. With --against it compares this
library with another checkout's instead, and prints what has become faster or slower.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from . import (
    against,
    agents,
    capacity,
    compact,
    documents,
    hosting,
    least,
    plots,
    profile,
    report,
    results,
)
from .capacity import ROOMS
from .coldstart import cold_starts
from .comparison import BASE, GROUPS, LIBRARY, ROWS, Group, Result, compare, named
from .growth import GROWTHS, grow
from .memory import measure_memory
from .paths import RESULTS, WORK
from .results import Values
from .servers import LIBRARIES
from .steps import STORIES, walk

PARTS = (
    *("capacity", "comparison", "agents", "documents", "profiles", "least"),
    *("cold_starts", "memory", "growth", "steps", "hosting"),
)
#: The others need more than two minutes.
QUICK_PARTS = ("comparison", "cold_starts", "memory")
#: Of each server, in the comparison.
PROCESSES = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="by default all of the page")
    parser.add_argument(
        "--works",
        nargs="+",
        default=(),
        metavar="PART",
        help="only those with one of these texts in their title; of the comparison, or of --parts",
    )
    parser.add_argument("--report", action="store_true", help="only write the report again")
    parser.add_argument(
        "--against",
        type=_library,
        metavar="CHECKOUT",
        help="compare with the library in another checkout, which needs no set-up",
    )
    parser.add_argument(
        "--variant",
        choices=LIBRARIES,
        default=LIBRARY,
        help="with --against: which servers of this checkout to compare with the other's",
    )
    parser.add_argument(
        "--processes",
        type=int,
        help="with --against: of each server; more of them tell smaller differences from noise",
    )
    options = parser.parse_args()
    # So that the servers are ended too when this program is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))

    if options.against:
        if options.parts or options.report:
            parser.error("--against goes with --quick, --works, --variant and --processes only")
        _compare_checkouts(options)
        return
    if options.processes or options.variant != LIBRARY:
        parser.error("--variant and --processes need --against, which may be `--against .`")

    whole = RESULTS / "results.json"
    if options.report:
        _write_report(json.loads(whole.read_text()))
        return
    parts = options.parts or (QUICK_PARTS if options.quick else PARTS)
    if options.works:
        parts = options.parts or ("comparison",)
        for part in parts:
            if not any(named(title, options.works) for title in _titles(part, options.quick)):
                sys.exit(f"no {part} has one of these in its title: {' | '.join(options.works)}")
    file = whole if not options.quick and not options.works else WORK / "results.json"
    measured = _measure(parts, options.works, quick=options.quick, file=file)
    for table in report.tables(measured).values():
        print(f"\n{table}", end="")
    if file == whole:
        _write_report(json.loads(whole.read_text()))


def _titles(part: str, quick: bool) -> list[str]:
    """What `--works` can choose from."""
    if part == "comparison":
        return [row.title for row in ROWS if row.quick or not quick]
    if part == "growth":
        return [growth.title for growth in GROWTHS]
    if part == "capacity":
        return [*(room.title for room in ROOMS), *capacity.WORKS, capacity.CROWD]
    if part == "agents":
        return [row.title for row in agents.ROWS if row.quick or not quick]
    if part == "documents":
        return [row.title for row in documents.ROWS if row.quick or not quick]
    if part == "least":
        return least.titles()
    if part == "hosting":
        return hosting.titles()
    sys.exit(f"--works does not choose from the part {part}")


def _library(checkout: str) -> Path:
    library = against.library_in(Path(checkout))
    if library is None:
        raise argparse.ArgumentTypeError(f"{checkout} has no src/partyserver/__init__.py")
    return library


def _compare_checkouts(options: argparse.Namespace) -> None:
    effort = against.QUICK if options.quick else against.WHOLE
    if options.processes:
        effort = replace(effort, processes=options.processes, short_processes=options.processes)
    lines = against.compare(options.against, effort, variant=options.variant, works=options.works)
    if not lines:
        sys.exit(f"no work has one of these in its title: {' | '.join(options.works)}")
    _save_samples({line.title: line.figures for line in lines})
    print(f"\n{report.differences(lines)}", end="")


def _measure(parts: Sequence[str], works: Sequence[str], *, quick: bool, file: Path) -> Values:
    rounds, seconds = (5, 0.05) if quick else (7, 0.12)
    processes = 1 if quick else PROCESSES
    about = results.about_the_run(quick=quick, rounds=rounds, processes=processes)
    measured = dict(about)
    samples: Values = {}

    def measure_capacity() -> Values:
        tries = 1 if quick else 3
        rooms = [room for room in ROOMS if named(room.title, works)]
        rates = [title for title in capacity.WORKS if named(title, works)]
        # What is quick of it comes first.
        crowd = {}
        if named(capacity.CROWD, works):
            crowd = capacity.gather(1000 if quick else 10_000)
        served = capacity.serve(rates, rounds=rounds, seconds=seconds) if rates else {}
        filled = capacity.fill(rooms, rounds=tries, seconds=1 if quick else 2) if rooms else {}
        samples["capacity"] = {
            room: {name: [vars(seen) for seen in most.held] for name, most in of.items()}
            for room, of in filled.items()
        }
        return results.capacity(rooms, filled, served, crowd)

    def compare_groups(part: str, groups: Sequence[Group]) -> list[Result]:
        rows = [
            row
            for group in groups
            for row in group.rows
            if named(row.title, works) and (row.quick or not quick)
        ]
        found = compare(
            rows,
            groups,
            processes=processes,
            rounds=rounds,
            seconds=seconds,
            warm_up=500 if quick else 10_000,
        )
        samples[part] = {one.row.title: results.samples(one.samples) for one in found}
        return found

    def measure_comparison() -> list[Values]:
        return results.comparison(compare_groups("comparison", GROUPS))

    def measure_agents() -> Values:
        found = compare_groups("agents", [agents.GROUP])
        return {"run": about, "rows": results.comparison(found)}

    def measure_documents() -> Values:
        found = compare_groups("documents", [documents.GROUP])
        typed = {}
        if not works:
            count = 5000 if quick else 100_000
            typed = {name: documents.type_much(name, count) for name in (BASE, LIBRARY)}
        return {"run": about, **results.documents(found, typed)}

    def measure_cold_starts() -> Values:
        starts = cold_starts(1 if quick else 7, of_rooms=not quick)
        samples["cold_starts"] = results.samples(starts)
        return results.cold_starts(starts)

    def measure_all_memory() -> Values:
        count = 300 if quick else 2000
        variants = (BASE, LIBRARY) if quick else (BASE, LIBRARY, "naive")
        return results.memory(
            {
                variant: measure_memory(
                    variant, rooms=count, connections=count, gone=500 if quick else 10_000
                )
                for variant in variants
            }
        )

    def measure_steps() -> list[Values]:
        walked = {
            story: walk(steps, like, rounds=2 * rounds, seconds=seconds)
            for story, (steps, like) in STORIES.items()
        }
        samples["steps"] = {story: results.samples(of) for story, of in walked.items()}
        return [results.steps(story, of) for story, of in walked.items()]

    def measure_profiles() -> Values:
        return profile.profiles(1 if quick else 3)

    def measure_all_least() -> Values:
        chosen = [title for title in least.titles() if named(title, works)]
        found = least.measure_least(chosen, rounds=2 * rounds, seconds=seconds)
        return results.least(found)

    def measure_growth() -> list[Values]:
        found = []
        for growth in GROWTHS:
            if not named(growth.title, works):
                continue
            sizes = [size for size in growth.sizes if size <= growth.quick_up_to or not quick]
            lines = grow(growth, sizes, rounds=3 if quick else 7, seconds=seconds / 2)
            found.append(results.growth(growth, sizes, lines))
            _save({**measured, "growth": found}, file)
        return found

    def measure_all_hosting() -> Values:
        effort = hosting.QUICK if quick else hosting.WHOLE
        found, bucket = hosting.measure_hosting(effort, works)
        samples["hosting"] = {figures.title: figures.of for figures in found}
        return {"run": about, **hosting.values(found, bucket)}

    measurements: dict[str, Callable[[], object]] = {
        "capacity": measure_capacity,
        "comparison": measure_comparison,
        "agents": measure_agents,
        "documents": measure_documents,
        "profiles": measure_profiles,
        "least": measure_all_least,
        "cold_starts": measure_cold_starts,
        "memory": measure_all_memory,
        "steps": measure_steps,
        "growth": measure_growth,
        "hosting": measure_all_hosting,
    }
    for part in parts:
        print(part.replace("_", " "), flush=True)
        if part == "profiles" and not profile.is_possible():
            print("  left out: Linux's perf is not installed, or may not sample", flush=True)
            continue
        measured[part] = measurements[part]()
        # These say by themselves when and where: all else may be of another machine.
        own = set(parts) <= {*report.ON_THEIR_OWN, hosting.TITLE}
        _save({one: measured[one] for one in parts if one in measured} if own else measured, file)
        _save_samples(samples)
    return measured


def _save(measured: Values, file: Path) -> None:
    """Keep what there is so far, and of the parts that were not measured what was there before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(compact.dumps({**before, **measured}))


def _save_samples(samples: Values) -> None:
    """Of the last run, for those who want to look closer than the report does; git-ignored."""
    (WORK / "samples.json").write_text(json.dumps(samples) + "\n")


def _write_report(measured: Values) -> None:
    report.write_into_page(report.tables(measured))
    plots.draw(measured)


if __name__ == "__main__":
    main()
