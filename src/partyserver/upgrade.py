"""From a WebSocket upgrade request to an open connection, or to a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, ClassVar, Protocol

from workers import Request, Response

from . import failures, runtime, tasks
from .attachment import Attachment
from .closing import INTERNAL_ERROR, REPLACED
from .connection import Connection, Phase
from .connections import Connections
from .errors import RequestRefusedError, StateTooLargeError
from .names import check_connection_id, new_connection_id
from .options import ServerOptions
from .tags import prepare_tags
from .urls import query_value

SETUP_FAILED = "Uncaught exception during session setup"


@dataclass(frozen=True, slots=True)
class ConnectionContext:
    """What is known of a connection's beginning.

    Attributes:
        request: the upgrade request, as `on_before_connect` let it go on.
    """

    request: Request


class Upgrading(Protocol):
    """What an upgrade needs of the server that it is for."""

    options: ClassVar[ServerOptions]
    _connections: Connections

    @property
    def name(self) -> str: ...
    def get_connection(self, id: str) -> Connection | None: ...
    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> Any: ...
    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> Any: ...
    def _accept(self, connection: Connection) -> None: ...
    def _report(self, where: str, error: BaseException) -> None: ...


async def upgrade(server: Upgrading, request: Request) -> Response:
    """Answer an upgrade request: tags, acceptance, `on_connect`, and the client's end."""
    connection_id = _connection_id(request.url)
    _check_duplicate(server, connection_id)
    client, socket = runtime.socket_pair()
    connection = Connection(
        socket,
        Attachment(connection_id, (connection_id,), request.url, None),
        server._connections.remove,
        receive=server._connections.receive,
        context=server._connections.context,
        room_name=server._connections.room_name,
        phase=Phase.CONNECTING,
    )
    try:
        connection._keep(connection._attachment)
    except StateTooLargeError as error:
        raise RequestRefusedError(
            414, f"the URL leaves no room for the connection's state: {error}"
        ) from error
    try:
        await _open(server, connection, ConnectionContext(request))
    except tasks.HOOK_FAILURES as error:
        _abandon(server, connection)
        if isinstance(error, RequestRefusedError):
            raise
        server._report("the upgrade", error)
        return refuse(request, error, debug=server.options["debug"])
    return switching_protocols(request, client)


async def _open(server: Upgrading, connection: Connection, context: ConnectionContext) -> None:
    tags: Any = server.get_connection_tags(connection, context)
    if tags and isawaitable(tags):
        tags = await tags
    if tags:
        _attach_tags(connection, tags)
    # Asked again, since an async get_connection_tags lets others in.
    _check_duplicate(server, connection.id)
    _replace_duplicates(server, connection.id)
    server._accept(connection)
    result: Any = server.on_connect(connection, context)
    if result is not None and isawaitable(result):
        await result


def _attach_tags(connection: Connection, tags: Iterable[str]) -> None:
    prepared = prepare_tags(connection.id, tags)
    connection._keep(connection._attachment._replace(tags=prepared))


def _connection_id(url: str) -> str:
    asked = query_value(url, "_pk")
    return check_connection_id(asked) if asked else new_connection_id()


def _check_duplicate(server: Upgrading, connection_id: str) -> None:
    if server.options["duplicate_ids"] == "reject" and server.get_connection(connection_id):
        raise RequestRefusedError(409, f"a connection with the id {connection_id!r} is open")


def _replace_duplicates(server: Upgrading, connection_id: str) -> None:
    if server.options["duplicate_ids"] == "replace":
        while older := server.get_connection(connection_id):
            older.close(REPLACED, "another connection took over this id")


def refuse(request: Request, error: BaseException, *, debug: bool) -> Response:
    """Answer an upgrade that failed: the socket opens, tells why, and closes with 1011."""
    client, socket = runtime.socket_pair()
    runtime.accept_in_memory(socket)
    socket.send(failures.frame(error, debug=debug))
    socket.close(INTERNAL_ERROR, SETUP_FAILED)
    return switching_protocols(request, client)


def _abandon(server: Upgrading, connection: Connection) -> None:
    """Drop a connection whose hook has failed; no event of it will be a hook's.

    The client gets another socket, since a hibernating one that is closed before its
    upgrade is answered stays half open for seconds.
    """
    runtime.write_attachment(connection.socket, None)
    server._connections.forget(connection)
    accepted = connection._phase is Phase.OPEN
    connection._phase = Phase.CLOSED
    if accepted:
        connection.socket.close(INTERNAL_ERROR, SETUP_FAILED)


def switching_protocols(request: Request, client: runtime.JsProxy) -> Response:
    # Browsers drop a connection for which they offered subprotocols and got none.
    offered = request.js_object.headers.get("sec-websocket-protocol")
    protocol = offered.split(",")[0].strip() if isinstance(offered, str) else None
    return runtime.switching_protocols(client, protocol)
