"""A worker on several machines: what the command line and the environment say of a cluster."""

from __future__ import annotations

import argparse
import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..project.errors import CommandError
from .plan import Cluster, Plan, Variable

if TYPE_CHECKING:  # their imports take long for commands that need neither
    from .bucket import Bucket
    from .signing import Credentials

KEY = "PARTY_CLUSTER_KEY"
#: Bytes. workerd takes no shorter one.
SHORTEST_KEY = 32

#: Has rooms store their names: `partyserver.naming` says why.
_NAMES = "PARTYSERVER_KEEP_NAMES"
_TOKEN = "AWS_SESSION_TOKEN"
_FILE = "AWS_CREDENTIALS_FILE"
_PAIR = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
#: Seconds that workerd takes at most to hand a node's rooms over when it is stopped.
HAND_OVER = 8.0
#: How S3 spells what is a bucket's name.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True)
class Node:
    """One node of a cluster. Its key and its credentials are in no representation."""

    bucket: Bucket
    #: Where this node listens for the others.
    peer: tuple[str, int]
    key: str = field(repr=False)
    #: Where the others reach it, if not there.
    advertise: tuple[str, int] | None = None
    time_divisor: int = 1
    #: What workerd must have in its environment: credentials that are in no file.
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def part(self) -> Cluster:
        """What the config of workerd has of it, so the key: it is for its owner's eyes (0600).

        The credentials are not in it: workerd has them from its environment.
        """
        return Cluster(
            bucket=str(self.bucket),
            key=self.key,
            address=_text(self.peer),
            advertise=None if self.advertise is None else _text(self.advertise),
            options=(("aws_endpoint", self.bucket.endpoint), ("aws_region", self.bucket.region)),
            time_divisor=self.time_divisor,
        )

    def fitted(self, plan: Plan) -> Plan:
        """The plan of a worker, as one that runs in a cluster."""
        return replace(plan, vars=(*plan.vars, Variable(_NAMES, "on")))

    def check(self, worker: str) -> None:
        """See that the bucket can carry a cluster of this worker.

        Raises:
            CommandError: it cannot, why, and what to do.
        """
        self.bucket.check(worker)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cluster = parser.add_argument_group(
        "a cluster",
        f"Nodes that share a bucket, each with a --data of its own. In the environment: {KEY}, "
        "which all of them share, AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY.",
    )
    cluster.add_argument(
        "--cluster", metavar="s3://BUCKET/PREFIX", help="be a node of the cluster that is there"
    )
    cluster.add_argument(
        "--peer",
        metavar="HOST:PORT",
        help="where the other nodes reach this one: on a private network, for it is not encrypted",
    )
    cluster.add_argument(
        "--advertise",
        metavar="HOST:PORT",
        help="where they do so if this one only listens at --peer, such as 0.0.0.0:7000",
    )
    cluster.add_argument(
        "--unsafe-time-divisor",
        metavar="N",
        type=int,
        default=None,
        help="divide the lease and what belongs to it, for tests",
    )


def node_of(options: argparse.Namespace, environ: Mapping[str, str]) -> Node | None:
    """The node that the arguments ask for; None if they ask for none.

    Raises:
        CommandError: something is missing or wrong; all of it, with what to do.
    """
    if options.cluster is None:
        given = {
            "--peer": options.peer,
            "--advertise": options.advertise,
            "--unsafe-time-divisor": options.unsafe_time_divisor,
        }
        for name, value in given.items():
            if value is not None:
                raise CommandError(f"{name} is for a node of a cluster: give --cluster, too")
        return None
    from .bucket import Bucket

    wrong: list[str] = []

    def checked(function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except CommandError as error:
            wrong.append(str(error))
            return None

    name, prefix = checked(_place, options.cluster) or ("", "")
    key = checked(_key, environ)
    credentials = checked(_credentials, environ)
    endpoint, region = checked(_endpoint, environ) or ("", "")
    peer = checked(_peer, options.peer, options.advertise)
    advertise = checked(_advertised, options.advertise)
    divisor = checked(_divisor, options.unsafe_time_divisor)
    if wrong:
        raise CommandError("\n".join(wrong))
    bucket = Bucket(endpoint, region, name, prefix, credentials)
    return Node(bucket, peer, key, advertise, divisor, _handed_on(credentials, environ))


def _place(text: str) -> tuple[str, str]:
    """The bucket and the prefix of `s3://bucket/prefix`."""
    scheme, _, rest = text.partition("://")
    name, _, prefix = rest.partition("/")
    prefix = prefix.rstrip("/")
    if scheme != "s3" or not _NAME.fullmatch(name):
        raise CommandError(f"--cluster {text!r} is no s3://BUCKET/PREFIX")
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & {*prefix.split("/")}:
        raise CommandError(
            f"--cluster {text!r} needs a prefix of letters, digits and -_./, such as "
            f"s3://{name}/chat: what is below it belongs to the cluster"
        )
    return name, prefix


def _key(environ: Mapping[str, str]) -> str:
    key = _plain(KEY, environ.get(KEY, ""))
    if len(key.encode()) < SHORTEST_KEY:
        told = "is missing" if not key else f"is shorter than {SHORTEST_KEY} characters"
        raise CommandError(
            f"{KEY} {told}: set it to the same secret on each node, made by `openssl rand -hex 32`"
        )
    return key


def _credentials(environ: Mapping[str, str]) -> Credentials:
    from .signing import Credentials

    given = {**environ}
    if path := environ.get(_FILE):
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            told = getattr(error, "strerror", None) or "it is no UTF-8"
            raise CommandError(f"{_FILE} names {path}, which cannot be read: {told}") from None
        pairs = (line.partition("=") for line in lines if "=" in line)
        given = {name.strip(): value.strip() for name, _, value in pairs}
    if missing := [name for name in _PAIR if not given.get(name)]:
        raise CommandError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: set what the "
            "bucket's server has given you"
        )
    key_id, secret, token = (_plain(name, given.get(name, "")) for name in (*_PAIR, _TOKEN))
    return Credentials(key_id, secret, token or None)


def _handed_on(credentials: Credentials, environ: Mapping[str, str]) -> dict[str, str]:
    if environ.get(_FILE):
        return {}  # which workerd reads itself, and again when it is replaced
    values = (credentials.key_id, credentials.secret, credentials.token)
    return {name: value for name, value in zip((*_PAIR, _TOKEN), values, strict=True) if value}


def _plain(name: str, value: str) -> str:
    """What was given, without the end of a line that came along. What is wrong is not shown."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise CommandError(f"{name} has characters in it that are none of such a secret's")
    return value


def _endpoint(environ: Mapping[str, str]) -> tuple[str, str]:
    """Where the bucket's server is, and its region."""
    url, region = environ.get("AWS_ENDPOINT_URL"), environ.get("AWS_REGION")
    if not url:
        if not region:
            raise CommandError(
                "AWS_REGION is missing: set it to the bucket's region, or AWS_ENDPOINT_URL to the "
                "server, if it is not Amazon's"
            )
        return f"https://s3.{region}.amazonaws.com", region
    place = urlsplit("")
    with suppress(ValueError):
        split = urlsplit(url)
        if split.port != 0:  # or ValueError
            place = split
    if place.scheme not in ("http", "https") or not place.hostname:
        raise CommandError(f"AWS_ENDPOINT_URL {url!r} is no http:// or https:// address")
    if place.username is not None or place.query or place.fragment:
        raise CommandError(
            "AWS_ENDPOINT_URL is to have a server and a path alone: credentials come by "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return url.rstrip("/"), region or "us-east-1"


def _peer(peer: str | None, advertise: str | None) -> tuple[str, int]:
    if peer is None:
        raise CommandError(
            "--peer is missing: give the HOST:PORT at which the other nodes reach this one, on a "
            "private network"
        )
    address = _address("--peer", peer)
    if advertise is None and _is(address, "is_unspecified"):
        raise CommandError(
            f"--peer {peer} is no address that others could reach: give --advertise HOST:PORT, too"
        )
    return address


def _advertised(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    address = _address("--advertise", text)
    if _is(address, "is_unspecified"):
        raise CommandError(f"--advertise {text} is no address that others could reach")
    return address


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and 0 < int(port) < 65536
    if not (host and is_port) or (":" in host and not re.fullmatch(r"\[.*\]", host)):
        raise CommandError(f"{option} {text!r} is no HOST:PORT")
    address = (host.strip("[]"), int(port))
    if _is(address, "is_global"):
        raise CommandError(
            f"{option} {text} is a public address, and what nodes tell each other is not "
            "encrypted: give one of a private network (a VPC, WireGuard, Tailscale)"
        )
    return address


def _is(address: tuple[str, int], what: str) -> bool:
    """Whether the host is such an IP address; False of a name."""
    with suppress(ValueError):
        return bool(getattr(ipaddress.ip_address(address[0]), what))
    return False


def _text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _divisor(divisor: int | None) -> int:
    if divisor is not None and not 1 <= divisor <= 1000:
        raise CommandError(f"--unsafe-time-divisor {divisor} is not from 1 to 1000")
    return divisor or 1
