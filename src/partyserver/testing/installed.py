"""What a project has, or what to do where the kit cannot do with it: config, node, wrangler."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from ..project.installed import (
    CONFIG_NAMES,
    OLDEST_NODE,
    OLDEST_WRANGLER,
    config_in,
    dotted,
    nodes,
    numbers,
    package_at,
    upward,
    wranglers,
)
from .errors import RuntimeStartError


def find_config(folder: Path) -> Path:
    """The wrangler config in a folder; its last possible name if there is none."""
    return config_in(folder) or folder / CONFIG_NAMES[-1]


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
    oldest = dotted(OLDEST_NODE)
    old, broken = [], []
    for node in nodes(folders):
        said = _ask(node, "--version")
        version = numbers(said)
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
        version = str(package_at(path).get("version"))
        if numbers(version) < OLDEST_WRANGLER:
            raise RuntimeStartError(
                f"partyserver.testing needs wrangler {dotted(OLDEST_WRANGLER)} or newer, and "
                f"{path.parent} is {version}: run `npm install wrangler@latest`, with a Node.js "
                f"of {dotted(OLDEST_NODE)} or newer (with an older one, npm chooses an older "
                "wrangler)"
            )
        return path
    missing = f"wrangler is not installed in {folders[0]} or above"
    for path in upward(folders, "package.json"):
        package = package_at(path)
        if any("wrangler" in (package.get(kind) or ()) for kind in _DEPENDENCIES):
            raise RuntimeStartError(f"{missing}: run `npm install` in {path.parent}")
    raise RuntimeStartError(f"{missing}: run `npm install wrangler`")


_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")


def _ask(*command: str) -> str:
    """What a program says, or why it does not."""
    try:
        said = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        return str(error)
    return (said.stdout.strip() or said.stderr.strip() or f"nothing: exit {said.returncode}")[:500]
