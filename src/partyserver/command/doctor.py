"""`partyserver doctor`: what would not work in a project, and what to do."""

from __future__ import annotations

import argparse
from typing import Any

from ..project.errors import CommandError
from . import config
from .config import shown

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
    found = findings(project)
    for finding in found:
        print(f"{'error' if finding.fails else 'note'}: {finding.text}")
    fails = any(finding.fails for finding in found)
    if not fails:
        good = "Nothing found that would fail" if found else "Nothing would fail"
        none = "classes that are not known" if project.names is None else "no class"
        print(
            f"{good}: Node.js {project.node}, wrangler {project.wrangler}, "
            f"rooms of {', '.join(project.rooms) or none}, an upload of {project.upload}"
        )
    return 1 if fails else 0


def examine(found: config.Config) -> Any:
    """What there is in a project."""
    from datetime import UTC, datetime

    from ..project.packages import VENDORED
    from . import installed
    from .classes import classes_of, need_of_sqlite
    from .findings import Project, bound_in
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
            trace, _, told = trouble.rpartition("\n\n")
            reason = "".join(trace.splitlines()[-1:])
            look = "`partyserver check` shows where"
            _, _, todo = told.partition(" cannot be imported: ")
            trouble = f"{shown(main)} cannot be imported ({reason}): {todo or look}"
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
        needs={
            name: need
            for name in rooms
            if module is not None and (need := need_of_sqlite(getattr(module, name)))
        },
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
