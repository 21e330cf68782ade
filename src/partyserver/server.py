"""`Server`: the public API of a room."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from workers import DurableObject, Request, Response

from . import sql
from .connection import Connection
from .definition import define, define_root
from .hooks import Hooks
from .life import Life
from .reserved import (
    NAME,
    LifeHolder,
    check_assignment,
    definition_of,
    give_life,
    is_undefined,
    life_of,
)
from .routing import route_partykit_request
from .rules.messages import compact_json
from .rules.options import DEFAULTS, ServerOptions
from .runtime import JsProxy
from .shortcuts.activation import activate
from .shortcuts.requests import called_by_the_runtime
from .usercode import as_exception


class _ServerType(ABCMeta):
    """Notices when a class and when an instance is complete, whatever its author's code does."""

    def __init__(cls, name: str, bases: tuple[type, ...], members: Any, **kwargs: Any) -> None:
        super().__init__(name, bases, members)
        if is_undefined(cls):
            raise TypeError(f"{name}: a base's __init_subclass__ must call super()")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            server = super().__call__(*args, **kwargs)
            life = life_of(server)
        except KeyError as error:
            if error.args != (NAME,):
                raise
            raise TypeError(
                f"{cls.__name__}.__init__ must call super().__init__(ctx, env)"
            ) from None
        except (SystemExit, KeyboardInterrupt) as error:
            raise as_exception(error, f"{cls.__name__}.__init__") from error
        life.constructed()
        return life.face() if called_by_the_runtime() else server

    def __setattr__(cls, name: str, value: Any) -> None:
        check_assignment(cls, name, value)
        super().__setattr__(name, value)


class Server(Hooks, LifeHolder, DurableObject, metaclass=_ServerType):
    """A room: a Durable Object whose WebSockets, HTTP requests and alarms call your hooks.

        class Chat(Server):
            options = {"hibernate": True}

            def on_connect(self, connection, ctx):
                connection.send(f"welcome to {self.name}")

            async def on_message(self, connection, message):
                self.broadcast(message, exclude=[connection.id])

    Export the class from the worker's main module, bind it in the wrangler config, and send
    requests to it with `route_partykit_request` or `get_server_by_name`.

    Every hook may be a plain or an `async` function. `on_start` runs before all others, once
    per life in memory. A hook that raises fails its own event only: `on_exception` is
    called, and the room and its other connections live on.

    With `options = {"hibernate": True}` the room leaves memory between events while its
    sockets stay open, so an attribute set in one hook may be gone in the next one. Keep what
    must last in `sql`, in `ctx.storage`, or in a connection's state.
    https://developers.cloudflare.com/durable-objects/best-practices/websockets/

    A subclass that defines one of the runtime's own handlers (`alarm`, `webSocketMessage`,
    ...), a hook in camelCase or with other parameters, or an unknown option, is a
    `TypeError` when it is created. Its public methods can be called over RPC, and see a
    server whose `on_start` has run, unless the object has no name: see `set_name`.
    """

    options: ClassVar[ServerOptions] = DEFAULTS
    """See `ServerOptions`. A subclass that sets one key keeps the others of its bases."""

    # As the SDK sets them, whose own types are those of a module that only the runtime has.
    ctx: Any
    """The Durable Object's state: `ctx.storage`, `ctx.waitUntil`, ..."""
    env: Any
    """The worker's bindings."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        define(cls, Server)
        super().__init_subclass__(**kwargs)

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        activate()
        life = Life(self, self.ctx._ctx, definition_of(type(self)))
        give_life(self, life)
        self.ctx.waitUntil = life.wait_until
        life.construct_parts()

    # --- what hooks use ---------------------------------------------------------------

    @property
    def name(self) -> str:
        """The room's name, exactly as the URL carries it: not percent-decoded.

        Raises:
            ServerNameError: the object was not addressed by name and has none yet.
        """
        return life_of(self).name.get()

    def broadcast(
        self,
        message: str | bytes | bytearray | memoryview,
        exclude: Iterable[str | Connection] = (),
    ) -> None:
        """Send a message to every open connection but those in `exclude`.

            self.broadcast(message, exclude=[connection])

        `exclude` holds connections, which are left out alone, and ids, which all connections with
        that id are left out by. A socket that fails is closed with 1011 and never stops the others.
        It never waits: the platform buffers what slow clients have not read.

        Raises:
            TypeError: the message is neither text nor binary, or `exclude` holds anything else.
        """
        life_of(self).connections.broadcast(message, exclude)

    def broadcast_json(self, value: Any, exclude: Iterable[str | Connection] = ()) -> None:
        """Send `value` as compact JSON text, as `broadcast` does. It is encoded once.

        Raises:
            TypeError, ValueError: JSON cannot hold the value; nobody has got anything.
        """
        life_of(self).connections.broadcast(compact_json(value), exclude)

    def get_connection(self, id: str) -> Connection | None:
        """The open connection with this id, the newest if there are several."""
        return life_of(self).connections.get(id)

    def get_connections(self, tag: str | Iterable[str] | None = None) -> Iterator[Connection]:
        """The open connections in the order they came, or those that carry the tag.

        Of several tags a connection must carry all. Its id is one of them, and any client may
        choose any id (`_pk`): what only some may hear must not be sent by a tag alone.
        """
        connections = life_of(self).connections
        if tag is None:
            return connections.select()
        return connections.select((tag,) if isinstance(tag, str) else tag)

    def sql(self, query: Any, *params: Any) -> list[dict[str, Any]]:
        """Run a query on the room's SQLite and return its rows.

            self.sql("insert into message (text) values (?)", text)
            self.sql(t"select * from message where id > {last}")      # Python 3.14

        Parameters are None, bool, int (up to 2**53 - 1), float, str or bytes. The platform binds
        every number as a float: `? / 2` of 5 is 2.5, and a TEXT column stores 5 as "5.0". Write
        `cast(? as integer)` where that matters.
        https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/

        Raises:
            SQLError: the query fails, or a parameter cannot be stored.
        """
        return sql.run(life_of(self), query, params)

    # --- names and routing ------------------------------------------------------------

    async def set_name(self, name: str, props: Any = None) -> None:
        """Name an object that was not addressed by name, and run `on_start` with `props`.

            class Job(Server):
                async def begin(self, name, props):  # over RPC, on a stub of newUniqueId()
                    await self.set_name(name, props)

        Public methods of an object without a name run before `on_start`, so that one of them can
        do this. The name is kept in storage, and the props are not: `on_start` gets None in later
        lives, and what must last is yours to store. An object that has this name already is
        started with the props if it has not been started yet, as where an overridden `fetch` asks.

        Raises:
            ServerNameError: the object has another name, or the name is empty.
            PartyServerError: there are props, and `on_start` has run, or is running.
            TypeError, ValueError: JSON cannot hold the props.
        """
        await life_of(self).set_name(name, props, strictly=True)

    async def setName(self, name: str, props: Any = None) -> None:
        """What the routers of this library and of npm partyserver call: `set_name`.

        They give props each time, which a room that has started has no use for.
        """
        await life_of(self).set_name(name, props, strictly=False)

    @staticmethod
    async def party_fetch(
        request: Request, env: Any, *, location_hint: str | None = None, prefix: str = "parties"
    ) -> Response | None:
        """The early PartyServer's name for `route_partykit_request`."""
        return await route_partykit_request(
            request, env, location_hint=location_hint, prefix=prefix
        )

    # --- the runtime's events ---------------------------------------------------------

    async def fetch(self, request: Request) -> Response:
        """Start the room, if that is still to do, and answer a request to it.

        An override ends in `super().fetch(request)`. What it does before that runs before
        `on_start`. (While an `on_start` awaits, the platform delivers no request, though.)

            async def fetch(self, request):
                if request.url.endswith("/health"):
                    return Response("ok")
                return await super().fetch(request)
        """
        return await life_of(self).fetch(request)

    def webSocketMessage(self, socket: JsProxy, message: Any) -> Any:
        return life_of(self).message_arrived(socket, message)

    def webSocketClose(self, socket: JsProxy, code: int, reason: str, was_clean: bool) -> Any:
        return life_of(self).socket_closed(socket, code, reason, was_clean)

    def webSocketError(self, socket: JsProxy, error: Any) -> Any:
        return life_of(self).socket_failed(socket, error)

    async def alarm(self, info: Any = None) -> None:
        await life_of(self).alarm(info)


define_root(Server)
