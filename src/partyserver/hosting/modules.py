"""The modules of a project, by wrangler's rules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..project.errors import CommandError
from ..project.installed import CONFIG_NAMES
from ..project.packages import VENDORED
from .plan import Kind, Module

_KINDS: dict[str, Kind] = {
    "PythonModule": "python",
    "Text": "text",
    "Data": "data",
    "CompiledWasm": "wasm",
    "ESModule": "esm",
    "CommonJS": "commonjs",
}

#: As wrangler has them for a Python worker, behind the project's own.
_RULES = (
    ("PythonModule", ("**/*.py",)),
    ("Text", ("**/*.txt", "**/*.html", "**/*.sql")),
    ("Data", ("**/*.bin",)),
    ("CompiledWasm", ("**/*.wasm", "**/*.wasm?module")),
)
_EXCLUDED = ("**/*.pyc",)


@dataclass(frozen=True)
class File:
    path: Path
    name: str  # of the module
    kind: Kind
    is_vendored: bool


def wrong_shapes(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with the keys that say which modules there are, a sentence for each."""
    problems = []
    base = config.get("base_dir")
    if base is not None and (not isinstance(base, str) or base != possible(base)):
        problems.append("base_dir: it must be the path of a folder")
    if config.get("find_additional_modules") not in (None, True, False):
        problems.append("find_additional_modules: it must be true or false")
    packages = config.get(VENDORED)
    if packages is not None and not isinstance(packages, dict):
        problems.append(f"{VENDORED}: it must be an object")
    elif packages and not _are_strings(packages.get("exclude", [])):
        problems.append(f"{VENDORED}: exclude: it must be a list of strings")
    rules = config.get("rules")
    if rules is not None and not isinstance(rules, list):
        problems.append("rules: it must be a list of objects")
    for rule in _list(rules):
        if not isinstance(rule, dict) or rule.get("type") not in [*_KINDS]:
            problems.append(f"rules: each must have a type, one of {', '.join(_KINDS)}")
        elif not _are_strings(rule.get("globs")):
            problems.append(f"rules: {rule['type']}: globs must be a list of strings")
        elif rule.get("fallthrough") not in (None, True, False):
            problems.append(f"rules: {rule['type']}: fallthrough must be true or false")
    return problems


def possible(path: str) -> str:
    """A path without what no file's name can have."""
    return path.replace("\0", "?").encode(errors="replace").decode()


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def root_of(config: Mapping[str, Any], folder: Path, main: Path) -> Path:
    """The folder whose modules are named by their paths in it. `folder` is the config's."""
    base = config.get("base_dir")
    return Path(folder, base) if isinstance(base, str) else main.parent


def files_of(config: Mapping[str, Any], folder: Path, main: Path) -> Iterator[File]:
    """The files of a worker, and of the packages that it brings along. The main module is first."""
    root = root_of(config, folder, main)
    vendored = folder / VENDORED
    yield File(main, _name_in(root, main), "python", False)
    rules = _rules(config)
    if config.get("find_additional_modules") is False:
        rules = []
    state = folder / ".wrangler"
    for path, name in _files(root, state):
        if path == main or path.is_relative_to(vendored) or name in CONFIG_NAMES:
            continue
        for pattern, kind in rules:
            if pattern.fullmatch(name):
                yield File(path, name, kind, False)
                break
    packages = config.get(VENDORED)
    excluded = packages.get("exclude") if isinstance(packages, dict) else None
    left_out = [*map(pattern_of, _EXCLUDED if excluded is None else _list(excluded))]
    for path, name in _files(vendored, state):
        if not any(pattern.fullmatch(name) for pattern in left_out):
            # The runtime finds packages among the data. The SDK alone brings JavaScript along.
            is_script = name.startswith("workers/") and path.suffix in (".js", ".mjs")
            yield File(path, f"{VENDORED}/{name}", "esm" if is_script else "data", True)


def modules_of(
    config: Mapping[str, Any], folder: Path, main: Path
) -> tuple[Path, tuple[Module, ...], list[str]]:
    """The folder that the modules' names begin at, the modules, and what is to be said of them.

    Raises:
        CommandError: one cannot be read, or is no text where it should be.
    """
    root = root_of(config, folder, main)
    if not main.is_relative_to(root):
        raise CommandError(f"base_dir names {root}, and the main module is not below it")
    if root != folder and (root / VENDORED).is_dir():
        raise CommandError(
            f"{root / VENDORED} lies beside the worker, where no packages are looked for: they "
            f"belong into {folder / VENDORED}"
        )
    files = [*files_of(config, folder, main)]
    modules = tuple(Module(file.name, file.kind, _content(file)) for file in files)
    warnings = [
        f"all of {root / name} goes into the worker, {count} modules: move the main module into "
        'a folder of its own, and set main = "src/worker.py"'
        for name, count in strays(root, files).items()
    ]
    return root, modules, warnings


def strays(root: Path, files: list[File]) -> dict[str, int]:
    """Folders beside the worker that are none of its own, and how many modules each has."""
    tops = [file.name.partition("/")[0] for file in files if not file.is_vendored]
    return {name: tops.count(name) for name in dict.fromkeys(tops) if _is_stray(root / name)}


def _is_stray(folder: Path) -> bool:
    return folder.name == "node_modules" or (folder / "pyvenv.cfg").is_file()


def _name_in(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _content(file: File) -> bytes:
    try:
        content = file.path.read_bytes()
        if file.kind not in ("data", "wasm"):
            content.decode()
    except OSError as error:
        raise CommandError(f"{file.path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{file.path} is a module of text, and no UTF-8: {error.reason} at byte {error.start}"
        ) from None
    return content


def _files(root: Path, state: Path) -> Iterator[tuple[Path, str]]:
    """The files in a folder, each with its name there; but for those of wrangler's own."""
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if Path(place, name) != state)
        for name in sorted(files):
            path = Path(place, name)
            yield path, path.relative_to(root).as_posix()


def _rules(config: Mapping[str, Any]) -> list[tuple[re.Pattern[str], Kind]]:
    """Of each type, the first rule counts, and the next one only behind `fallthrough = true`."""
    own = [one for one in _list(config.get("rules")) if isinstance(one, dict)]
    rules = [(str(one.get("type")), one.get("globs"), one.get("fallthrough")) for one in own]
    has_python = any(kind == "PythonModule" for kind, _, _ in rules)
    rules += [(kind, globs, None) for kind, globs in _RULES[1 if has_python else 0 :]]
    done: set[str] = set()
    found = []
    for kind, globs, falls_through in rules:
        if kind in done or kind not in _KINDS:
            continue
        if falls_through is not True:
            done.add(kind)
        found += [(pattern_of(glob), _KINDS[kind]) for glob in _list(globs)]
    return found


def _list(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list | tuple) else []


def pattern_of(glob: object) -> re.Pattern[str]:
    """Of a glob, as wrangler reads it: with `*` within a folder, and `**` for folders as a whole.

    All else stands for itself.
    """
    text = str(glob)
    parts = []
    at = 0
    for stars in re.finditer(r"\*+", text):
        parts.append(re.escape(text[at : stars.start()]))
        at = stars.end()
        before, after = text[: stars.start()][-1:], text[at : at + 1]
        if len(stars[0]) > 1 and before in ("", "/") and after in ("", "/"):
            parts.append("(?:[^/]*(?:/|$))*")
            at += len(after)
        else:
            parts.append("[^/]*")
    return re.compile("".join(parts) + re.escape(text[at:]))
