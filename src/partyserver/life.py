"""One life of a room in memory: the runtime's events in, the user's hooks out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Never
from weakref import WeakSet, ref

from workers import Request, Response

from . import attribution, tasks
from .connection import RoomConnection
from .connections import Connections
from .errors import (
    ClientError,
    PartyServerError,
    RequestRefusedError,
    TransportError,
)
from .kv import KeyValues
from .migrations import migrate
from .naming import RoomName
from .naming import are_kept as names_are_kept
from .parts import NOT_MINE
from .receiving import Receiving
from .refusals import refuse_client
from .reporting import begin_anew, report
from .rules import failures
from .rules.closing import ABNORMAL, is_teardown_noise
from .rules.options import ServerOptions, merge_options
from .rules.props import HEADER as PROPS_HEADER
from .rules.props import checked_json, decode_props
from .runtime import JsProxy, events, platform, requests, sockets, values
from .runtime.io_context import IoContext
from .runtime.io_context import current as current_io_context
from .shortcuts.current import current
from .shortcuts.entry import entry
from .sql import exec_of
from .startup import Startup
from .upgrade import refuse, upgrade
from .usercode import FAILURES, as_exception, call, finish, is_pending, settled

if TYPE_CHECKING:
    from .definition import Definition
    from .server import Server
    from .sql import Transaction


#: The classes whose authors have been told what the class statement could not refuse.
_warned: WeakSet[type] = WeakSet()


class Life:
    """What the library knows of an object from its construction to its eviction.

    The runtime's events come in by `fetch`, `alarm`, `message_arrived`, `socket_closed` and
    `socket_failed`; `entry` makes them known to JavaScript. They end in hooks of `server`, which
    are the only names of the user's object that are called from here.
    """

    __slots__ = (
        "__weakref__",
        "_exec_sql",
        "_given_options",
        "_kv",
        "_listeners",
        "_props",
        "_receiving",
        "connections",
        "context",
        "ctx",
        "io_context",
        "kept_by_parts",
        "name",
        "options",
        "owner",
        "parts",
        "props_parameter",
        "server",
        "startup",
        "transaction",
    )

    def __init__(self, server: Server, ctx: JsProxy, definition: Definition) -> None:
        self.server = server
        #: Whose methods parts call by name: in PartyKit's style, the party behind the server.
        self.owner: Any = server
        self.options: ServerOptions
        #: The platform's own, past the SDK.
        self.ctx: Any = ctx
        self._exec_sql: Any = None
        self._given_options: Any = None
        self.parts = definition.parts
        self.props_parameter = definition.props_parameter
        self.io_context = IoContext(partial(_label_of, ref(self)), owner=ref(self))
        #: What each event's own context is a copy of.
        self.context = copy_context()
        self.context.run(current_io_context.set, self.io_context)
        self.name = RoomName(self.ctx, type(server).__name__)
        self._props: Any = None
        self.startup = Startup(ctx, self._start, self._started)
        self._receiving = Receiving(server, self.startup, self.parts.message, self.report)
        self._listeners: sockets.Listeners | None = None
        self._kv: KeyValues | None = None
        self.transaction: Transaction | None = None
        self.connections = Connections(self.name.get, _nothing, self.context)
        self._configure(definition.options)
        if definition.warnings and type(server) not in _warned:
            _warned.add(type(server))
            for warning in definition.warnings:
                platform.log_warning(warning)
        #: What each part's `construct` has returned.
        self.kept_by_parts: dict[Any, Any] = {}

    def _configure(self, options: Any) -> None:
        """Take the options of the class, or of an object that has set others in `__init__`."""
        if options is self._given_options:
            return
        self._given_options = options
        parts = self.parts
        self.options = merge_options(
            type(self.server).__name__, [options], parts.options, parts.always
        )
        self.connections.receive = attribution.of_messages(self._receiving.by(self.options))
        self.connections.sleep_in(sockets.Sockets(self.ctx) if self.options["hibernate"] else None)

    def constructed(self) -> None:
        """`__init__` has returned."""
        self._configure(self.server.options)
        self.startup.constructed = True

    def construct_parts(self) -> None:
        for part in self.parts.all:
            if part.construct is not None:  # it may ask for what those of a lower rank keep
                self.kept_by_parts[part] = part.construct(self.server)

    @property
    def exec_sql(self) -> Any:
        """What `sql.exec_of` gives, which takes three look-ups."""
        if self._exec_sql is None:
            self._exec_sql = exec_of(self.ctx)
        return self._exec_sql

    @property
    def kv(self) -> KeyValues:
        if self._kv is None:
            self._kv = KeyValues(self.ctx)
        return self._kv

    @property
    def label(self) -> str:
        """The room as the log calls it."""
        return f"{type(self.server).__name__}:{self.name.value or '<unnamed>'}"

    # --- events in --------------------------------------------------------------------

    def face(self) -> Any:
        """What the runtime gets for the object that it has constructed."""
        life = ref(self)  # JavaScript holds the functions, and lets go of them with the object only

        def message_arrived(socket: JsProxy, content: Any) -> Any:
            alive = life()
            return None if alive is None else alive.message_arrived(socket, content)

        def event_arrived(name: str, _options: Any, *arguments: Any) -> Any:
            alive = life()
            if alive is None:
                return None
            # The class's own: an attribute of the object may be called so, too.
            return getattr(type(alive.server), name)(alive.server, *arguments)

        # `run_sync` needs the way in that can suspend.
        face, dispatch = entry(
            self.server,
            message_arrived,
            event_arrived,
            direct=not self.options["sync_io"],
        )
        if dispatch is not None and self.options["hibernate"]:
            self.connections.dispatch_by(dispatch)
        return face

    async def fetch(self, request: Request) -> Response:
        current_io_context.set(self.io_context)
        try:
            headers: Any = request.js_object.headers
            self._read_headers(headers)
            if self.name.value is None:
                await self.name.find_or_raise()
            if not self.startup.started:
                await self.until_started()
            if requests.is_upgrade(headers):
                return await upgrade(self, request)
            for handler in self.parts.request:
                handler(self.server, request)
            try:
                response: Any = self.server.on_request(request)
                if is_pending(response):
                    response = await settled(response)
            except ClientError as error:
                return self.refuse(request, error)
            return requests.response_of(response, "on_request")
        except FAILURES as error:
            return self._failed(request, error)

    async def alarm(self, info: Any = None) -> None:
        current_io_context.set(self.io_context)
        try:
            for handler in self.parts.alarm:  # before the start, which they wait for themselves
                if await call(handler, self.server, info) is not NOT_MINE:
                    return
            await self.until_started()
            await call(self.server.on_alarm)
        except FAILURES as error:
            self.report("on_alarm", error)
            # Raised so that the platform tries again.
            if isinstance(error, Exception):
                raise
            raise as_exception(error, "on_alarm") from error

    def message_arrived(self, socket: JsProxy, message: Any) -> Any:
        """A message with its socket. Those that `Dispatch` brings begin with `receive`."""
        connection = self.connections.of_socket(socket)
        if connection is None:
            return None
        content = message
        if type(message) is not str:
            content = message.to_bytes()
            current.begin(content, message)
        try:
            # In a context of its own: a ContextVar must not reach other rooms.
            result = self.context.copy().run(self.connections.receive, connection, content)
        finally:
            current.end()
        self.connections.count_message()
        return result

    def socket_closed(self, socket: JsProxy, code: int, reason: str, was_clean: bool) -> Any:
        connection = self.connections.of_socket(socket)
        if connection is None:
            return None
        return self._promise(self._closed(connection, code, reason, was_clean))

    def socket_failed(self, socket: JsProxy, error: Any) -> Any:
        connection = self.connections.of_socket(socket)
        if connection is None:
            return None
        return self._promise(self._broken(connection, error))

    def _promise(self, coroutine: Coroutine[Any, Any, None]) -> Any:
        task = tasks.run(coroutine, self.context.copy())
        return None if task.done() else events.promise_of(task)

    # --- hooks out --------------------------------------------------------------------

    async def _closed(
        self, connection: RoomConnection, code: int, reason: str, was_clean: bool
    ) -> None:
        if not connection.begin_close():
            return
        attribution.current.set(connection)
        try:
            try:
                await self.until_started()
            finally:
                if self.parts.closed:
                    await self.close_parts(connection, code, reason, was_clean)
            await call(self.server.on_close, connection, code, reason, was_clean)
        except FAILURES as error:
            self.report("on_close", error)
        finally:
            connection.closed(code, reason, was_clean)

    async def _broken(self, connection: RoomConnection, error: Any) -> None:
        if connection.close_has_begun:
            return
        attribution.current.set(connection)
        message = str(getattr(error, "message", error))
        retryable = getattr(error, "retryable", False) is True
        if not is_teardown_noise(connection.socket.readyState, message, retryable=retryable):
            failure = TransportError(message, retryable=retryable)
            if isinstance(error, BaseException):
                failure.__cause__ = error
            try:
                await self.until_started()
                await call(self.server.on_error, connection, failure)
            except FAILURES as raised:
                self.report("on_error", raised)
        await self._closed(connection, ABNORMAL, "", False)

    def accept(self, connection: RoomConnection) -> None:
        """Open a connection: from here on it gets messages, and hears broadcasts."""
        socket = connection.socket
        if self.options["hibernate"]:
            self.ctx.acceptWebSocket(socket, values.string_list(connection.tags))
        else:
            sockets.accept_in_memory(socket)
            if self._listeners is None:
                self._listeners = sockets.Listeners(ref(self), may_block=self.options["sync_io"])
            self._listeners.attach(socket)
        connection.opened()

    async def close_parts(
        self, connection: RoomConnection, code: int, reason: str, was_clean: bool
    ) -> None:
        for handler in self.parts.closed:
            try:
                await call(handler, self.server, connection, code, reason, was_clean)
            except FAILURES as error:
                self.report("on_close", error)

    # --- the start --------------------------------------------------------------------

    async def set_name(self, name: str, props: Any, *, strictly: bool) -> None:
        """Take a name and start. `strictly`, props that come too late are refused."""
        if strictly:
            checked_json(props)
        await self.name.take(name)
        if props is not None:
            if strictly and not self.startup.can_have_props:
                raise PartyServerError(
                    f"{self.label} has started, and on_start does not run again for these "
                    "props: give them to what starts it, or to a method of your own"
                )
            self._props = props
        await self.until_started()

    def _read_headers(self, headers: Any) -> None:
        props = headers.get(PROPS_HEADER)
        if isinstance(props, str):
            self._props = decode_props(props)
        self.name.take_from(headers)

    def _start(self) -> Any:
        if self.name.value is None or names_are_kept():
            return self._start_by_storage()
        return self._call_on_start()

    async def _start_by_storage(self) -> None:
        await self.name.find()
        if names_are_kept():
            await self.name.keep()
        await call(self._call_on_start)

    def _call_on_start(self) -> Any:
        migrate(self)
        return self._start_parts() if self.parts.starting else self._on_start()

    async def _start_parts(self) -> None:
        await call(self._on_start)
        for handler in self.parts.starting:
            await call(handler, self.server)

    def _on_start(self) -> Any:
        match self.props_parameter:
            case "positional":
                return self.server.on_start(self._props)
            case "keyword":
                return self.server.on_start(props=self._props)
        return self.server.on_start()

    def _started(self) -> None:
        for handler in self.parts.started:
            try:
                handler(self.server)
            except FAILURES as error:
                self.report("on_start", error)

    async def until_started(self) -> None:
        if self.startup.to_be_waited_for:
            pending = self.startup.run(_nothing)
            if pending is not None:
                await pending

    @property
    def is_open_to_calls(self) -> bool:
        """Whether a public method that is called now may run now."""
        return self.startup.open_to_calls or self.name.is_known_to_be_missing

    async def until_open_to_calls(self) -> None:
        """What a public method waits for: `on_start`, unless the object has no name yet."""
        if await self.name.find_or_miss():
            await self.until_started()

    # --- failures ---------------------------------------------------------------------

    def refuse(self, request: Request, error: ClientError) -> Response:
        """The answer to a request, of which a hook has something to tell the client."""
        upgrading = requests.is_upgrade(request.js_object.headers)
        return refuse_client(request, error, upgrading=upgrading)

    def _failed(self, request: Request, error: BaseException) -> Response:
        """The answer to a request that has failed."""
        if not isinstance(error, RequestRefusedError):
            self.report("a request", error)
            if requests.is_upgrade(request.js_object.headers):
                return refuse(request, error, debug=self.options["debug"])
        status, text = failures.answer(error, debug=self.options["debug"])
        return Response(text, status=status)

    def report(self, where: str, error: BaseException) -> None:
        """Tell `on_exception`, once for each exception."""
        report(self.server, self.label, where, error)

    def wait_until(self, awaitable: Any) -> None:
        """In the place of `ctx.waitUntil`, which takes JavaScript's promises only."""
        if isinstance(awaitable, JsProxy):
            self.ctx.waitUntil(awaitable)
        elif isawaitable(awaitable):
            context = copy_context()
            context.run(current_io_context.set, self.io_context)
            context.run(begin_anew)
            where = "what ctx.waitUntil was given"
            task = tasks.run(_finish_apart(awaitable, self.report, where), context)
            events.wait_until(self.ctx, task)
        else:
            raise TypeError(
                "ctx.waitUntil takes a coroutine, a task, a future or a JavaScript promise, "
                f"not {type(awaitable).__name__}"
            )

    def abort(self, reason: str | None = None) -> Never:
        """In the place of `ctx.abort`."""
        events.abort(self.ctx, *(() if reason is None else (reason,)))


def _label_of(life: ref[Life]) -> str:
    alive = life()
    return "a room that has left memory" if alive is None else alive.label


def _nothing() -> None:
    return None


async def _finish_apart(
    value: Any, report: Callable[[str, BaseException], None], where: str
) -> None:
    """`finish` for what is no part of the event that has begun it: agents tell that by its code."""
    await finish(value, report, where)
