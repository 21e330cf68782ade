"""From a WebSocket upgrade request to an open connection, or to a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from workers import Request, Response

from . import attribution
from .connection import Connection, Phase, RoomConnection
from .connections import Connections
from .errors import ClientError, RequestRefusedError, StateTooLargeError
from .incoming import auth_of, auth_text, path_of, query_of
from .parts import Parts
from .refusals import refuse_client, refuse_upgrade
from .rules import failures
from .rules.attachment import AUTH, Attachment
from .rules.closing import INTERNAL_ERROR, POLICY_VIOLATION, REPLACED, TRY_AGAIN_LATER
from .rules.names import check_connection_id, new_connection_id
from .rules.options import ServerOptions
from .rules.query import Query
from .rules.tags import prepare_tags
from .rules.urls import query_value
from .runtime import requests, sockets
from .usercode import FAILURES, call

SETUP_FAILED = "Uncaught exception during session setup"


@dataclass(frozen=True, slots=True)
class ConnectionContext:
    """What is known of a connection's beginning.

        def on_connect(self, connection, ctx):
            if ctx.path == "spectators":
                connection.set_state({"color": ctx.query.get("color", "grey")})

    Attributes:
        request: the upgrade request, as `on_before_connect` let it go on.
    """

    request: Request

    @property
    def auth(self) -> Any:
        """Who this is: what `on_before_connect` has returned, or None."""
        return auth_of(self.request)

    @property
    def query(self) -> Query:
        """The query of the request's URL, as a mapping."""
        return query_of(self.request)

    @property
    def path(self) -> str:
        """What follows the room in the request's URL, decoded, without a slash before it."""
        return path_of(self.request)


class UpgradeHooks(Protocol):
    """The user's, which an upgrade calls."""

    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> Any: ...
    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> Any: ...


class Upgrading(Protocol):
    """What an upgrade needs of the life that it is for."""

    options: ServerOptions
    parts: Parts
    connections: Connections

    @property
    def server(self) -> UpgradeHooks: ...

    def accept(self, connection: RoomConnection) -> None: ...
    async def close_parts(
        self, connection: RoomConnection, code: int, reason: str, was_clean: bool
    ) -> None: ...
    def report(self, where: str, error: BaseException) -> None: ...


class _RoomFullError(ClientError):
    """The room has `max_connections`."""


async def upgrade(life: Upgrading, request: Request) -> Response:
    """Answer an upgrade request: tags, acceptance, `on_connect`, and the client's end."""
    try:
        return await _upgrade(life, request)
    except _RoomFullError as error:
        return refuse_client(request, error, upgrading=True, code=TRY_AGAIN_LATER)


async def _upgrade(life: Upgrading, request: Request) -> Response:
    url = request.url  # each look is a call into JavaScript
    connection_id = _connection_id(url)
    _check_duplicate(life, connection_id)
    _check_capacity(life, connection_id)
    client, socket = sockets.socket_pair()
    auth = auth_text(request)
    attachment = Attachment(
        connection_id, (connection_id,), url, None, {} if auth is None else {AUTH: auth}
    )
    connection = RoomConnection(socket, attachment, life.connections, Phase.CONNECTING)
    try:
        connection.keep(attachment)
    except StateTooLargeError as error:
        raise RequestRefusedError(
            414, f"the URL leaves no room for the connection's state: {error}"
        ) from error
    try:
        await _open(life, connection, ConnectionContext(request))
    except FAILURES as error:
        code = POLICY_VIOLATION if isinstance(error, ClientError) else INTERNAL_ERROR
        if connection.phase is not Phase.CONNECTING:
            sockets.discard(client)
        if connection.abandoned(code, SETUP_FAILED) and life.parts.closed:
            await life.close_parts(connection, code, SETUP_FAILED, False)
        if isinstance(error, RequestRefusedError | _RoomFullError):
            raise
        if isinstance(error, ClientError):
            return refuse_client(request, error, upgrading=True)
        life.report("the upgrade", error)
        return refuse(request, error, debug=life.options["debug"])
    return requests.switching_protocols(request, client)


async def _open(life: Upgrading, connection: RoomConnection, context: ConnectionContext) -> None:
    attribution.current.set(connection)
    for connecting in life.parts.connecting:
        await call(connecting, life.server, connection, context)
    tags = await call(life.server.get_connection_tags, connection, context)
    if tags:
        _attach_tags(connection, tags)
    # Asked again, since an async get_connection_tags lets others in.
    _check_duplicate(life, connection.id)
    _check_capacity(life, connection.id)
    _replace_duplicates(life, connection.id)
    life.accept(connection)
    for accepted in life.parts.accepted:
        accepted(life.server, connection, context)
    await call(life.server.on_connect, connection, context)


def _attach_tags(connection: RoomConnection, tags: Iterable[str]) -> None:
    connection.keep(connection.attachment.with_tags(prepare_tags(connection.id, tags)))


def _connection_id(url: str) -> str:
    asked = query_value(url, "_pk")
    return check_connection_id(asked) if asked else new_connection_id()


def _check_duplicate(life: Upgrading, connection_id: str) -> None:
    if life.options["duplicate_ids"] == "reject" and life.connections.get(connection_id):
        raise RequestRefusedError(409, f"a connection with the id {connection_id!r} is open")


def _replace_duplicates(life: Upgrading, connection_id: str) -> None:
    if life.options["duplicate_ids"] == "replace":
        while older := life.connections.get(connection_id):
            older.end(REPLACED, "another connection took over this id")


def _check_capacity(life: Upgrading, connection_id: str) -> None:
    limit = life.options["max_connections"]
    if limit is None:
        return
    replaced = connection_id if life.options["duplicate_ids"] == "replace" else None
    if not life.connections.are_fewer_than(limit, replaced):
        raise _RoomFullError(f"the room is full: it takes {limit} connections", code="full")


def refuse(request: Request, error: BaseException, *, debug: bool) -> Response:
    """Answer an upgrade that failed: the socket opens, tells why, and closes with 1011."""
    return refuse_upgrade(request, failures.frame(error, debug=debug), INTERNAL_ERROR, SETUP_FAILED)
