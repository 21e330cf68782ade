"""`partyserver serve`: a worker in production on one's own machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..hosting import cluster
from ..project.errors import CommandError
from . import config

if TYPE_CHECKING:
    from ..hosting.plan import Plan

NAME = "serve"
HELP = "serve a worker on this machine, without Cloudflare"
DESCRIPTION = (
    "Runs the worker of a wrangler config in production, by workerd, as one process with its data "
    "in a folder. It is ready when it says `partyserver: serving NAME on URL`, and ends by SIGTERM "
    "or SIGINT."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    config.add_arguments(parser)
    parser.add_argument(
        "--built",
        type=Path,
        metavar="DIR",
        help="serve what `partyserver build -o DIR` has written, in place of a wrangler config",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        required=True,
        help="the folder with all that the worker stores; it is made where there is none",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen at (default: 127.0.0.1; 0.0.0.0 and :: are all)",
    )
    parser.add_argument(
        "--port", type=_port, default=8787, help="the port (default: 8787; 0 is a free one)"
    )
    parser.add_argument(
        "--health",
        type=_address,
        metavar="HOST:PORT",
        help="answer load balancers there: 200 to any path if the worker answers",
    )
    parser.add_argument(
        "--secrets",
        type=_names,
        default=[],
        metavar="NAME,...",
        help="secrets of the worker, taken from the environment by these names",
    )
    parser.add_argument(
        "--secrets-file",
        type=Path,
        metavar="FILE",
        help="secrets of the worker, in lines NAME=VALUE; only its owner may be able to read it",
    )
    parser.add_argument(
        "--grace",
        type=_seconds,
        metavar="SECONDS",
        help="what open connections are given at the end (default: 2, and 10 in a cluster; a "
        "second signal cuts it)",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="how what the worker logs is written (default: text, as it is)",
    )
    parser.add_argument(
        "--allow-private-network",
        action="store_true",
        help="let the worker connect to loopback and private addresses, too",
    )
    parser.add_argument(
        "--no-snapshot",
        action="store_false",
        dest="snapshot",
        help="run the worker's imports at each start (some 8 seconds) instead of once",
    )
    parser.add_argument(
        "--prepare",
        action="store_true",
        help="make the start-up snapshot for the next start with the same options, also while "
        "another process serves from the data folder, and end",
    )
    parser.add_argument(
        "--pyodide-bundle",
        type=Path,
        metavar="DIR",
        help="the folder with the Python interpreter for workerd (default: it is downloaded once, "
        "into the data folder)",
    )
    cluster.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    if sys.platform == "win32":
        raise CommandError("serve runs on Linux and macOS: on Windows, use WSL")
    from ..hosting import program, secrets, serving

    values = {
        **(secrets.from_file(options.secrets_file) if options.secrets_file else {}),
        **secrets.from_environment(options.secrets, os.environ),
    }
    plan, folder = _plan(options, tuple(values))
    for warning in plan.warnings:
        serving.say(f"warning: {warning}")
    if options.pyodide_bundle and not options.pyodide_bundle.is_dir():
        raise CommandError(f"--pyodide-bundle: there is no folder {options.pyodide_bundle}")
    node = cluster.node_of(options, os.environ)
    grace = options.grace
    if grace is None:
        grace = 2.0 if node is None else 10.0  # a node hands its rooms over meanwhile
    begin = serving.prepare if options.prepare else serving.serve
    return begin(
        plan,
        serving.Settings(
            data=options.data,
            program=program.find_workerd([folder, Path.cwd()]),
            host=options.host,
            port=options.port,
            health=options.health,
            bundle=options.pyodide_bundle,
            secrets=values,
            grace=grace,
            snapshot=options.snapshot,
            json_logs=options.log_format == "json",
            network=("public", "private") if options.allow_private_network else ("public",),
            node=node,
        ),
    )


def _plan(options: argparse.Namespace, secret_names: tuple[str, ...]) -> tuple[Plan, Path]:
    """What is served, and where workerd is looked for first."""
    from ..hosting import built, serving, wrangler

    if options.built:
        if options.config or options.env:
            raise CommandError("--built has its config and its environment in it: leave out -c, -e")
        return built.read(options.built), options.built.absolute()
    found = config.chosen(options)
    for warning in found.warnings:
        serving.say(f"warning: {warning}")
    plan = wrangler.plan_of(found.data, found.path.parent, secrets=secret_names)
    return plan, found.path.parent


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", _port(port)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise ValueError
    return seconds


_port.__name__, _address.__name__, _seconds.__name__ = "port", "address", "number of seconds"
