"""What can go wrong, as one tree.

PartyServerError
├── ConnectionClosedError      sending on a connection that is closed
├── StateTooLargeError         a connection's state is over the platform's limit
├── SQLError                   a query failed
├── ServerNameError            a server has no name, or another one
├── TransportError             a socket broke; given to `on_error`
└── RequestRefusedError        a request is answered with an HTTP error status
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class PartyServerError(Exception):
    """The base of every error that this library raises on its own account."""


class ConnectionClosedError(PartyServerError):
    """The connection is closed, or closing: nothing can be sent on it."""

    def __init__(self, connection_id: str) -> None:
        self.connection_id = connection_id
        super().__init__(f"connection {connection_id!r} is closed and cannot be sent to")


class StateTooLargeError(PartyServerError, ValueError):
    """A connection's id, tags, URL and state together are over the limit.

    `size` and `limit` are bytes as the platform serializes them:
    https://developers.cloudflare.com/durable-objects/api/websockets/
    `shares` has roughly what each of them takes.
    """

    def __init__(self, size: int, limit: int, shares: Mapping[str, int] | None = None) -> None:
        self.size = size
        self.limit = limit
        self.shares: dict[str, int] = dict(shares or {})
        listed = ", ".join(f"{name} {share}" for name, share in self.shares.items())
        super().__init__(
            f"the connection's state is {size} bytes with its id, tags and URL, and the limit is "
            f"{limit} bytes{listed and f' (about: {listed})'}; keep larger data in the room's "
            "storage, under the connection's id"
        )


class SQLError(PartyServerError):
    """The room's SQLite refused a query, which is in `query`."""

    def __init__(self, message: str, query: str) -> None:
        self.query = query
        #: Whether `on_exception` has had it; it may pass through a hook's failure again.
        self.reported = False
        super().__init__(f"{message}\n  in query: {query}")


class ServerNameError(PartyServerError):
    """The server has no name yet, or already has another one."""


class TransportError(PartyServerError):
    """The network under a connection failed. `retryable` is the platform's own judgement."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class RequestRefusedError(PartyServerError):
    """A request that is answered with `status` and this message, before any hook has run."""

    def __init__(self, status: int, message: str) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"a refusal has a status from 400 to 599, not {status}")
        self.status = status
        super().__init__(message)
