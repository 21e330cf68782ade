"""`partyserver types`: TypeScript for a worker's events and its agents' callables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

from ..project.errors import CommandError
from ..rules.messages import well_formed

NAME = "types"
HELP = "print TypeScript for the clients of a worker's rooms and agents"
DESCRIPTION = (
    "Prints TypeScript for the clients of each room with Events in a worker: what they may send, "
    "and what they get; and for those of each agent: its state, and what they may call, as "
    "useAgent and AgentClient of the npm package agents take it. It imports the worker's main "
    "module, with stand-ins for what is there in Cloudflare's runtime only."
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
        import msgspec  # noqa: F401
    except ImportError:
        raise CommandError(
            "types needs msgspec, which reads the worker's types: install it where the command "
            'runs, as by `uv add "partyserver[events]"`. A worker needs it only where it has '
            "Events, or to have the arguments of callables checked"
        ) from None
    from .clients import module_of
    from .worker import load

    module = load(options.worker)
    rooms = _rooms(module, options.worker, options.classes)
    text = well_formed(module_of(rooms, options.worker.as_posix()))
    if options.output is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return 0
    try:
        options.output.write_bytes(text.encode())
    except OSError as error:
        folder = options.output.parent
        reason = error.strerror if folder.is_dir() else f"there is no folder {folder}"
        raise CommandError(f"{options.output} cannot be written: {reason}") from None
    return 0


def _rooms(module: ModuleType, path: Path, names: list[str]) -> list[type]:
    """The classes of agents, or with events, in a module; or those of them with these names."""
    from .clients import has_events, is_used
    from .stubs import has_stub, is_agent

    found = {
        name: value for name, value in vars(module).items() if has_events(value) or is_agent(value)
    }
    known = f"the agents and classes with Events in {path.name} are: {', '.join(found)}"
    if not found:
        known = (
            f"no class in {path.name} is an agent or has Events: class Chat(agents.Agent), or "
            "class Chat(Events, Server)"
        )
    for name in names:
        if name not in found:
            is_there = hasattr(module, name)
            wrong = "is no agent and has no Events" if is_there else f"is not in {path.name}"
            raise CommandError(f"{name} {wrong}; {known}")
    rooms = dict.fromkeys(found[name] for name in names) or dict.fromkeys(found.values())
    used = [
        room
        for room in rooms
        if names or (is_agent(room) and has_stub(room)) or (has_events(room) and is_used(room))
    ]
    if not used:
        nothing = "there is neither @on nor sends, no @agents.callable and no type of a state"
        raise CommandError(f"{nothing}; {known}" if found else known)
    return used
