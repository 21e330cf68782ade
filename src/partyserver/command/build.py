"""`partyserver build`: a project as what `partyserver serve --built` runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..hosting import built, modules, wrangler
from ..hosting.plan import Plan
from ..project.errors import CommandError
from ..project.packages import VENDORED
from . import config
from .config import shown

NAME = "build"
HELP = "write what `partyserver serve --built` runs, for an image or another machine"
DESCRIPTION = (
    "Writes all that a worker needs to be served into a folder: its modules and packages, its "
    "static files, and what its wrangler config says. Secrets are given to `partyserver serve`, "
    "and are not in it. The same project gives the same files, byte by byte."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        required=True,
        help="the folder: a new one, or one that was built before",
    )
    config.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    found = config.chosen(options)
    plan = wrangler.plan_of(found.data, found.path.parent)
    for warning in (*found.warnings, *plan.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    _refuse_inside(options.output, found, plan)
    built.write(plan, options.output)
    count = len(plan.modules)
    print(f"{shown(options.output)} has {plan.name} with {count} modules")
    return 0


def _refuse_inside(output: Path, found: config.Config, plan: Plan) -> None:
    """What is built would become a part of what is built next."""
    folder = found.path.parent
    taken = [modules.root_of(found.data, folder, found.main), folder / VENDORED]
    if plan.assets:
        taken.append(Path(plan.assets.directory))
    for one in taken:
        if output.resolve().is_relative_to(one.resolve()):
            raise CommandError(
                f"{shown(output)} lies in {shown(one)}, all of which becomes a part of the worker: "
                "name a folder outside of it"
            )
