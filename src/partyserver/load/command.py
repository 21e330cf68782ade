"""The command line: from arguments to a load, and to an exit status."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from . import addresses, files
from .accounts import Mode
from .errors import LoadError
from .payloads import Payload
from .report import Limits, Progress, Report
from .schedule import Backoff

if TYPE_CHECKING:
    from .run import Options

try:
    import resource as _resource
except ImportError:  # on Windows
    _resource = None  # type: ignore[assignment]

#: Connections that open in a second, where nothing else is asked for.
RAMP_RATE = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, or those of the process.

    Returns:
        0 if all came that was to come, 1 if more than the limits allow did not, 2 if the load could
        not begin.
    """
    given = _parser().parse_args(arguments)
    try:
        options = _options(given)
        files.allow(options.connections, _resource)
        report = asyncio.run(_run(options, _telling(sys.stderr.isatty())))
    except LoadError as error:
        print(f"partyserver.load: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # the second one
        return 130
    if sys.stderr.isatty():
        print(file=sys.stderr)
    limits = Limits(
        given.max_lost, given.max_duplicated, given.max_disordered, given.max_failed, given.max_p99
    )
    problems = report.problems(limits)
    if given.json:
        print(json.dumps(report.data() | {"problems": problems}, indent=2))
    else:
        print("\n".join([report.text(), *report.hints()]))
    for problem in problems:
        print(f"partyserver.load: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _options(given: argparse.Namespace) -> Options:
    addresses.check(given.url, is_remote_allowed=given.allow_remote)
    if given.rooms > given.connections:
        raise LoadError(
            f"{given.rooms} rooms need as many connections: there are {given.connections}"
        )
    payload = Payload(secrets.token_hex(4), given.payload, given.size)

    # Late: it needs websockets, and `--help` does not.
    from .run import Options

    return Options(
        url=given.url,
        payload=payload,
        connections=given.connections,
        rooms=given.rooms,
        mode=given.mode,
        rate=given.rate,
        ramp=given.connections / RAMP_RATE if given.ramp is None else given.ramp,
        duration=given.duration,
        wait=given.wait,
        backoff=Backoff() if given.reconnect else None,
        headers=given.header,
        subprotocols=given.subprotocol,
        seed=given.seed,
    )


async def _run(options: Options, tell: Callable[[Progress], None]) -> Report:
    from .run import run

    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupt(number: int, _: object) -> None:
        signal.signal(number, signal.default_int_handler)  # the next one does not wait
        loop.call_soon_threadsafe(stop.set)

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        return await run(options, stop, tell)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _telling(is_terminal: bool) -> Callable[[Progress], None]:
    """A line each second, or one that is written anew."""

    def tell(progress: Progress) -> None:
        ends = ("\r\x1b[K", "") if is_terminal else ("", "\n")
        print(progress.line().join(ends), end="", file=sys.stderr, flush=True)

    return tell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m partyserver.load",
        description="Many WebSocket clients of a room: what they send, what comes back, and how "
        "late. The exit status is 0 if all came, 1 if more than the --max-... options allow did "
        "not, and 2 if the load could not begin.",
    )
    add = parser.add_argument
    add("url", metavar="URL", help="{room} and {connection} in it become numbers from 1 on")
    add("--allow-remote", action="store_true", help="also a server that is not on this machine")
    add("--connections", type=_count, default=10, metavar="N", help="10 by default")
    add(
        "--rooms",
        type=_count,
        default=1,
        metavar="N",
        help="the connections are spread over N "
        "rooms: -1, -2, ... follow the URL's path, or stand where it has {room}",
    )
    add(
        "--mode",
        type=Mode,
        choices=list(Mode),
        default=Mode.ECHO,
        help="who gets a message: its "
        "sender (echo, by default), all in the room (broadcast), all but the sender (others); "
        "connect sends none",
    )
    add(
        "--rate",
        type=_positive,
        default=10.0,
        metavar="N",
        help="messages a second, of all connections together; 10 by default",
    )
    add(
        "--duration",
        type=_positive,
        default=10.0,
        metavar="SECONDS",
        help="of the sending, after the connections have opened; 10 by default",
    )
    add(
        "--ramp",
        type=_seconds,
        metavar="SECONDS",
        help=f"in which the connections open, evenly; by default {RAMP_RATE} open in a second",
    )
    add(
        "--wait",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="after the sending, for what is still to come; what comes later is lost; 5 by default",
    )
    add(
        "--payload",
        metavar="TEXT",
        help="a message: {id} becomes an id, by which it is known when "
        "it comes, {n} its number in the connection, {pad} fills it up to --size; by default "
        '{"id": "{id}"}',
    )
    add("--size", type=_count, metavar="BYTES", help="of a message")
    add(
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="of the upgrade's request; may be repeated",
    )
    add("--subprotocol", action="append", default=[], metavar="NAME", help="may be repeated")
    add(
        "--reconnect",
        action="store_true",
        help="open again what has ended or failed, with the "
        "pauses of partysocket: 3 s, growing to 10 s",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="decides the order in which connections take turns; 0 by default",
    )
    add("--json", action="store_true", help="the result as JSON")
    for name, what in (
        ("lost", "messages that are lost, or could not be sent"),
        ("duplicated", "messages that come twice"),
        ("disordered", "messages that come after a later one of the same sender"),
        ("failed", "connections that fail, or end before the end"),
    ):
        add(
            f"--max-{name}",
            type=_limit,
            default=0,
            metavar="N",
            help=f"so many {what}, are no failure; 0 by default",
        )
    add("--max-p99", type=_positive, metavar="MS", help="a higher p99 of the latency is a failure")
    return parser


def _count(text: str) -> int:
    return int(_at_least(int(text), 1))


def _limit(text: str) -> int:
    return int(_at_least(int(text), 0))


def _positive(text: str) -> float:
    return _at_least(float(text), 1e-6)


def _seconds(text: str) -> float:
    return _at_least(float(text), 0.0)


def _at_least(number: float, least: float) -> float:
    if not least <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{number} is not a number from {least:g} on")
    return number


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME: VALUE")
    return name.strip(), value.strip()
