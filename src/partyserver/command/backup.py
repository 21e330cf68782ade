"""`partyserver backup`: a copy of what a served worker has stored."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..project.errors import CommandError
from .config import shown

NAME = "backup"
HELP = "copy the data folder of `partyserver serve`, also while it is served"
DESCRIPTION = (
    "Copies all that a worker has stored into a new folder, which `partyserver serve --data` takes "
    "as it is. The worker may run meanwhile: each room is copied as it is at one moment, one room "
    "after another."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", required=True, help="the data folder")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        required=True,
        help="a new folder, for this backup alone",
    )


def run(options: argparse.Namespace) -> int:
    if sys.platform == "win32":
        raise CommandError("backup runs where serve does, on Linux and macOS")
    from ..hosting.backup import back_up

    count = back_up(options.data, options.output)
    copied = f"{count} database{'' if count == 1 else 's'}"
    print(f"copied {copied} of {shown(options.data)} to {shown(options.output)}")
    return 0
