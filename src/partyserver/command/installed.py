"""What a project has installed: Node.js, wrangler, packages for the runtime and for itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import partyserver

from ..project.installed import OLDEST_NODE, nodes, numbers, package_at, wranglers
from .findings import Vendored

_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


def node_of(folder: Path) -> str | None:
    """The version of the Node.js that is used there, as the testing kit finds it."""
    newest = None
    for node in nodes([folder]):
        try:
            done = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        version = done.stdout.strip().removeprefix("v")
        if numbers(version) >= OLDEST_NODE:
            return version
        newest = newest or version
    return newest


def wrangler_of(folder: Path) -> str | None:
    versions = (package_at(path).get("version") for path in wranglers([folder]))
    return next((str(version) for version in versions if version), None)


def vendored_in(modules: Path) -> Vendored | None:
    """What lies in a python_modules/ folder."""
    if not modules.is_dir():
        return None
    versions = dict(_distributions(modules))
    if found := _version_in(modules):
        versions["partyserver"] = found
    packages = {path.name.removesuffix(".py") for path in modules.iterdir()}
    builds = [
        path.relative_to(modules).as_posix()
        for ending in (".so", ".pyd")
        for path in sorted(modules.rglob(f"*{ending}"))
    ]
    return Vendored(versions, packages, builds)


def library_of(folder: Path) -> str | None:
    """The version of this library in the project's own Python."""
    for environment in (folder / ".venv", Path(sys.prefix)):
        if not (environment / "pyvenv.cfg").is_file():
            continue
        if environment == Path(sys.prefix):
            return partyserver.__version__ if environment.is_relative_to(folder) else None
        for packages in (
            *environment.glob("lib/python*/site-packages"),
            environment / "Lib/site-packages",
        ):
            if found := _version_in(packages):
                return found
            if found := dict(_distributions(packages)).get("partyserver"):
                return found
    return None


def dependencies_of(folder: Path) -> list[str]:
    """What pyproject.toml lists for the worker, by normalised names."""
    try:
        listed = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8-sig"))
        lines = listed["project"]["dependencies"]
        # Without those that are for some systems only.
        return [
            _normalised(name[0])
            for line in lines
            if ";" not in line and (name := re.match(r"[\w.-]+", line))
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _version_in(packages: Path) -> str | None:
    """This library's own word for its version: a worker's copy need not have metadata."""
    try:
        text = (packages / "partyserver" / "__init__.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = _VERSION.search(text)
    return found and found[1]


def _distributions(packages: Path) -> Iterator[tuple[str, str]]:
    for path in packages.glob("*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").partition("-")
        yield _normalised(name), version


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
