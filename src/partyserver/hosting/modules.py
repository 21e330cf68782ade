"""The modules of a project, by wrangler's rules."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .plan import Kind, Module

VENDORED = "python_modules"
_KINDS: dict[str, Kind] = {
    ".py": "python",
    ".txt": "text",
    ".html": "text",
    ".sql": "text",
    ".bin": "data",
    ".wasm": "wasm",
}


def modules_of(data: Mapping[str, Any], folder: Path, main: Path) -> tuple[Module, ...]:
    """The modules of a worker, the main one first. `folder` is that of the config."""
    root = main.parent
    found = [Module(main.name, "python", main.read_bytes())]
    vendored = folder / VENDORED
    for path, name in _files(root):
        kind = _KINDS.get(path.suffix)
        if kind and path != main and not path.is_relative_to(vendored):
            found.append(Module(name, kind, path.read_bytes()))
    for path, name in _files(vendored):
        if path.suffix != ".pyc":
            is_sdk = name.startswith("workers/") and path.suffix in (".js", ".mjs", ".cjs")
            kind = "esm" if is_sdk else "data"
            found.append(Module(f"{VENDORED}/{name}", kind, path.read_bytes()))
    return tuple(found)


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".wrangler")
        for name in sorted(files):
            path = Path(place, name)
            yield path, path.relative_to(root).as_posix()
