"""What `partyserver build` writes and `partyserver serve --built` reads: a plan, as a folder.

```text
DIR/
  partyserver.json   the plan, with the size and the hash of each module: the manifest
  modules/           the modules, under their names
  assets/            the static files, if the plan has some
```

The same plan gives the same bytes. Secrets are not in it, but for their names.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..project.errors import CommandError
from .plan import (
    Assets,
    Consumer,
    Database,
    DurableObject,
    KvNamespace,
    Module,
    Plan,
    Producer,
    Service,
    Variable,
)

MANIFEST = "partyserver.json"
#: What the manifest says by `format`. It rises with each change that an older version misreads.
FORMAT = 1

_MODULES = "modules"
_ASSETS = "assets"
_PARTS: Mapping[str, type] = {
    "vars": Variable,
    "durable_objects": DurableObject,
    "kv": KvNamespace,
    "d1": Database,
    "producers": Producer,
    "consumers": Consumer,
    "services": Service,
}


def write(plan: Plan, folder: Path) -> None:
    """Write a plan to a folder, which is not there, is empty, or has been written by this before.

    It is written beside, and renamed when it is whole.

    Raises:
        CommandError: the folder has something else in it, or cannot be written.
    """
    folder = Path(os.path.abspath(folder))
    if plan.assets and Path(plan.assets.directory).is_relative_to(folder):
        raise CommandError(f"{folder} holds the assets themselves: name another folder")
    _refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            new = beside / "new"
            new.mkdir()
            _fill(plan, new)
            old = beside / "old"
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                if old.exists():
                    old.rename(folder)
                raise
        finally:
            shutil.rmtree(beside)
    except OSError as error:
        raise CommandError(
            f"{error.filename or folder} cannot be written: {error.strerror}"
        ) from None


def _refuse_foreign(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        if not any(folder.iterdir()) or (folder / MANIFEST).is_file():
            return
        raise CommandError(
            f"{folder} has something in it that `partyserver build` has not written: name a "
            "folder that is not there, or empty it"
        )
    if os.path.lexists(folder):
        raise CommandError(f"{folder} is no folder")


def _fill(plan: Plan, folder: Path) -> None:
    for module in plan.modules:
        path = folder / _MODULES / module.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(module.content)
    listed = None
    if plan.assets:
        listed = {}
        for path, name in _files(Path(plan.assets.directory)):
            target = folder / _ASSETS / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            listed[name] = target.stat().st_size
        (folder / _ASSETS).mkdir(exist_ok=True)
    content = {"plan": _plain(plan), "assets": listed}
    manifest = {"format": FORMAT, "sha256": _hash(content), **content}
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    for place, _, files in os.walk(root):
        for name in files:
            path = Path(place, name)
            yield path, path.relative_to(root).as_posix()


def _plain(plan: Plan) -> dict[str, Any]:
    """A plan as JSON, without the contents of its modules."""
    plain: dict[str, Any] = {one.name: getattr(plan, one.name) for one in fields(plan)}
    for part in _PARTS:
        plain[part] = [vars(one) for one in plain[part]]
    plain["modules"] = [
        {
            "name": module.name,
            "kind": module.kind,
            "size": len(module.content),
            "sha256": hashlib.sha256(module.content).hexdigest(),
        }
        for module in plan.modules
    ]
    plain["assets"] = plan.assets and {**vars(plan.assets), "directory": _ASSETS}
    return plain


def read(folder: Path) -> Plan:
    """The plan that `write` has written.

    Raises:
        CommandError: it is not whole, or from a version with another format.
    """
    folder = Path(os.path.abspath(folder))
    manifest = _manifest(folder)
    try:
        plan = _plan(manifest["plan"], folder)
    except (KeyError, TypeError) as error:  # written by something else that knows this format
        raise CommandError(f"{_damaged(folder / MANIFEST)} ({error!r})") from None
    for name, size in (manifest["assets"] or {}).items():
        _check_size(folder / _ASSETS / name, size)
    return plan


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CommandError(
            f"{folder} is not what `partyserver build` writes: there is no {MANIFEST} in it"
        ) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CommandError(_damaged(path)) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise CommandError(_damaged(path))
    if manifest["format"] != FORMAT:
        raise CommandError(
            f"{path} has the format {manifest['format']}, and this version of partyserver reads "
            f"{FORMAT}: build and serve with the same version"
        )
    content = {key: manifest.get(key) for key in ("plan", "assets")}
    if manifest.get("sha256") != _hash(content):
        raise CommandError(_damaged(path))
    return manifest


def _plan(plain: dict[str, Any], folder: Path) -> Plan:
    given = dict(plain)
    for part, kind in _PARTS.items():
        given[part] = tuple(kind(**_with_tuples(one)) for one in given[part])
    modules = tuple(_module(one, folder) for one in given["modules"])
    assets = given["assets"] and Assets(**_with_tuples(given["assets"]))
    if assets:
        assets = replace(assets, directory=str(folder / _ASSETS))
    return Plan(**{**_with_tuples(given), "modules": modules, "assets": assets})


def _with_tuples(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of JSON as the tuples that they were. What a variable holds stays a list."""
    return {
        name: tuple(value) if isinstance(value, list) and name not in ("value", "props") else value
        for name, value in plain.items()
    }


def _module(plain: Mapping[str, Any], folder: Path) -> Module:
    path = folder / _MODULES / plain["name"]
    _check_size(path, plain["size"])
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != plain["sha256"]:
        raise CommandError(f"{path} has been changed since it was built: {_AGAIN}")
    return Module(plain["name"], plain["kind"], content)


def _check_size(path: Path, size: int) -> None:
    try:
        found = path.stat().st_size
    except OSError as error:
        raise CommandError(f"{path} is missing ({error.strerror}): {_AGAIN}") from None
    if found != size:
        raise CommandError(f"{path} has {found} bytes, and had {size} when it was built: {_AGAIN}")


_AGAIN = "build again, and copy the whole folder"


def _damaged(path: Path) -> str:
    return f"{path} is damaged: {_AGAIN}"
