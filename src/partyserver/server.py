"""`Server`: the runtime's events in, the user's hooks out."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextvars import ContextVar, copy_context
from functools import partial
from inspect import isawaitable
from types import CoroutineType
from typing import Any, ClassVar
from weakref import ref

from workers import DurableObject, Request, Response

from . import contract, failures, runtime, sql, tasks, values
from .closing import ABNORMAL, MESSAGE_TOO_BIG, answer_to_close, is_teardown_noise
from .connection import OPEN_PHASE, Connection, Phase
from .connections import Connections
from .contract import calls_are_own
from .errors import (
    PartyServerError,
    RequestRefusedError,
    ServerNameError,
    SQLError,
    TransportError,
)
from .hooks import Hooks
from .io_context import IoContext
from .io_context import current as current_io_context
from .options import DEFAULTS, PLATFORM_MAX_MESSAGE_SIZE, ServerOptions, merge_options
from .props import HEADER as PROPS_HEADER
from .props import checked_json, decode_props
from .routing import is_upgrade, route_partykit_request
from .shortcuts import calls, received
from .shortcuts.front import front
from .startup import Startup
from .upgrade import refuse, upgrade

#: Where npm partyserver keeps the name of an object that was not addressed by name.
NAME_STORAGE_KEY = "__ps_name"
ROOM_HEADER = "x-partykit-room"

#: Set while `on_exception` runs: its own failures are not reported to it again, for ever.
_inside_on_exception: ContextVar[bool] = ContextVar("inside_on_exception", default=False)


class _ServerType(ABCMeta):
    """Notices when an instance is complete, whatever its class's `__init__` does."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        server = super().__call__(*args, **kwargs)
        if not hasattr(server, "_startup"):
            raise TypeError(f"{cls.__name__}.__init__ must call super().__init__(ctx, env)")
        server._startup.constructed = True
        if calls.called_by_the_runtime():
            calls.enter_calls()
            return server._front()
        return server


class Server(Hooks, DurableObject, metaclass=_ServerType):
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

    _own_options: ClassVar[Any] = {}
    _on_start_props: ClassVar[contract.PropsParameter] = "positional"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        contract.check_members(cls, Server)
        cls._own_options = vars(cls).get("options", {})
        cls.options = merge_options(cls.__name__, contract.own_options(cls, Server))
        cls._on_start_props = contract.props_parameter(cls.on_start)
        contract.guard_public_methods(cls, Server)
        super().__init_subclass__(**kwargs)

    def __init__(self, ctx: Any, env: Any) -> None:
        super().__init__(ctx, env)
        raw = self._raw_ctx = self.ctx._ctx
        # Weak: else a room would stay in memory until Python looks for cycles.
        room = ref(self)
        self.ctx.waitUntil = partial(_wait_until, room)
        self._io_context = IoContext(partial(_label_of, room))
        #: What each event's own context is a copy of.
        self._context = copy_context()
        self._context.run(current_io_context.set, self._io_context)
        self._name: str | None = getattr(raw.id, "name", None)
        #: Whether there is no name, as has been looked up: public methods run before the start.
        self._is_nameless = False
        self._props: Any = None
        self._startup = Startup(raw, self._start)
        self._listeners: runtime.Listeners | None = None
        maximum = self.options["max_message_size"]
        self._max_message_size = maximum if maximum < PLATFORM_MAX_MESSAGE_SIZE else None
        self._connections = Connections(
            lambda: self.name,
            self._receive,
            runtime.Sockets(raw) if self.options["hibernate"] else None,
            self._context,
        )

    # --- what hooks use ---------------------------------------------------------------

    @property
    def name(self) -> str:
        """The room's name, exactly as the URL carries it: not percent-decoded.

        Raises:
            ServerNameError: the object was not addressed by name and has none yet.
        """
        if self._name is None:
            raise ServerNameError(
                f"this {type(self).__name__} has no name: it was addressed by "
                "idFromString() or newUniqueId(). Address it by name, with "
                "route_partykit_request or get_server_by_name, or call set_name first"
            )
        return self._name

    def broadcast(
        self, message: str | bytes | bytearray | memoryview, exclude: Iterable[str] = ()
    ) -> None:
        """Send a message to every open connection but those with the ids in `exclude`.

        A socket that fails is closed with 1011 and never stops the others. It never waits: the
        platform buffers what slow clients have not read.

        Raises:
            TypeError: the message is neither text nor binary.
        """
        self._connections.broadcast(message, (exclude,) if isinstance(exclude, str) else exclude)

    def get_connection(self, id: str) -> Connection | None:
        """The open connection with this id, the newest if there are several."""
        return self._connections.get(id)

    def get_connections(self, tag: str | Iterable[str] | None = None) -> Iterator[Connection]:
        """The open connections in the order they came, or those that carry the tag.

        Of several tags a connection must carry all. Its id is one of them, and any client may
        choose any id (`_pk`): what only some may hear must not be sent by a tag alone.
        """
        if tag is None:
            return self._connections.select()
        return self._connections.select((tag,) if isinstance(tag, str) else tag)

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
        try:
            return sql.execute(self._raw_ctx, query, params)
        except SQLError as error:
            self._report("sql", error)
            error.reported = True
            raise

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
        checked_json(props)
        await self._take_name(name)
        if props is not None:
            if not self._startup.can_have_props:
                raise PartyServerError(
                    f"{self._label()} has started, and on_start does not run again for these "
                    "props: give them to what starts it, or to a method of your own"
                )
            self._props = props
        await self._until_started()

    async def setName(self, name: str, props: Any = None) -> None:
        """What the routers of this library and of npm partyserver call: `set_name`.

        They give props each time, which a room that has started has no use for.
        """
        await self._take_name(name)
        if props is not None:
            self._props = props
        await self._until_started()

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
        current_io_context.set(self._io_context)
        try:
            headers = request.js_object.headers
            self._read_headers(headers)
            if self._name is None:
                await self._check_named()
            if not self._startup.started:
                await self._until_started()
            if is_upgrade(headers):
                return await upgrade(self, request)
            response: Any = self.on_request(request)
            if not isinstance(response, Response) and isawaitable(response):
                response = await response
            if not hasattr(response, "js_object"):
                raise TypeError(
                    f"on_request must return a workers.Response, not {type(response).__name__}"
                )
            return response  # type: ignore[no-any-return]
        except tasks.HOOK_FAILURES as error:
            return self._failed(request, error)

    def webSocketMessage(self, socket: runtime.JsProxy, message: Any) -> Any:
        return self._event_came(socket, message)

    def webSocketClose(
        self, socket: runtime.JsProxy, code: int, reason: str, was_clean: bool
    ) -> Any:
        connection = self._connections.of_socket(socket)
        if connection is None:
            return None
        return self._promise(self._closed(connection, code, reason, was_clean))

    def webSocketError(self, socket: runtime.JsProxy, error: Any) -> Any:
        connection = self._connections.of_socket(socket)
        if connection is None:
            return None
        return self._promise(self._broken(connection, error))

    async def alarm(self, info: Any = None) -> None:
        current_io_context.set(self._io_context)
        try:
            await self._until_started()
            result: Any = self.on_alarm()
            if isawaitable(result):
                await result
        except tasks.HOOK_FAILURES as error:
            self._report("on_alarm", error)
            # Raised so that the platform tries again.
            if isinstance(error, Exception):
                raise
            raise RuntimeError(f"on_alarm raised {error!r}") from error

    # --- from events to hooks ---------------------------------------------------------

    def _front(self) -> Any:
        """What the runtime gets for this object."""
        itself = ref(self)  # JavaScript holds the function, and lets go of it with the object only

        def receive(*event: Any) -> Any:
            server = itself()
            return None if server is None else server._event_came(*event)

        # `run_sync` needs the way in that can suspend.
        face, dispatch = front(self, receive, direct=not self.options["sync_io"])
        if dispatch is not None and self.options["hibernate"]:
            self._connections.dispatch_by(dispatch)
        return face

    def _event_came(self, socket: Any, message: Any, *arguments: Any) -> Any:
        """A message; or, with its name in the socket's place, another of the runtime's events."""
        if type(socket) is str:
            return getattr(self, socket)(*arguments)
        connection = self._connections.of_socket(socket)
        if connection is None:
            return None
        content = message
        if type(message) is not str:
            content = message.to_bytes()
            received.begin(content, message)
        try:
            # In a context of its own: a ContextVar must not reach other rooms.
            result = self._context.copy().run(self._receive, connection, content)
        finally:
            received.end()
        self._connections.found()
        return result

    def _receive(self, connection: Connection, message: str | bytes, run: Any = tasks.run) -> Any:
        """The hot path, called in a context in which the hook may set a `ContextVar`."""
        if connection._phase is not OPEN_PHASE:
            return None
        try:
            if self._max_message_size is not None and self._too_big(connection, message):
                return None
            if self._startup.started:
                result = self.on_message(connection, message)
            else:
                context = copy_context()
                result = self._startup.run(
                    partial(context.run, self.on_message, connection, message)
                )
            if result is None or not (type(result) is CoroutineType or isawaitable(result)):
                return None
            task = run(_finish(result, self._report, "on_message"))
            return None if task.done() else runtime.promise_of(task)
        except tasks.HOOK_FAILURES as error:
            self._report("on_message", error)
            return None

    def _too_big(self, connection: Connection, message: str | bytes) -> bool:
        limit = self._max_message_size or PLATFORM_MAX_MESSAGE_SIZE
        size = len(message)
        if isinstance(message, str) and size <= limit < size * 4:
            size = len(message.encode(errors="surrogatepass"))
        if size > limit:
            connection._close(MESSAGE_TOO_BIG, f"a message has at most {limit} bytes")
        return size > limit

    async def _closed(
        self, connection: Connection, code: int, reason: str, was_clean: bool
    ) -> None:
        if connection._phase is Phase.OPEN:
            self._connections.remove(connection)
            connection._phase = Phase.CLOSED_BY_PEER
        elif connection._ended:
            return
        connection._ended = True
        try:
            await self._until_started()
            result: Any = self.on_close(connection, code, reason, was_clean)
            if isawaitable(result):
                await result
        except tasks.HOOK_FAILURES as error:
            self._report("on_close", error)
        finally:
            self._end(connection, code, reason, was_clean)

    def _end(self, connection: Connection, code: int, reason: str, was_clean: bool) -> None:
        answer = answer_to_close(code, reason, was_clean=was_clean)
        if connection._phase is Phase.CLOSED_BY_PEER and answer is not None:
            connection._close(*answer)
        connection._phase = Phase.CLOSED
        self._connections.forget(connection)
        # A late event of this socket must not find a connection again.
        runtime.write_attachment(connection.socket, None)

    async def _broken(self, connection: Connection, error: Any) -> None:
        if connection._ended:
            return
        message = str(getattr(error, "message", error))
        retryable = getattr(error, "retryable", False) is True
        if not is_teardown_noise(connection.socket.readyState, message, retryable=retryable):
            failure = TransportError(message, retryable=retryable)
            if isinstance(error, BaseException):
                failure.__cause__ = error
            try:
                await self._until_started()
                result: Any = self.on_error(connection, failure)
                if isawaitable(result):
                    await result
            except tasks.HOOK_FAILURES as raised:
                self._report("on_error", raised)
        await self._closed(connection, ABNORMAL, "", False)

    def _accept(self, connection: Connection) -> None:
        socket = connection.socket
        if self.options["hibernate"]:
            self._raw_ctx.acceptWebSocket(socket, values.string_list(connection.tags))
        else:
            runtime.accept_in_memory(socket)
            if self._listeners is None:
                self._listeners = runtime.Listeners(ref(self), may_block=self.options["sync_io"])
            self._listeners.attach(socket)
        self._connections.add(connection)

    # --- starting ---------------------------------------------------------------------

    def _start(self) -> Any:
        return self._start_unnamed() if self._name is None else self._call_on_start()

    async def _start_unnamed(self) -> None:
        await self._find_name()
        result = self._call_on_start()
        if isawaitable(result):
            await result

    def _call_on_start(self) -> Any:
        match self._on_start_props:
            case "positional":
                return self.on_start(self._props)
            case "keyword":
                return self.on_start(props=self._props)
        return self.on_start()

    async def _take_name(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise ServerNameError(f"a name is a str that is not empty, not {name!r}")
        await self._find_name()
        if self._name is not None:
            if self._name != name:
                raise ServerNameError(f"this server is named {self._name!r}, and not {name!r}")
            return
        # At once, so that of two calls the second finds the name of the first.
        self._become(name)
        await self._raw_ctx.storage.put(NAME_STORAGE_KEY, name)

    async def _find_name(self) -> None:
        if self._name is None:
            stored = await self._raw_ctx.storage.get(NAME_STORAGE_KEY)
            if self._name is None and isinstance(stored, str):
                self._become(stored)

    def _become(self, name: str) -> None:
        self._name = name
        self._is_nameless = False

    async def _check_named(self) -> None:
        await self._find_name()
        if self._name is None and not self._is_facet_without_a_name:
            self.name  # noqa: B018 -- raises what to do

    @property
    def _is_facet_without_a_name(self) -> bool:
        """Whether the id is a string of the parent's: nobody has mistaken its address."""
        return isinstance(self._raw_ctx.id, str)

    async def _until_started(self) -> None:
        if self._startup.to_be_waited_for:
            pending = self._startup.run(_nothing)
            if pending is not None:
                await pending

    async def _until_open_to_calls(self) -> None:
        """What a public method waits for: `on_start`, unless the object has no name yet."""
        await self._find_name()
        if self._name is None and not self._is_facet_without_a_name:
            self._is_nameless = True
        else:
            await self._until_started()

    def _read_headers(self, headers: Any) -> None:
        props = headers.get(PROPS_HEADER)
        if isinstance(props, str):
            self._props = decode_props(props)
        if self._name is None:
            room = headers.get(ROOM_HEADER)
            if isinstance(room, str) and room:
                self._become(room)

    # --- failures ---------------------------------------------------------------------

    def _failed(self, request: Request, error: BaseException) -> Response:
        """The answer to a request that has failed."""
        if not isinstance(error, RequestRefusedError):
            self._report("a request", error)
            if is_upgrade(request.js_object.headers):
                return refuse(request, error, debug=self.options["debug"])
        status, text = failures.answer(error, debug=self.options["debug"])
        return Response(text, status=status)

    def _report(self, where: str, error: BaseException) -> None:
        """Tell `on_exception`, once for each exception."""
        if (isinstance(error, SQLError) and error.reported) or _inside_on_exception.get():
            return
        failures.mark(error, f"in {where} of {self._label()}")
        if type(self).on_exception is not Hooks.on_exception:
            runtime.log_error(f"{self._label()}: {failures.summary(error)}")
        token = _inside_on_exception.set(True)
        own = calls_are_own.set(True)
        try:
            result: Any = self.on_exception(error)  # type: ignore[arg-type]
            if isawaitable(result):
                tasks.run(_finish(result, _log_failed, "on_exception"))
        except tasks.HOOK_FAILURES as another:
            _log_failed("on_exception", another)
        finally:
            calls_are_own.reset(own)
            _inside_on_exception.reset(token)

    def _wait_until(self, awaitable: Any) -> None:
        """In the place of `self.ctx.waitUntil`, which takes JavaScript's promises only."""
        if isinstance(awaitable, runtime.JsProxy):
            self._raw_ctx.waitUntil(awaitable)
        elif isawaitable(awaitable):
            context = copy_context()
            context.run(current_io_context.set, self._io_context)
            context.run(_inside_on_exception.set, False)
            where = "what ctx.waitUntil was given"
            task = tasks.run(_finish(awaitable, self._report, where), context)
            runtime.wait_until(self._raw_ctx, task)
        else:
            raise TypeError(
                "ctx.waitUntil takes a coroutine, a task, a future or a JavaScript promise, "
                f"not {type(awaitable).__name__}"
            )

    def _promise(self, coroutine: Coroutine[Any, Any, None]) -> Any:
        task = tasks.run(coroutine, self._context.copy())
        return None if task.done() else runtime.promise_of(task)


def _wait_until(room: ref[Server], awaitable: Any) -> None:
    server = room()
    if server is not None:
        server._wait_until(awaitable)


def _label_of(room: ref[Server]) -> str:
    server = room()
    return "a room that has left memory" if server is None else server._label()


def _nothing() -> None:
    return None


async def _finish(hook: Any, report: Callable[[str, BaseException], None], where: str) -> None:
    """See a hook to its end, which may be to give something else to await, and report its failure.

    Nothing may get out of it: asyncio hands a `SystemExit` on to the process.
    """
    try:
        hook = await hook
        while hook is not None and isawaitable(hook):
            hook = await hook
    except tasks.HOOK_FAILURES as error:
        report(where, error)


def _log_failed(where: str, error: BaseException) -> None:
    runtime.log_error(f"{where} raised\n{failures.traceback_text(error)}")
