"""`entrypoint` and `respond`: an ASGI app as a worker, and in a room."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Unpack

from workers import Request, Response, WorkerEntrypoint

from .. import tasks
from ..incoming import NAMESPACE_HEADER, without_claims
from ..reserved import LifeHolder, life_of
from ..rules import failures
from ..rules.asgi import REQUEST
from ..rules.options import RoutingOptions, check_routing_options
from ..rules.urls import DEFAULT_PREFIX, path_of
from ..runtime import platform
from ..runtime.io_context import enter_request
from ..runtime.requests import is_upgrade
from ..usercode import FAILURES
from . import javascript
from .exchange import ROOM_RESPONSE, Exchange, HttpExchange
from .lifespan import lifespan_of
from .middleware import has_middleware
from .rooms import OnError, ask, route
from .scope import ENV, ROUTED_PREFIX, SERVER, connection_scope, room_root
from .sockets import SocketExchange


def entrypoint(
    app: Any,
    *,
    prefix: str | None = DEFAULT_PREFIX,
    on_error: OnError | None = None,
    **options: Unpack[RoutingOptions],
) -> type[WorkerEntrypoint]:
    """A worker's entrypoint: rooms under `/{prefix}/:party/:room`, the app under all else.

        app = FastAPI()
        Default = entrypoint(app, on_before_connect=check)

    The app finds the bindings in `scope["env"]` and the `workers.Request` in
    `scope["partyserver.request"]`. Its lifespan's startup runs once per isolate, before its
    first request; there is no shutdown, because an isolate goes without a word.

    An exception of the app's is logged and answered with 500 and an error id, unless the app
    has answered already. A `ClientError` is told to the client, and not logged: HTTP gets its
    status and JSON, a WebSocket the frame and the close code 1008.

    Args:
        app: an ASGI 3 app. Import it at the top of the main module, where it is part of the
            start-up snapshot. One that is hardly ever asked may be given as "module:name", and
            is then imported by the first request that is not for a room.
        prefix: one or more path segments, or None for an app that has a
            `PartyServerMiddleware` where this function cannot see it. By default "parties".
        on_error: called with what a hook of the routing, the way to a room, or the app has
            raised, plain or async. A `Response` is the answer, if none has been begun.

    Raises:
        TypeError: an option that `route_partykit_request` does not have.
    """
    check_routing_options("entrypoint", options)
    site = _Site(app, prefix, on_error, options)

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            return await site.fetch(request, self.env)

    return Default


async def respond(
    app: Any,
    request: Request,
    env: Any,
    *,
    server: Any = None,
    root_path: str | None = None,
    on_error: OnError | None = None,
) -> Response:
    """Answer a request with an ASGI app: in a room's `on_request`.

        class Chat(Server):
            async def on_request(self, request):
                return await respond(app, request, self.env, server=self)

    The app finds the room in `scope["partyserver.server"]`, and with it the room's connections,
    storage and methods:

        @app.get("/people")
        async def people(request: fastapi.Request):
            room = request.scope["partyserver.server"]
            return [connection.id for connection in room.get_connections()]

    Args:
        app: an ASGI 3 app, of the module or of the room.
        request: what `on_request` was given.
        env: the bindings, for `scope["env"]`.
        server: the room, for `scope["partyserver.server"]`.
        root_path: the part of the URL's path that the app's routes do not name. By default it
            ends with the room's name if there is a `server`, and else there is none.
        on_error: as for `entrypoint`.
    """
    if root_path is None:
        root_path = "" if server is None else _room_root(request, server)
    extra = {} if server is None else {SERVER: server}
    return await _answer(app, request, env, root_path, on_error, extra)


class _Site:
    """A worker's app and how it routes to rooms."""

    def __init__(
        self, app: Any, prefix: str | None, on_error: OnError | None, options: RoutingOptions
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._on_error = on_error
        self._options = options
        self._routes: bool | None = None

    async def fetch(self, request: Request, env: Any) -> Response:
        prefix = self._own_prefix()
        extra: dict[str, Any] = {}
        if prefix is not None:
            response = await route(request, env, prefix, self._on_error, self._options)
            if response is not None:
                return response
            extra = {ROUTED_PREFIX: prefix}
        if isinstance(self._app, str):
            self._app = _imported(self._app)
        request = without_claims(request)
        return await _answer(self._app, request, env, "", self._on_error, extra)

    def _own_prefix(self) -> str | None:
        if self._routes is None:
            # Not before the first request: the app's module may go on adding middleware.
            self._routes = self._prefix is not None and not has_middleware(self._app)
        return self._prefix if self._routes else None


async def _answer(
    app: Any,
    request: Request,
    env: Any,
    root_path: str,
    on_error: OnError | None,
    extra: dict[str, Any],
) -> Response:
    enter_request()
    upgrading = is_upgrade(request.js_object.headers)

    async def report(error: BaseException) -> Response | None:
        return await _report(error, request, on_error)

    try:
        lifespan = lifespan_of(app)
        await lifespan.start()
    except FAILURES as error:
        return await report(error) or _internal_error(failures.answer(error, debug=False))
    scope = _scope(request, upgrading, root_path) | extra
    scope |= {ENV: env, REQUEST: request, "state": lifespan.state.copy()}
    exchange: Exchange = (SocketExchange if upgrading else HttpExchange)(request, report)
    task = tasks.run(exchange.run(app, scope))
    if not exchange.decided.done():
        await exchange.decided
    if exchange.has_failed:
        await task
        if exchange.is_replaceable and exchange.replacement is not None:
            return exchange.replacement
    exchange.keep_alive(task)
    answer = exchange.answer()
    if answer is None and exchange.failure is not None:
        return _internal_error(exchange.failure)
    return Response(answer)


def _scope(request: Request, upgrading: bool, root_path: str) -> dict[str, Any]:
    raw = request.js_object
    cf = request.cf
    scope = connection_scope(
        "websocket" if upgrading else "http",
        method=raw.method,
        url=raw.url,
        headers=javascript.header_pairs(raw.headers),
        protocol=getattr(cf, "httpProtocol", None),
        root_path=root_path,
    )
    scope["extensions"] = {"websocket.http.response": {}, ROOM_RESPONSE: {}} if upgrading else {}
    return scope


def _room_root(request: Request, server: Any) -> str:
    party = request.js_object.headers.get(NAMESPACE_HEADER)
    name = life_of(server).name.get() if isinstance(server, LifeHolder) else server.name
    return room_root(path_of(request.url), party if isinstance(party, str) else None, name)


async def _report(
    error: BaseException, request: Request, on_error: OnError | None
) -> Response | None:
    failures.mark(error, f"in the app: {request.js_object.method} {path_of(request.url)}")
    if on_error is None:
        platform.log_failure(error)
        return None
    platform.log_error(failures.summary(error))
    return await ask(on_error, error)


def _internal_error(failure: tuple[int, str]) -> Response:
    status, text = failure
    return Response(text, status=status)


def _imported(where: str) -> Any:
    module, separator, name = where.partition(":")
    if not separator:
        raise ValueError(f"an app to be imported is given as 'module:name', not {where!r}")
    return getattr(import_module(module), name)
