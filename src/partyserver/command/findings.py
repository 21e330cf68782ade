"""What `partyserver doctor` has to say of a project: rules over what was found in it."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..project.installed import OLDEST_NODE, OLDEST_WRANGLER, dotted, numbers

#: Since then, or with the flag, workers run in Python 3.14, which this library is made for.
OLDEST_DATE, NEW_PYTHON = "2026-09-08", "python_workers_314"
#: A date that this library is tested with.
TESTED_DATE = "2026-11-17"

#: Flags of a development's runtime.
_DEVELOPMENT = ("experimental", "python_workers_development")

#: Bytes of an upload that the platform takes, on every plan. Earlier in 2026 it looked at what
#: they are when compressed. https://developers.cloudflare.com/workers/platform/limits/#worker-size
_LARGEST = 64 * 1024**2

_SYNC = "run `uv run pywrangler sync`"


class Finding(NamedTuple):
    text: str
    #: Whether something would fail by it.
    fails: bool = True


@dataclass(frozen=True)
class Upload:
    """What wrangler would upload."""

    modules: int = 0
    size: int = 0
    #: How many modules are those of folders that no worker needs.
    strays: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.modules} modules, {_size(self.size)}"


@dataclass(frozen=True)
class Vendored:
    """What lies in python_modules/, by normalised names."""

    versions: Mapping[str, str] = field(default_factory=dict)
    packages: Collection[str] = ()
    #: Compiled modules, by their paths there.
    builds: Sequence[str] = ()


@dataclass(frozen=True)
class Project:
    """What was found. `None` is for what is not there, or not known."""

    config_name: str
    config: Mapping[str, Any]
    main: str | None = None
    #: Why the main module is not there, or cannot be imported.
    trouble: str | None = None
    #: Why it cannot be told whether that can be imported.
    doubt: str | None = None
    #: All names in the main module, and those of its classes of rooms and of other objects.
    names: Collection[str] | None = None
    rooms: Sequence[str] = ()
    objects: Sequence[str] = ()
    #: What of a class of rooms needs SQLite, with the verb, where that is known.
    needs: Mapping[str, str] = field(default_factory=dict)
    today: str = ""
    node: str | None = None
    wrangler: str | None = None
    vendored: Vendored | None = None
    #: The version of this library that the project's own Python has.
    installed: str | None = None
    dependencies: Sequence[str] = ()
    upload: Upload | None = None
    is_in_root: bool = False
    has_requirements: bool = False


def findings(project: Project) -> list[Finding]:
    """All that is to be said of a project."""
    rules = (_tools, _worker, _compatibility, unknown_classes, classes, _vendored, _uploaded)
    return [finding for rule in rules for finding in rule(project)]


def _tools(project: Project) -> Iterator[Finding]:
    oldest = dotted(OLDEST_NODE)
    where = "from https://nodejs.org, or with `npm install node` in this project"
    if project.node is None:
        yield Finding(f"Node.js is missing, which runs wrangler: install {oldest} or newer {where}")
    elif numbers(project.node) < OLDEST_NODE:
        yield Finding(
            f"Node.js is {project.node}, and too old for wrangler: "
            f"install {oldest} or newer {where}"
        )
    if project.wrangler is None:
        yield Finding("wrangler is not installed: run `npm install --save-dev wrangler`")
    elif numbers(project.wrangler) < OLDEST_WRANGLER:
        yield Finding(
            f"wrangler is {project.wrangler}, and partyserver.testing needs "
            f"{dotted(OLDEST_WRANGLER)} or newer: run `npm install --save-dev wrangler@latest`"
        )


def _worker(project: Project) -> Iterator[Finding]:
    if project.trouble:
        yield Finding(project.trouble)
    if project.doubt:
        yield Finding(project.doubt, fails=False)
    if project.has_requirements:
        yield Finding(
            "requirements.txt lies beside pyproject.toml, with which pywrangler does not go on: "
            "move what it lists to dependencies in pyproject.toml, and delete it"
        )
    build = project.config.get("build")
    command = build.get("command") if isinstance(build, dict) else None
    if "partyserver check" not in str(command):
        yield Finding(
            "a mistake in the worker ends `dev`: with `partyserver check` as the command of "
            f"[build] in {project.config_name}, it shows the mistake, and goes on",
            fails=False,
        )


def _compatibility(project: Project) -> Iterator[Finding]:
    name, date = project.config_name, project.config.get("compatibility_date")
    flags = project.config.get("compatibility_flags")
    flags = flags if isinstance(flags, list) else []
    if isinstance(date, datetime.date):  # as TOML has it without quotes
        date = date.isoformat()
    if not isinstance(date, str):
        yield Finding(f'compatibility_date is missing in {name}: set it to "{TESTED_DATE}"')
    elif not _is_date(date):
        yield Finding(f'compatibility_date is {date!r} in {name}: set it to "{TESTED_DATE}"')
    elif date < OLDEST_DATE and NEW_PYTHON not in flags:
        yield Finding(
            f"compatibility_date is {date} in {name}, and workers run in Python 3.14, for which "
            f'partyserver is made, since {OLDEST_DATE}: set it to "{TESTED_DATE}"'
        )
    elif date > max(TESTED_DATE, project.today):
        yield Finding(
            f"compatibility_date is {date} in {name}, and Cloudflare takes none that is to come: "
            f'set it to "{TESTED_DATE}"'
        )
    if "python_workers" not in flags:
        yield Finding(f'compatibility_flags has no "python_workers" in {name}: add it')
    for flag in _DEVELOPMENT:
        if flag in flags:
            yield Finding(
                f'compatibility_flags has "{flag}" in {name}, with which nobody can deploy: '
                "remove it"
            )


def unknown_classes(project: Project) -> Iterator[Finding]:
    """Of bindings whose class the main module has not."""
    for binding in own_bindings(project.config):
        wanted = binding.get("class_name")
        if project.names is None or not isinstance(wanted, str) or wanted in project.names:
            continue
        yield Finding(
            f"the binding {binding.get('name')} in {project.config_name} is for the class {wanted},"
            f" which {project.main} has not: define it or import it there, or correct class_name"
        )


def classes(project: Project) -> Iterator[Finding]:
    """Of the bindings and migrations that the main module's classes need."""
    name, main = project.config_name, project.main
    bound = _names([one.get("class_name") for one in own_bindings(project.config)])
    elsewhere = bound_in(project.config)
    migrated = migrated_classes(project.config)
    for one in (*project.rooms, *project.objects):
        if one in elsewhere:
            continue
        if environments := _environments_with(one, project.config):
            yield Finding(
                f"the class {one} of {main} has a binding in {' and '.join(environments)} alone: "
                f"`partyserver doctor -e {environments[0]}` looks at that environment",
                fails=False,
            )
        else:
            kind = "rooms" if one in project.rooms else "objects"
            yield Finding(
                f"the class {one} of {main} has no binding, so that nobody gets to its {kind}: add "
                f'one to durable_objects.bindings in {name}, with the name "{one}" and the '
                f'class_name "{one}"'
            )
            bound.append(one)
    tag = f"v{len(_objects(project.config.get('migrations'))) + 1}"
    for one in dict.fromkeys(bound):
        if project.names is not None and one not in project.names:
            continue
        if one not in migrated:
            yield Finding(
                f"the class {one} is in no migration, without which it cannot be deployed: add one "
                f'to migrations in {name}, with the tag "{tag}" and new_sqlite_classes = ["{one}"]'
            )
        elif migrated[one] is False and one in project.rooms:
            yield Finding(
                f"the class {one} is among new_classes in {name}, and has no SQLite, which "
                f"{project.needs.get(one, 'self.sql and self.kv need')}: new_sqlite_classes gives "
                "it one, if it was never deployed",
                fails=one in project.needs,
            )


def own_bindings(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The bindings for classes of this worker, which may name it or not."""
    own = (None, "", config.get("name"))
    return [one for one in _bindings(config) if one.get("script_name") in own]


def bound_in(config: Mapping[str, Any]) -> set[str]:
    """The names of all classes with a binding, those of other workers included."""
    return set(_names([one.get("class_name") for one in _bindings(config)]))


def _environments_with(name: str, config: Mapping[str, Any]) -> list[str]:
    """The environments that have a binding for a class."""
    environments = config.get("env")
    found = environments.items() if isinstance(environments, dict) else ()
    return [env for env, one in found if isinstance(one, dict) and name in bound_in(one)]


def _bindings(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    objects = config.get("durable_objects")
    return _objects(objects.get("bindings") if isinstance(objects, dict) else None)


def migrated_classes(config: Mapping[str, Any]) -> dict[str, bool]:
    """The classes that there are after all migrations, and whether each has SQLite."""
    found: dict[str, bool] = {}
    for one in _objects(config.get("migrations")):
        found |= dict.fromkeys(_names(one.get("new_classes")), False)
        found |= dict.fromkeys(_names(one.get("new_sqlite_classes")), True)
        for moved in _objects(one.get("renamed_classes")):
            found[str(moved.get("to"))] = found.pop(str(moved.get("from")), True)
        for moved in _objects(one.get("transferred_classes")):
            found[str(moved.get("to"))] = True
        for gone in _names(one.get("deleted_classes")):
            found.pop(gone, None)
    exports = config.get("exports")
    for name, export in exports.items() if isinstance(exports, dict) else ():
        if isinstance(export, dict) and export.get("type") == "durable-object":
            found[name] = export.get("storage") != "legacy-kv"
    return found


def _vendored(project: Project) -> Iterator[Finding]:
    vendored = project.vendored
    if vendored is None:
        yield Finding(
            f"there is no python_modules/ beside {project.config_name}, from where the worker has "
            f"its packages: {_SYNC}"
        )
        return
    missing = [one for one in ("partyserver", "workers") if one not in vendored.packages]
    listed = [one for one in project.dependencies if one not in vendored.versions]
    missing += [one for one in listed if vendored.versions and one not in missing]
    for package in missing:
        yield Finding(f"{package} is not in python_modules/, and so not in the worker: {_SYNC}")
    if not vendored.versions and not missing:
        yield Finding(
            "python_modules/ has packages without their .dist-info folders, by which the runtime "
            f"knows some that need its help to start: {_SYNC}",
            fails=False,
        )
    there = vendored.versions.get("partyserver")
    if there and project.installed and there != project.installed:
        yield Finding(
            f"partyserver is {there} in python_modules/, and {project.installed} in the project's "
            "Python, whose tests and types are for that: run "
            "`uv lock --upgrade-package partyserver`, `uv sync` and "
            "`uv run pywrangler sync --upgrade`"
        )
    for root, build in foreign_builds(vendored.builds).items():
        yield Finding(
            f"{root} in python_modules/ is not built for the runtime ({build}): run "
            "`uv run pywrangler sync --force`, and if that brings it again, there is no build of "
            "it for Workers"
        )


def foreign_builds(builds: Sequence[str]) -> dict[str, str]:
    """Packages with a compiled module for something else than the runtime, and one such module."""
    found: dict[str, str] = {}
    for path in builds:
        _, _, tag = path.rpartition("/")[2].partition(".")
        kind = tag.removesuffix(".so")
        is_wasm = kind.startswith("cpython-314-") and "wasm32" in kind
        # What has no tag of a Python may be for each.
        if not is_wasm and not kind.startswith("abi3") and kind not in ("", "so"):
            found.setdefault(path.partition("/")[0].partition(".")[0], path)
    return found


def _uploaded(project: Project) -> Iterator[Finding]:
    upload = project.upload
    if upload is None:
        return
    advice = f'move {project.main} into a folder of its own, and set main = "src/worker.py"'
    if upload.strays:
        names = " and ".join(f"{name} ({count} modules)" for name, count in upload.strays.items())
        yield Finding(
            f"wrangler would upload what lies in the folder of the worker, {names} included, "
            f"{upload} in all: {advice}"
        )
    elif project.is_in_root:
        yield Finding(
            "the worker lies in the project's root, and wrangler uploads each Python file below "
            f"it, tests and virtual environments included: {advice}",
            fails=False,
        )
    if upload.size > _LARGEST:
        yield Finding(
            f"the worker has {_size(upload.size)}, and the platform takes {_size(_LARGEST)} at "
            "most: do without some packages in pyproject.toml"
        )


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _size(count: int) -> str:
    return f"{count / 1024**2:.1f} MB" if count >= 1024**2 else f"{-(-count // 1024)} KB"


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
