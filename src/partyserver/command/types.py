"""`partyserver types`: TypeScript for a worker's events."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

from .errors import CommandError

NAME = "types"
HELP = "print TypeScript for the events of a worker's rooms"
DESCRIPTION = (
    "Prints TypeScript for the clients of each room with Events in a worker: what they may send, "
    "and what they get. It imports the worker's main module, with stand-ins for what is there in "
    "Cloudflare's runtime only."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("worker", type=Path, help="the worker's main module, as src/worker.py")
    parser.add_argument("classes", nargs="*", metavar="CLASS", help="of these classes only")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write to this file, which stays as it is if something is wrong",
    )


def run(options: argparse.Namespace) -> int:
    try:
        from .. import events  # noqa: F401 -- which says what to install if msgspec is missing
    except ImportError as error:
        raise CommandError(str(error)) from None
    from .clients import module_of
    from .worker import load

    module = load(options.worker)
    text = module_of(_rooms(module, options.worker, options.classes), options.worker.as_posix())
    if options.output is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return 0
    try:
        options.output.write_bytes(text.encode())
    except OSError as error:
        raise CommandError(f"{options.output} cannot be written: {error.strerror}") from None
    return 0


def _rooms(module: ModuleType, path: Path, names: list[str]) -> list[type]:
    """The classes with events in a module, or those of them with these names."""
    from .clients import has_events, is_used

    found = {name: value for name, value in vars(module).items() if has_events(value)}
    known = f"the classes with Events in {path.name} are: {', '.join(found)}"
    if not found:
        known = f"no class in {path.name} has Events: class Chat(Events, Server)"
    for name in names:
        if name not in found:
            wrong = "has no Events" if hasattr(module, name) else f"is not in {path.name}"
            raise CommandError(f"{name} {wrong}; {known}")
    rooms = dict.fromkeys(found[name] for name in names) or dict.fromkeys(found.values())
    used = [room for room in rooms if names or is_used(room)]
    if not used:
        raise CommandError(known if not found else f"there is neither @on nor sends; {known}")
    return used
