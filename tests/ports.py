"""Ports for what must be told its port before it listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved(port: int = 0) -> Iterator[int]:
    """A port of the loopback that no other process is given, and at which one can still listen.

    A port that was free a moment ago may be another's when it is used: so this holds it, bound and
    not listening, which lets those listen that set SO_REUSEADDR, as servers do.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        yield held.getsockname()[1]
