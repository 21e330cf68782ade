"""What can go wrong, as one tree.

PartyServerError
├── ConnectionClosedError      sending on a connection that is closed
├── StateTooLargeError         a connection's state is over the platform's limit
├── SQLError                   a query failed
├── ServerNameError            a server has no name, or another one
├── TransportError             a socket broke; given to `on_error`
├── ClientError                what a client may be told; hooks raise it
└── RequestRefusedError        a request is answered with an HTTP error status
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class PartyServerError(Exception):
    """The base of every error that this library raises on its own account."""


class ConnectionClosedError(PartyServerError):
    """The connection is closed, or closing: nothing can be sent on it, and nobody is here by it."""

    def __init__(self, connection_id: str, cannot: str = "be sent to") -> None:
        self.connection_id = connection_id
        super().__init__(f"connection {connection_id!r} is closed and cannot {cannot}")


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
    """The room's SQLite refused a query, which is in `query`; why is in `message`."""

    def __init__(self, message: str, query: str) -> None:
        self.message = message
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


class ClientError(PartyServerError):
    """What a client may be told: a hook raises it, and the client gets its message.

        def on_message(self, connection, message):
            if self.is_over:
                raise ClientError("the game is over", code="over")

    It is no failure: it is not logged, and `on_exception` does not get it. The client gets

    - in `on_request` and `on_before_request`, a response with `status` (400 to 599) and the JSON
      `{"error": message, "code": code}`;
    - in `on_connect`, `get_connection_tags` and `on_before_connect`, the frame
      `{"type": "error", "error": message, "code": code}`, and the close code 1008;
    - in `on_message`, `on_rate_limited`, and in a method with `@on`, that frame;
    - in an app of `partyserver.asgi`, the same: a response, or on a WebSocket the frame and 1008;
    - in a method that is called over RPC, the caller gets the exception.

    `code` is left out where it is None. In `on_start`, `on_close`, `on_error`, `on_alarm` and
    timers, which no client has asked for, it is a failure as any other.
    """

    def __init__(self, message: str, *, status: int = 400, code: str | int | None = None) -> None:
        if not isinstance(message, str):
            raise TypeError(f"a ClientError's message is a str, not {type(message).__name__}")
        if type(status) is not int or not 400 <= status <= 599:
            raise ValueError(f"a ClientError has a status from 400 to 599, not {status!r}")
        if not isinstance(code, str | int | None):
            raise TypeError(f"a ClientError's code is a str or an int, not {type(code).__name__}")
        self.message = message
        self.status = status
        self.code = code
        super().__init__(message)


class RequestRefusedError(PartyServerError):
    """A request that is answered with `status` and this message, before any hook has run."""

    def __init__(self, status: int, message: str) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"a refusal has a status from 400 to 599, not {status}")
        self.status = status
        super().__init__(message)
