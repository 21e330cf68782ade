"""The plots of the page in the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .comparison import BASE, CONTROL, LIBRARY
from .paths import ROOT
from .ratios import Ratio
from .report import base_of, by_table, picture, picture_of_ratios
from .results import Values

FOLDER = ROOT / "docs" / "pages" / "performance"
_LOOKS = {
    BASE: ("npm partyserver", "#f0a30a"),
    CONTROL: ("the same again", "#f7d28a"),
    "raw": ("raw JavaScript", "#9a9a9a"),
    "naive": ("naive Python", "#c0392b"),
    "fastapi": ("FastAPI on uvicorn", "#27ae60"),
    LIBRARY: ("this library", "#2e6fdb"),
}


def draw(results: Values, folder: Path = FOLDER) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for table, works in by_table(results).items():
        files.append(_ratios(works, base_of(table), folder / picture_of_ratios(table)))
    for growth in results.get("growth", []):
        files.append(_lines(growth, folder / picture(growth["title"])))
    return files


def _ratios(comparison: Sequence[Values], base: str, file: Path) -> Path:
    works = list(reversed(comparison))
    names = [
        name for name in _LOOKS if name != BASE and any(name in work["servers"] for work in works)
    ]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(works) + 1.4))
    for name in names:
        label, color = _LOOKS[name]
        found = [(at, work["servers"].get(name)) for at, work in enumerate(works)]
        places = [at for at, of in found if of]
        ratios = [Ratio(*of["ratio"]) for _, of in found if of]
        middle = [one.median for one in ratios]
        spread = [
            [one.median - one.low for one in ratios],
            [one.high - one.median for one in ratios],
        ]
        axes.errorbar(middle, places, xerr=spread, fmt="o", ms=5, color=color, label=label)
    targets = [(work["target"], at) for at, work in enumerate(works) if work["target"]]
    if targets:
        axes.plot(*zip(*targets, strict=True), "|", ms=14, color="#2e6fdb", label="to reach")
    axes.axvline(1, color=_LOOKS[BASE][1], lw=1)
    axes.set_xscale("log")
    axes.set_xticks([0.25, 0.5, 1, 2, 5, 10], ["0.25", "0.5", "1", "2", "5", "10"])
    axes.set_yticks(range(len(works)), [work["work"].replace("`", "") for work in works])
    axes.set_xlabel(f"CPU for each unit of work, as a multiple of {base}'s")
    return _save(figure, axes, file)


def _lines(growth: Values, file: Path) -> Path:
    figure, axes = plt.subplots(figsize=(6.4, 4))
    for name, microseconds in growth["microseconds"].items():
        label, color = _LOOKS[name]
        axes.plot(growth["sizes"], microseconds, "o-", ms=4, color=color, label=label)
    if growth["sizes"][0] > 0 and growth["sizes"][-1] > 20:
        axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(growth["axis"])
    axes.set_ylabel(f"CPU us for each {growth['unit']}")
    axes.set_title(growth["title"])
    return _save(figure, axes, file)


def _save(figure: Figure, axes: Axes, file: Path) -> Path:
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)
    return file
