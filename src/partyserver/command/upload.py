"""What wrangler uploads of a worker."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .findings import Upload
from .modules import VENDORED

#: Of a Python worker, as wrangler has them where the config says nothing else.
_GLOBS = ("**/*.py", "**/*.txt", "**/*.html", "**/*.sql", "**/*.bin", "**/*.wasm")

_EXCLUDED = ("**/*.pyc",)


def upload_of(config: Mapping[str, Any], folder: Path, main: Path) -> Upload:
    """`folder` is that of the config."""
    base = config.get("base_dir")
    root = folder / base if isinstance(base, str) else main.parent
    rules = [one for one in config.get("rules") or () if isinstance(one, dict)]
    globs = [glob for rule in rules for glob in rule.get("globs") or ()]
    taken = [*map(_pattern, (*_GLOBS, *globs))]
    excluded = config.get("python_modules")
    excluded = excluded.get("exclude") if isinstance(excluded, dict) else None
    left_out = [*map(_pattern, _EXCLUDED if excluded is None else excluded)]
    modules = folder / VENDORED
    found: dict[Path, str] = {}  # and the folder of the root it is in
    for path, name in _files(root):
        is_vendored = path.is_relative_to(modules)
        if not is_vendored and any(pattern.fullmatch(name) for pattern in taken):
            found[path] = name.partition("/")[0]
    strays = {name: name for name in dict.fromkeys(found.values()) if _is_stray(root / name)}
    counts = {name: sum(of == name for of in found.values()) for name in strays}
    for path, name in _files(modules):
        if not any(pattern.fullmatch(name) for pattern in left_out):
            found[path] = VENDORED
    packing, size, compressed = zlib.compressobj(), 0, 0
    for path in found:
        try:
            content = path.read_bytes()
        except OSError:
            continue
        size += len(content)
        compressed += len(packing.compress(content))
    return Upload(len(found), size, compressed + len(packing.flush()), counts)


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    """The files in a folder, each with its name there."""
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".wrangler")
        for name in sorted(files):
            path = Path(place, name)
            yield path, path.relative_to(root).as_posix()


def _is_stray(folder: Path) -> bool:
    return folder.name == "node_modules" or (folder / "pyvenv.cfg").is_file()


def _pattern(glob: str) -> re.Pattern[str]:
    """Of a glob with `**`, as wrangler reads it."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", str(glob))
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meanings.get(part) or re.escape(part) for part in parts))
