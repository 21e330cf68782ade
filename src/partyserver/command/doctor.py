"""`partyserver doctor`: what would not work in a project, and what to do."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Collection
from types import ModuleType
from typing import Any, Generic

from . import config
from .config import shown
from .errors import CommandError

NAME = "doctor"
HELP = "say what would not work in a project, and what to do"
DESCRIPTION = (
    "Looks at Node.js and wrangler, the wrangler config, the worker's classes, the packages in "
    "python_modules/, and what would be uploaded. The exit status is 1 if something would fail."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    config.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    from .findings import findings

    project = examine(config.chosen(options))
    fails = False
    for finding in findings(project):
        print(f"{'error' if finding.fails else 'note'}: {finding.text}")
        fails = fails or finding.fails
    if not fails:
        none = "classes that are not known" if project.names is None else "no class"
        print(
            f"Nothing would fail: Node.js {project.node}, wrangler {project.wrangler}, "
            f"rooms of {', '.join(project.rooms) or none}, an upload of {project.upload}"
        )
    return 1 if fails else 0


def examine(found: config.Config) -> Any:
    """What there is in a project."""
    from datetime import UTC, datetime

    from . import installed
    from .findings import Project, bound_in
    from .modules import VENDORED
    from .upload import upload_of
    from .worker import DoubtfulError, load

    folder = found.path.parent
    main = module = trouble = doubt = upload = None
    try:
        main = found.main
        upload = upload_of(found.data, folder, main)
        module = load(main, only_vendored=True, project=folder)
    except CommandError as error:
        trouble = str(error)
        if main is not None:
            # The last line of a traceback, which stands before what the command has to say.
            reason = "".join(trouble.rpartition("\n\n")[0].splitlines()[-1:])
            look = "`partyserver check` shows where"
            trouble = f"{shown(main)} cannot be imported ({reason}): {look}"
            if isinstance(error, DoubtfulError):
                trouble = None
                doubt = (
                    f"{shown(main)} fails here, and may not in the runtime ({reason}), so that "
                    f"its classes were not looked at: {look}"
                )
    rooms, objects = ([], []) if module is None else classes_of(module, bound_in(found.data))
    return Project(
        config_name=found.path.name,
        config=found.data,
        main=None if main is None else shown(main),
        trouble=trouble,
        doubt=doubt,
        names=None if module is None else vars(module).keys(),
        rooms=rooms,
        objects=objects,
        today=datetime.now(UTC).date().isoformat(),
        node=installed.node_of(folder),
        wrangler=installed.wrangler_of(folder),
        vendored=installed.vendored_in(folder / VENDORED),
        installed=installed.library_of(folder),
        dependencies=installed.dependencies_of(folder),
        upload=upload,
        is_in_root=main is not None and main.parent == folder,
        has_requirements=all(
            (folder / name).is_file() for name in ("requirements.txt", "pyproject.toml")
        ),
    )


def classes_of(module: ModuleType, bound: Collection[str]) -> tuple[list[str], list[str]]:
    """The classes of rooms in a worker's main module, and of other Durable Objects.

    Each has one name: that which is bound, if it has several. Left out are those that only others
    are made of.
    """
    from ..reserved import LifeHolder
    from .modules import LIBRARY

    plain = getattr(sys.modules.get("workers"), "DurableObject", LifeHolder)
    names: dict[type, str] = {}
    for name, value in vars(module).items():
        if not inspect.isclass(value) or not issubclass(value, (LifeHolder, plain)):
            continue
        if value.__module__.partition(".")[0] in LIBRARY:
            continue
        known = names.setdefault(value, name)
        if name in bound or (name == value.__name__ and known not in bound):
            names[value] = name
    rooms: list[str] = []
    objects: list[str] = []
    for value, name in names.items():
        if name in bound or not _is_base(value, name):
            (rooms if issubclass(value, LifeHolder) else objects).append(name)
    return rooms, objects


def _is_base(value: type, name: str) -> bool:
    """Whether a class is there for others to derive from."""
    methods = (inspect.getattr_static(value, name, None) for name in dir(value))
    return (
        name.startswith("_")
        or bool(value.__subclasses__())
        or Generic in value.__bases__
        or any(getattr(method, "__isabstractmethod__", False) is True for method in methods)
    )
