"""`partyserver check`: syntax and imports of a worker, without the runtime."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

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

    main, project = options.worker, None
    if main is None:
        found = config.chosen(options)
        main, project = found.main, found.path.parent
    try:
        load(main, only_vendored=True, project=project)
    except DoubtfulError as doubt:
        print(f"{doubt}. That may be the reason, so the check passes", file=sys.stderr)
    else:
        if "WRANGLER_COMMAND" not in os.environ:  # whose output is long enough
            print(f"{shown(main)} can be imported")
    for path, error in syntax.broken_in(main.resolve().parent):
        print(
            f"{tracebacks.told(error, lambda _: False)}\n\nwarning: {shown(path)} is no valid "
            f"Python. The import of {shown(main)} has not reached it, so the check passes"
            f"{older_python(error)}",
            file=sys.stderr,
        )
    return 0
