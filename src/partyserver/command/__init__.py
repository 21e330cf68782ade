"""The command `partyserver`, on the standard library alone. It runs outside of the worker."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from ..project.errors import CommandError
from . import backup, build, check, doctor, init, serve, types

#: Modules with a NAME, a HELP, a DESCRIPTION, `add_arguments` and `run`.
COMMANDS = (init, check, doctor, types, build, serve, backup)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, or those of the process; its exit status."""
    parser = argparse.ArgumentParser(
        prog="partyserver", description="Realtime rooms on Cloudflare Durable Objects, in Python."
    )
    parser.add_argument("--version", action="version", version=f"partyserver {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = commands.add_parser(command.NAME, help=command.HELP, description=command.DESCRIPTION)
        command.add_arguments(one)
        one.set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except CommandError as error:
        print(f"partyserver: {error}" if "\n" not in str(error) else error, file=sys.stderr)
        return 1
    return status
