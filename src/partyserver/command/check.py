"""`partyserver check`: syntax and imports of a worker, without the runtime."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from types import ModuleType

from . import config
from .config import shown

NAME = "check"
HELP = "import a worker without the runtime, and say what is wrong with it"
DESCRIPTION = (
    "Imports a worker's main module, with stand-ins for what is there in Cloudflare's runtime "
    "only, and compiles the modules that it does not import yet. It is made for the build command "
    "of a wrangler config: where it fails, `wrangler dev` goes on, and serves again once the "
    "worker is mended. It writes nothing into the project."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "worker",
        type=Path,
        nargs="?",
        help="the worker's main module, as src/worker.py (default: that of the wrangler config)",
    )
    config.add_arguments(parser)


#: What the testing kit sets for what it runs.
_KIT = "PARTYSERVER_TESTING_FOLDER"


def run(options: argparse.Namespace) -> int:
    if "WRANGLER_COMMAND" in os.environ and _KIT in os.environ:
        # The kit tells what the runtime says of a worker. Of a build, it knows that it failed.
        return 0
    from . import syntax, tracebacks
    from .worker import DoubtfulError, load, older_python

    found = config.chosen(options) if options.worker is None else None
    main: Path = options.worker if found is None else found.main
    fails = False
    try:
        module = load(
            main, only_vendored=True, project=None if found is None else found.path.parent
        )
    except DoubtfulError as doubt:
        print(f"{doubt}. That may be the reason, so the check passes", file=sys.stderr)
    else:
        fails = _tell_of_classes(module, main, found)
        if not fails and "WRANGLER_COMMAND" not in os.environ:  # whose output is long enough
            print(f"{shown(main)} can be imported")
    for path, error in syntax.broken_in(main.resolve().parent):
        print(
            f"{tracebacks.told(error, lambda _: False)}\n\nwarning: {shown(path)} is no valid "
            f"Python. The import of {shown(main)} has not reached it, so the check passes"
            f"{older_python(error)}",
            file=sys.stderr,
        )
    # `wrangler dev` ends where a build fails after a change of the config, in which that is mended.
    return 1 if fails and os.environ.get("WRANGLER_COMMAND") != "dev" else 0


def _tell_of_classes(module: ModuleType, main: Path, found: config.Config | None) -> bool:
    """Whether the config is for a class that the worker has not, with which nothing is served."""
    from .classes import classes_of, own_bases
    from .lost import lost_changes

    for lost in lost_changes(own_bases(module), main.resolve().parent):
        print(f"warning: {shown(lost.path)}, line {lost.line}: {lost}", file=sys.stderr)
    if found is None:
        return False
    from .findings import Project, bound_in, classes, unknown_classes

    # One that has no binding yet may have been begun just now: `partyserver doctor` tells of it.
    bound = bound_in(found.data)
    rooms, objects = ([one for one in kind if one in bound] for kind in classes_of(module, bound))
    project = Project(
        config_name=found.path.name,
        config=found.data,
        main=shown(main),
        names=vars(module).keys(),
        rooms=rooms,
        objects=objects,
    )
    errors = [*unknown_classes(project)]
    for error in errors:
        print(f"error: {error.text}", file=sys.stderr)
    for finding in classes(project):
        if finding.fails:
            print(f"warning: {finding.text}", file=sys.stderr)
    return bool(errors)
