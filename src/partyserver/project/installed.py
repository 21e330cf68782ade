"""How a project's wrangler configs, node and wrangler are found."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

OLDEST_NODE = (22, 12)
#: The oldest with the API that the testing kit uses.
OLDEST_WRANGLER = (4, 164)

#: In the order in which wrangler looks for them.
CONFIG_NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")


def config_in(folder: Path) -> Path | None:
    """The wrangler config in a folder."""
    return next(filter(Path.is_file, (folder / name for name in CONFIG_NAMES)), None)


def config_above(folder: Path) -> Path | None:
    """The config that wrangler takes in a folder: it looks for each name there and above it."""
    return next((path for name in CONFIG_NAMES for path in upward([folder], name)), None)


def nodes(folders: Iterable[Path]) -> list[str]:
    """Where node may be: the project's own, the nearest first, then that on the PATH."""
    found = [str(path) for path in upward(folders, "node_modules/.bin/node")]
    return [*found, on_path] if (on_path := shutil.which("node")) else found


def wranglers(folders: Iterable[Path]) -> Iterator[Path]:
    """The `package.json` of each wrangler that is installed, the nearest first."""
    return upward(folders, "node_modules/wrangler/package.json")


def package_at(path: Path) -> dict[str, Any]:
    """A `package.json`; nothing where it is none."""
    with suppress(OSError, ValueError):
        if isinstance(found := json.loads(path.read_text(encoding="utf-8")), dict):
            return found
    return {}


def numbers(version: str) -> tuple[int, ...]:
    """`(4, 164)` of `4.164.0-beta.1`; nothing of what is no version."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def upward(folders: Iterable[Path], path: str) -> Iterator[Path]:
    """The files of this name in these folders and above them."""
    for start in folders:
        for folder in (start, *start.parents):
            if (folder / path).is_file():
                yield folder / path
