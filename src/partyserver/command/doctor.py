"""`partyserver doctor`: what would not work in a project, and what to do."""

from __future__ import annotations

import argparse
import inspect
from types import ModuleType
from typing import Any

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
        print(
            f"Nothing would fail: Node.js {project.node}, wrangler {project.wrangler}, "
            f"rooms of {', '.join(project.rooms) or 'no class'}, an upload of {project.upload}"
        )
    return 1 if fails else 0


def examine(found: config.Config) -> Any:
    """What there is in a project."""
    from . import installed
    from .findings import Project
    from .modules import VENDORED
    from .upload import upload_of
    from .worker import DoubtfulError, load

    folder = found.path.parent
    main = module = trouble = upload = None
    try:
        main = found.main
        upload = upload_of(found.data, folder, main)
        module = load(main, only_vendored=True)
    except DoubtfulError:
        pass
    except CommandError as error:
        trouble = str(error)
        if main is not None:
            # The last line of a traceback, which stands before what the command has to say.
            reason = trouble.rpartition("\n\n")[0].splitlines()[-1:]
            trouble = (
                f"{shown(main)} cannot be imported ({''.join(reason)}): "
                "`partyserver check` shows where"
            )
    return Project(
        config_name=found.path.name,
        config=found.data,
        main=None if main is None else shown(main),
        trouble=trouble,
        names=None if module is None else vars(module).keys(),
        rooms=[] if module is None else rooms_of(module),
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


def rooms_of(module: ModuleType) -> list[str]:
    """The classes of rooms in a worker's main module, but for those that are bases of others."""
    from ..reserved import LifeHolder

    found = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, LifeHolder)
        and value.__module__.partition(".")[0] != "partyserver"
        and value.__name__ == name  # no other name of it
    }
    bases = {base for value in found.values() for base in value.__mro__[1:]}
    return [name for name, value in found.items() if value not in bases]
