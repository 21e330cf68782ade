"""What was measured, as plain values for JSON; the report and the plots are made from it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import astuple
from statistics import median
from typing import Any

from . import machine
from .coldstart import RATIOS, SNAPSHOT, Start
from .comparison import BASE, Result
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
            "target": result.row.target,
            "servers": _servers(result.samples, result.samples[BASE]),
        }
        for result in results
    ]


def steps(story: str, steps: Mapping[str, Samples]) -> Values:
    base, *_ = steps.values()
    return {"work": story, "steps": _servers(steps, base)}


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


def growth(of: Growth, sizes: list[int], lines: Lines) -> Values:
    return {
        "title": of.title,
        "axis": of.axis,
        "unit": of.unit,
        "sizes": sizes,
        "microseconds": lines,
    }
