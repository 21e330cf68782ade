"""Where workerd is: the binary that npm has brought, by itself or with wrangler."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..project.errors import CommandError
from ..project.installed import package_at, upward

#: npm's names of what workerd is built for, by what Python calls the system and the machine.
_BUILDS = {
    ("Linux", "x86_64"): "linux-64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "x86_64"): "darwin-64",
    ("Darwin", "arm64"): "darwin-arm64",
}
#: From package to package, to the one that brings it.
_WAYS = (
    ("workerd",),
    ("wrangler", "workerd"),
    ("wrangler", "miniflare", "workerd"),
    ("miniflare", "workerd"),
    (),
)


@dataclass(frozen=True)
class Program:
    path: Path
    #: As npm has it: 1.20261117.1.
    version: str


def find_workerd(folders: Iterable[Path]) -> Program:
    """The workerd of the nearest `node_modules` in these folders or above them.

    Raises:
        CommandError: there is none, or none for this machine.
    """
    system = (platform.system(), platform.machine())
    build = _BUILDS.get(system)
    if build is None:
        raise CommandError(
            f"workerd has no build for {' on '.join(system)}: serve on Linux or macOS, on x86-64 "
            "or ARM64"
        )
    folders = tuple(folders)
    for path in _found(folders, f"@cloudflare/workerd-{build}"):
        program = path.parent / "bin" / "workerd"
        if program.is_file():
            return Program(program, str(package_at(path).get("version")))
    raise CommandError(
        f"workerd is not installed in {folders[0]} or above: run `npm install workerd` there "
        "(wrangler brings it, too)"
    )


def _found(folders: Sequence[Path], package: str) -> Iterator[Path]:
    """The `package.json` of a package, as Node.js finds it from those that depend on it."""
    for way in _WAYS:
        places = folders
        for name in way:
            found = next(upward(places, f"node_modules/{name}/package.json"), None)
            if found is None:
                break
            places = (found.resolve().parent,)
        else:
            yield from upward(places, f"node_modules/{package}/package.json")
