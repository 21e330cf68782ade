"""What was measured, as plain values for JSON; the report and the plots are made from it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from statistics import median
from typing import Any

from . import machine
from .capacity import Crowd, Filled, Most, Rates, Room
from .coldstart import RATIOS, SNAPSHOT, Start
from .comparison import BASE, LIBRARY, Result
from .documents import Keystrokes, Typed, times
from .growth import Growth, Lines
from .memory import Memory
from .ratios import ratio
from .rounds import Samples

Values = dict[str, Any]


def about_the_run(*, quick: bool, rounds: int, processes: int) -> Values:
    return {
        "machine": machine.describe(),
        "load_average": machine.load_average(),
        "date": time.strftime("%Y-%m-%d"),
        "quick": quick,
        "rounds": rounds,
        "processes": processes,
    }


def samples(measured: Mapping[str, Samples | Start]) -> Values:
    return {name: vars(of) for name, of in measured.items()}


def comparison(results: list[Result]) -> list[Values]:
    return [
        {
            "work": result.row.title,
            "table": result.table,
            "target": result.row.target,
            "servers": _servers(result.samples, result.samples[BASE]),
        }
        for result in results
    ]


def documents(found: Sequence[Result], typed: Mapping[str, Typed]) -> Values:
    """With the time of what one waits for: all but keystrokes, which nobody waits for."""
    rows = comparison(list(found))
    for row, result in zip(rows, found, strict=True):
        is_waited_for = not isinstance(result.row.work, Keystrokes)
        row["times"] = times(result.samples) if is_waited_for else {}
    return {"rows": rows, "typed": {name: vars(of) for name, of in typed.items()}}


def steps(story: str, steps: Mapping[str, Samples]) -> Values:
    base, *_ = steps.values()
    return {"work": story, "steps": _servers(steps, base)}


def least(measured: Mapping[str, Mapping[str, Samples]]) -> Values:
    return {title: _servers(of, of[BASE]) for title, of in measured.items()}


def _servers(samples: Mapping[str, Samples], base: Samples) -> Values:
    return {
        name: {
            "microseconds": median(of.cpu),
            "ratio": astuple(ratio(of.cpu, base.cpu)),
            "load_busy": median(of.load_busy),
            "rounds": len(of.cpu),
        }
        for name, of in samples.items()
    }


def cold_starts(starts: Mapping[str, Start]) -> Values:
    return {
        title: {
            "seconds": median(start.seconds),
            "cpu": median(start.cpu),
        }
        for title, start in starts.items()
    } | {
        "ratios": {
            title: [
                astuple(ratio(starts[of + how].cpu, starts[to + how].cpu)) for how in ("", SNAPSHOT)
            ]
            for title, (of, to) in RATIOS.items()
            if of in starts
        }
    }


def memory(measured: Mapping[str, Memory]) -> Values:
    return {variant: vars(of) for variant, of in measured.items()}


#: A line is flat if its end is no higher than this, beside its beginning.
FLAT = 1.15


def growth(of: Growth, sizes: list[int], lines: Lines) -> Values:
    """With the ratio to npm's line at both ends, and of what each more costs."""
    ends = [
        {name: of_sizes[end] for name, of_sizes in lines.items() if name in (BASE, LIBRARY)}
        for end in (0, -1)
    ]
    medians = {name: [median(cpu) for cpu in of_sizes] for name, of_sizes in lines.items()}
    per_one = {
        name: [
            (last - first) / (sizes[-1] - sizes[0])
            for first, last in zip(ends[0][name], ends[1][name], strict=True)
        ]
        for name in (BASE, LIBRARY)
    }
    is_flat = all(medians[name][-1] < FLAT * medians[name][0] for name in (BASE, LIBRARY))
    # A line that falls, if only in one round, has no slope to compare.
    grow_both = all(min(each) > 0 for each in per_one.values())
    return {
        "title": of.title,
        "axis": of.axis,
        "unit": of.unit,
        "sizes": sizes,
        "microseconds": medians,
        "ratios": [astuple(ratio(end[LIBRARY], end[BASE])) for end in ends],
        "per_one": {name: median(each) for name, each in per_one.items()},
        "slopes": astuple(ratio(per_one[LIBRARY], per_one[BASE])) if grow_both else None,
        "is_flat": is_flat,
    }


def capacity(
    rooms: Sequence[Room], filled: Filled, rates: Rates, crowd: Mapping[str, Crowd]
) -> Values:
    return {
        "rooms": [
            {
                "title": room.title,
                "is_people": room.is_people,
                "worth": room.worth,
                "servers": {name: _most(most) for name, most in filled[room.title].items()},
            }
            for room in rooms
        ],
        "rates": [
            {"title": title, "servers": {name: _range(rate) for name, rate in of.items()}}
            for title, of in rates.items()
        ],
        "crowd": {name: vars(of) for name, of in crowd.items()},
    }


def _most(most: Most) -> Values:
    return {
        "amount": _range([seen.amount for seen in most.held]),
        **{
            what: median(getattr(seen, what) for seen in most.held)
            for what in ("busy", "load_busy", "median", "p95", "delivered")
        },
        "limit": max(most.limits, key=most.limits.count),
    }


def _range(figures: Sequence[float]) -> list[float]:
    return [median(figures), min(figures), max(figures)]
