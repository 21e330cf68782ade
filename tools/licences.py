"""Writes docs/pages/licences.md: what a project of `partyserver init` brings, and its licences.

    .venv/bin/python tools/licences.py

npm's packages are those of package-lock.json, whose versions are those of the templates. Python's
are those that this checkout has, which uv resolves anew for a project.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from partyserver.command.init import TEMPLATES, files_of

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "pages" / "licences.md"

#: What runs on the developer's machine alone, and reaches neither the worker nor its page.
TOOLS = {"wrangler", "esbuild", "typescript", "@types/react", "@types/react-dom"}

#: As a project has it, wherever this runs.
PYTHON = {
    "python_version": "3.14",
    "python_full_version": "3.14.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
}

#: Of packages that name none in their metadata's field for it.
CLASSIFIERS = {
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

HEAD = """\
# Licences

This list has the packages that a project of `partyserver init` brings along, with their licences:
what is in your worker, what is in the page that it serves to browsers, and what runs on your
machine only.

partyserver itself is under the [MIT licence](../../LICENSE). What `init` has written is yours: use,
change and sell it without naming anybody.

The list is made by `tools/licences.py` from the packages' own metadata. Versions of npm packages
are those that a new project has. Python packages are resolved by uv when the project is made, so
they may be newer. `@types/...` are declarations of types.
"""

IN_PAGE = "\nIn its page, as far as it imports them: esbuild leaves out what is not used.\n\n"

BINARIES = """
Some of these install one more package for your system, with a program or a library in it. These
are under:

"""

#: How the name of a package for one system ends.
SYSTEM = re.compile(
    r"(aix|android|darwin|freebsd|linux|linuxmusl|netbsd|openbsd|openharmony|sunos|webcontainers"
    r"|win32|windows)-\w+$"
)

END = """
pyright (MIT) is a wrapper that fetches the npm package of the same name.

workerd, the runtime, comes with wrangler, and brings V8, SQLite and more, whose licences stand in
[its own repository](https://github.com/cloudflare/workerd/blob/main/LICENSE).
"""


def npm(names: set[str]) -> dict[str, tuple[str, str]]:
    """Packages of npm and what they bring along: versions and licences, by name."""
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    found: dict[str, tuple[str, str]] = {}
    todo = [(name, "") for name in sorted(names)]
    while todo:
        name, of = todo.pop()
        # As Node looks for it: beside what needs it first.
        places = [f"{of}/node_modules/{name}"] if of else []
        path = next((one for one in (*places, f"node_modules/{name}") if one in lock), None)
        if path is None or name in found:
            continue
        entry = lock[path]
        found[name] = (entry["version"], entry["license"])
        todo += [(one, path) for one in entry.get("dependencies", {})]
    return found


def binaries(names: Iterable[str]) -> Iterator[str]:
    """What npm installs beside packages, each for some systems: by licence, as a list."""
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    licences: dict[str, str] = {}
    for package in names:
        for name in lock.get(f"node_modules/{package}", {}).get("optionalDependencies", {}):
            licences[name] = lock[f"node_modules/{name}"]["license"]
    families: dict[str, set[str]] = {}
    for name, named in licences.items():
        families.setdefault(SYSTEM.sub("*", name), set()).add(named)
    shown: dict[str, set[str]] = {}
    for name, named in licences.items():
        family = SYSTEM.sub("*", name)
        if len(families[family]) > 1:  # it depends on the system
            family = f"{name.rpartition('-')[0]}-*"
        shown.setdefault(named, set()).add(family)
    for named in sorted(shown):
        yield f"- {named}: {', '.join(f'`{family}`' for family in sorted(shown[named]))}\n"


def pypi(names: set[str]) -> dict[str, tuple[str, str]]:
    """The same of Python packages."""
    found: dict[str, tuple[str, str]] = {}
    todo = [Requirement(name) for name in sorted(names)]
    seen: set[str] = set()
    while todo:
        requirement = todo.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        if requirement.name == "workers-runtime-sdk":  # not in this environment, but for workers
            [path] = (ROOT / ".cache/sdk").glob("workers_runtime_sdk-*.dist-info")
            about: metadata.Distribution = metadata.Distribution.at(path)
        else:
            about = metadata.distribution(requirement.name)
        if about.name != "partyserver":
            found[about.name] = (about.version, licence(about))
        for line in about.requires or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            given = [{**PYTHON, "extra": extra} for extra in extras]
            if needed.marker is None or any(needed.marker.evaluate(one) for one in given):
                todo.append(needed)
    return found


def licence(about: metadata.Distribution) -> str:
    if named := about.metadata["License-Expression"]:
        return str(named)
    named = about.metadata["License"] or ""
    if named and len(named) < 40 and "\n" not in named:
        return str(named)
    for classifier in about.metadata.get_all("Classifier") or []:
        if classifier in CLASSIFIERS:
            return CLASSIFIERS[classifier]
    return ""


def needs(template: str) -> tuple[set[str], set[str], set[str]]:
    """What a template names: packages of the worker, of its page, and of npm for the machine."""
    files = files_of(template, "my-app")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    package = json.loads(files["package.json"])
    named = {*package.get("dependencies", {}), *package["devDependencies"]}
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in package["devDependencies"].items():
        if lock[f"node_modules/{name}"]["version"] != version:
            sys.exit(f"{template} has {name} {version}, which package-lock.json does not have")
    worker = {re.sub(r"==.*", "", one) for one in project["dependencies"]}
    return worker, named - TOOLS, named & TOOLS


def table(packages: dict[str, tuple[str, str]]) -> Iterator[str]:
    yield "| Package | Version | Licence |\n|---|---|---|\n"
    for name in sorted(packages, key=str.lower):
        version, named = packages[name]
        if not named:
            sys.exit(f"{name} says nothing of its licence")
        yield f"| {name} | {version} | {named} |\n"


def page() -> str:
    parts = [HEAD]
    tools: set[str] = set()
    for template in TEMPLATES:
        worker, in_page, own_tools = needs(template)
        tools |= own_tools
        parts.append(
            f"\n## `--template {template}`\n" if template != "chat" else "\n## A project\n"
        )
        parts.append("\nIn the worker:\n\n")
        parts += table(pypi(worker))
        if in_page:
            parts.append(IN_PAGE)
            parts += table(npm(in_page))
        else:
            parts.append("\nIts page has no packages.\n")
    parts.append("\n## On your machine\n\nNothing of this is deployed. From npm:\n\n")
    on_machine = npm(tools)
    parts += table(on_machine)
    parts.append(BINARIES)
    parts += binaries(on_machine)
    parts.append("\nFrom PyPI, beside what is in the worker:\n\n")
    groups = tomllib.loads(files_of("chat", "my-app")["pyproject.toml"])["dependency-groups"]
    # Two are npm's and Node's own programs, or are not in this environment.
    python = {one for one in groups["dev"] if one not in ("pyright",)}
    parts += table(pypi(python))
    parts.append(END)
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
