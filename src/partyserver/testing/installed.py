"""What a project has installed: its config, node and wrangler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import RuntimeStartError

OLDEST_NODE = (22, 12)
CONFIG_NAMES = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")


def find_config(folder: Path) -> Path:
    """The wrangler config in a folder; its last possible name if there is none."""
    paths = [folder / name for name in CONFIG_NAMES]
    return next(filter(Path.is_file, paths), paths[-1])


def find_node(folders: Iterable[Path]) -> str:
    """The project's own node if it is new enough, else the one on the PATH.

    Raises:
        RuntimeStartError: there is none, or it is too old.
    """
    candidates = [str(path) for path in _upward(folders, Path("node_modules", ".bin", "node"))]
    if on_path := shutil.which("node"):
        candidates.append(on_path)
    oldest = ".".join(map(str, OLDEST_NODE))
    found = []
    for node in candidates:
        version = _node_version(node)
        if tuple(map(int, version.split(".")[:2])) >= OLDEST_NODE:
            return node
        found.append(f"{node} is {version}")
    if found:
        raise RuntimeStartError(
            f"Node.js is too old for wrangler ({'; '.join(found)}): install {oldest} or newer, "
            "from https://nodejs.org or with `npm install node` in this project"
        )
    raise RuntimeStartError(
        f"Node.js is missing, and the Workers runtime is started with it: install {oldest} or "
        "newer from https://nodejs.org"
    )


def find_wrangler(folders: Iterable[Path]) -> Path:
    """The `package.json` of the project's wrangler.

    Raises:
        RuntimeStartError: it is not installed.
    """
    folders = tuple(folders)
    for path in _upward(folders, Path("node_modules", "wrangler", "package.json")):
        return path
    raise RuntimeStartError(
        f"wrangler is not installed in {folders[0]} or above: run `npm install wrangler`"
    )


def _upward(folders: Iterable[Path], path: Path) -> Iterator[Path]:
    for start in folders:
        for folder in (start, *start.parents):
            if (folder / path).is_file():
                yield folder / path


def _node_version(node: str) -> str:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeStartError(f"{node} does not run: {error}") from None
    return said.stdout.strip().removeprefix("v")
