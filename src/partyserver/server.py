"""`Server`: the public API of a room."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, TypeVarTuple

from workers import DurableObject, Request, Response

from . import sql
from .connection import Connection
from .connections import ConnectionIterator
from .definition import define, define_root
from .environment import Env, EnvHolder
from .hooks import Hooks
from .kv import KeyValues
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
from .runtime.io_context import current as current_io_context
from .shortcuts.activation import activate
from .shortcuts.requests import called_by_the_runtime
from .usercode import as_exception

if TYPE_CHECKING:
    from .context import DurableObjectState
else:
    DurableObjectState = Any  # for whoever evaluates annotations

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _ServerType(ABCMeta):
    """Notices when a class and when an instance is complete, whatever its author's code does."""

    def __init__(cls, name: str, bases: tuple[type, ...], members: Any, **kwargs: Any) -> None:
        super().__init__(name, bases, members)
        if is_undefined(cls):
            raise TypeError(f"{name}: a base's __init_subclass__ must call super()")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        outside = current_io_context.get()
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
        finally:
            current_io_context.set(outside)
        life.constructed()
        return life.face() if called_by_the_runtime() else server

    def __setattr__(cls, name: str, value: Any) -> None:
        check_assignment(cls, name, value)
        super().__setattr__(name, value)


class Server(Hooks, LifeHolder, DurableObject, EnvHolder[Env], metaclass=_ServerType):
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

    For type checkers, `Server[Env]` says what `self.env` has: the worker's variables, secrets and
    bindings. At run time it is `Server`, and without it `self.env` is `Any`.

        class Env(Protocol):
            Chat: Any  # a Durable Object binding
            GREETING: str

        class Chat(Server[Env]):
            def on_connect(self, connection, ctx):
                connection.send(self.env.GREETING)
    """

    options: ClassVar[ServerOptions] = DEFAULTS
    """See `ServerOptions`. A subclass that sets one key keeps the others of its bases."""

    migrations: ClassVar[Sequence[str]] = ()
    """SQL statements that each room runs once in its life, in their order, before `on_start`.

        migrations = [
            "create table message (id integer primary key, text text)",
            "alter table message add column author text",
        ]

    Add new ones at the end, and leave those that have run as they were: another statement in the
    place of one is an error, but for white space. One item may have several statements with `;`
    between them. Those of a room's start are run as a whole: if one fails, the event that has
    started the room fails, nothing is kept, and the next event tries again. Fewer than have run, as
    after a rollback, are a warning in the log.

    Bases come first, and each class counts its own, which rooms remember by the class's name: a
    renamed class keeps its list in a base of the old name. `ctx.storage.deleteAll()` forgets what
    has run with all else, and the next start runs it again.
    """

    # As the SDK sets them, whose own types are those of a module that only the runtime has.
    ctx: DurableObjectState
    """The Durable Object's state: `ctx.storage`, `ctx.waitUntil`, ..."""
    env: Env
    """The worker's variables, secrets and bindings. `Server[Env]` gives them types."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        define(cls, Server)
        super().__init_subclass__(**kwargs)

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        activate()
        own_ctx: Any = self.ctx
        life = Life(self, own_ctx._ctx, definition_of(type(self)))
        give_life(self, life)
        current_io_context.set(life.io_context)  # for what `__init__` does from here on
        own_ctx.waitUntil = life.wait_until
        own_ctx.abort = life.abort
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
        *,
        to: Connection | Iterable[Connection] | str | None = None,
    ) -> None:
        """Send a message to every open connection, or to some, but for those in `exclude`.

            self.broadcast(message, exclude=[connection])
            self.broadcast(message, to="team:red")

        `exclude` holds connections, which are left out alone, and ids, which all connections with
        that id are left out by. `to` is a tag, a connection, or several of them. To a tag is faster
        than a loop over `get_connections(tag)`. A connection's id is one of its tags, and any
        client may choose any id: what only some may hear must not be sent by a tag alone. None is
        everybody: mind a `get_connection(id)` that has found nobody.

        A socket that fails is closed with 1011 and never stops the others, and connections that
        have closed are left out. It never waits: the platform buffers what slow clients have not
        read.

        Raises:
            TypeError: the message is neither text nor binary, or `exclude` or `to` holds anything
                else. Nobody has got anything.
        """
        connections = life_of(self).connections
        if to is None:
            connections.broadcast(message, exclude)
        else:
            connections.send_to(message, to, exclude)

    def broadcast_json(
        self,
        value: Any,
        exclude: Iterable[str | Connection] = (),
        *,
        to: Connection | Iterable[Connection] | str | None = None,
    ) -> None:
        """Send `value` as compact JSON text, as `broadcast` does. It is encoded once.

        Raises:
            TypeError, ValueError: JSON cannot hold the value, or it has more than 500 levels.
                Nobody has got anything.
        """
        connections = life_of(self).connections
        if to is None:
            connections.broadcast(compact_json(value), exclude)
        else:
            connections.send_to(compact_json(value), to, exclude)

    def get_connection(self, id: str) -> Connection | None:
        """The open connection with this id, the newest if there are several."""
        return life_of(self).connections.get(id)

    def get_connections(self, tag: str | Iterable[str] | None = None) -> ConnectionIterator:
        """The open connections in the order they came, or those that carry the tag.

        Of several tags a connection must carry all. Its id is one of them, and any client may
        choose any id (`_pk`): what only some may hear must not be sent by a tag alone.

        The iterator has a `len`: the connections that are still to come.
        """
        connections = life_of(self).connections
        if tag is None:
            return ConnectionIterator(connections.select())
        return ConnectionIterator(connections.select((tag,) if isinstance(tag, str) else tag))

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

    def sql_one(self, query: Any, *params: Any) -> dict[str, Any] | None:
        """The only row of a query, or None if there is none. Parameters are those of `sql`.

            player = self.sql_one("select * from player where id = ?", id)

        It reads no further than to a second row. What a statement has written by then, such as an
        `update ... returning`, stays.

        Raises:
            SQLError: there is more than one row, or the query fails.
        """
        return dict(sql.reporting(life_of(self), sql.first, query, params)) or None

    def sql_value(self, query: Any, *params: Any) -> Any:
        """The first column of the only row of a query, or None if there is none.

            count = self.sql_value("select count(*) from player")

        NULL is None, too: where that matters, `sql_one` tells them apart.

        Raises:
            SQLError: there is more than one row, or the query fails.
        """
        return sql.reporting(life_of(self), sql.value, query, params)

    def sql_json(self, query: Any, *params: Any) -> str:
        """The rows of a query as JSON text: a list of objects. Parameters are those of `sql`.

            def on_request(self, request):
                text = self.sql_json("select * from message order by id desc limit 100")
                return Response(text, headers={"content-type": "application/json"})

        It is made without Python objects, in a fraction of the time. Integers beyond 2**53 - 1 lose
        digits, as in `sql`, and of columns with the same name the last one counts.

        Raises:
            SQLError: a value is a BLOB or an infinite number, which JSON has not; or the query
                fails.
        """
        return sql.reporting(life_of(self), sql.json_text, query, params)

    def transaction(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        """The result of `fn(*args)`. If that raises, what it has written is undone.

            def move(self, from_, to, amount):
                self.sql("update account set amount = amount - ? where id = ?", amount, from_)
                self.sql("update account set amount = amount + ? where id = ?", amount, to)

            self.transaction(self.move, "a", "b", 10)

        Undone are `sql`, tables made or changed included, `kv`, and what `History` publishes, which
        is sent when the transaction is done. What else was sent stays sent, and a connection's
        state stays set. The exception itself comes out. In `fn` there may be another
        transaction, which is undone alone if `fn` catches its exception. Each event's writes reach
        the disk together anyway, up to its first `await`: a transaction is for those who catch.
        https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#transactionsync

        Raises:
            TypeError: `fn` is no plain function, or returns something to be awaited, whose work
                would come after the end; it is undone.
        """
        return sql.transact(life_of(self), fn, args)

    @property
    def kv(self) -> KeyValues:
        """The room's key-value storage as a mapping; reads and writes are at once.

            self.kv["topic"] = {"title": "Hello", "since": datetime.now(UTC)}
            topic = self.kv.get("topic")
            latest = self.kv.list(prefix="score:", reverse=True, limit=10)

        Keys are `str` of up to 2,048 bytes in UTF-8, and not empty. Values are dict with `str`
        keys, list, tuple, set, str, int, float, bool, None, bytes and `datetime`, of up to 2 MiB
        with the key. They are read back as JavaScript keeps them: a tuple is a list, `1.0` is `1`,
        keys that are whole numbers come first, and a `datetime` is in UTC, of whole milliseconds.

        Keys are in the order of their UTF-8. `list(prefix=, start=, end=, limit=, reverse=)` is a
        dict of the keys and values from `start` on and before `end`. `ctx.storage` has the same
        entries, and where the library keeps a name (`set_name`), which is not shown here.
        https://developers.cloudflare.com/durable-objects/platform/limits/

        Raises, when something is stored, and changes nothing:
            TypeError: the key or the value is of another type.
            ValueError: one of them is over its limit, or the value has more than 500 levels.
        """
        return life_of(self).kv

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

    if not TYPE_CHECKING:  # names for JavaScript: editors show users' own alone

        async def setName(self, name: str, props: Any = None) -> None:
            """What the routers of this library and of npm partyserver call: `set_name`.

            They give props each time, which a room that has started has no use for.
            """
            await life_of(self).set_name(name, props, strictly=False)

        def webSocketMessage(self, socket: JsProxy, message: Any) -> Any:
            return life_of(self).message_arrived(socket, message)

        def webSocketClose(self, socket: JsProxy, code: int, reason: str, was_clean: bool) -> Any:
            return life_of(self).socket_closed(socket, code, reason, was_clean)

        def webSocketError(self, socket: JsProxy, error: Any) -> Any:
            return life_of(self).socket_failed(socket, error)

        async def alarm(self, info: Any = None) -> None:
            await life_of(self).alarm(info)


define_root(Server)
