"""What a project has installed: its config, node and wrangler."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import RuntimeStartError

OLDEST_NODE = (22, 12)
OLDEST_WRANGLER = (4, 164)
CONFIG_NAMES = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")


def find_config(folder: Path) -> Path:
    """The wrangler config in a folder; its last possible name if there is none."""
    paths = [folder / name for name in CONFIG_NAMES]
    return next(filter(Path.is_file, paths), paths[-1])


def why_no_config(path: Path) -> str:
    """Says what to do where the config that the tests are to run is not there.

    Args:
        path: where it was looked for.
    """
    set_option = "set the ini option party_config to the path of yours"
    if path.name not in CONFIG_NAMES:
        return f"there is no wrangler config {path}: {set_option}"
    others = {find_config(folder) for folder in (*path.parents, Path.cwd())}
    others.discard(path)
    near = "".join(f"; there is {other}" for other in sorted(others) if other.is_file())
    return (
        f"there is no wrangler config {path}, nor one of another format beside it{near}: run "
        f"pytest in the folder of your wrangler config, or {set_option}; a new project has one "
        "with `partyserver init`"
    )


def find_node(folders: Iterable[Path]) -> str:
    """The project's own node if it is new enough, else the one on the PATH.

    Raises:
        RuntimeStartError: there is none, or it is too old.
    """
    candidates = [str(path) for path in _upward(folders, Path("node_modules", ".bin", "node"))]
    if on_path := shutil.which("node"):
        candidates.append(on_path)
    oldest = ".".join(map(str, OLDEST_NODE))
    old, broken = [], []
    for node in candidates:
        said = _ask(node, "--version")
        version = _version(said.removeprefix("v"))
        if version >= OLDEST_NODE:
            return node
        if version:
            old.append(f"{node} is {said.removeprefix('v')}")
        else:
            broken.append(f"{node} says {said!r}")
    if old:
        raise RuntimeStartError(
            f"Node.js is too old for wrangler ({'; '.join(old)}): install {oldest} or newer, "
            "from https://nodejs.org or with `npm install node` in this project"
        )
    if broken:
        raise RuntimeStartError(
            f"Node.js does not run ({'; '.join(broken)}): install {oldest} or newer from "
            "https://nodejs.org, or have your version manager choose one for this folder"
        )
    raise RuntimeStartError(
        f"Node.js is missing, and the Workers runtime is started with it: install {oldest} or "
        "newer from https://nodejs.org"
    )


def find_wrangler(folders: Iterable[Path]) -> Path:
    """The `package.json` of the project's wrangler.

    Raises:
        RuntimeStartError: it is not installed, or too old.
    """
    folders = tuple(folders)
    for path in wranglers(folders):
        version = str(_read(path).get("version"))
        if _version(version) < OLDEST_WRANGLER:
            oldest = ".".join(map(str, OLDEST_WRANGLER))
            raise RuntimeStartError(
                f"partyserver.testing needs wrangler {oldest} or newer, and {path.parent} is "
                f"{version}: run `npm install wrangler@latest`, with a Node.js of "
                f"{'.'.join(map(str, OLDEST_NODE))} or newer (with an older one, npm chooses an "
                "older wrangler)"
            )
        return path
    missing = f"wrangler is not installed in {folders[0]} or above"
    for path in _upward(folders, Path("package.json")):
        package = _read(path)
        if any("wrangler" in (package.get(kind) or ()) for kind in _DEPENDENCIES):
            raise RuntimeStartError(f"{missing}: run `npm install` in {path.parent}")
    raise RuntimeStartError(f"{missing}: run `npm install wrangler`")


def wranglers(folders: Iterable[Path]) -> Iterator[Path]:
    """The `package.json` of each wrangler that is installed, the nearest first."""
    return _upward(folders, Path("node_modules", "wrangler", "package.json"))


_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")


def _read(package: Path) -> dict[str, Any]:
    """A `package.json`; nothing where it is none."""
    with suppress(OSError, ValueError):
        if isinstance(found := json.loads(package.read_text(encoding="utf-8")), dict):
            return found
    return {}


def _upward(folders: Iterable[Path], path: Path) -> Iterator[Path]:
    for start in folders:
        for folder in (start, *start.parents):
            if (folder / path).is_file():
                yield folder / path


def _version(text: str) -> tuple[int, ...]:
    """The first two numbers of a version; nothing of what is none."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


def _ask(*command: str) -> str:
    """What a program says, or why it does not."""
    try:
        said = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        return str(error)
    return (said.stdout.strip() or said.stderr.strip() or f"nothing: exit {said.returncode}")[:500]
