"""From a request, or a name, to a room."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from workers import Request, Response

from . import failures, runtime
from .cors import cors_headers
from .errors import RequestRefusedError
from .names import kebab_case
from .origins import origin_allowed
from .props import HEADER as PROPS_HEADER
from .props import encode_props
from .retry import RetryEvent, RoutingRetry
from .urls import DEFAULT_PREFIX, match_party_url

INTERNAL_HEADERS = "x-partykit-"
NAMESPACE_HEADER = "x-partykit-namespace"
JURISDICTION_HEADER = "x-partykit-jurisdiction"

DEFAULT_RETRY = RoutingRetry()

Hook = Callable[[Request, "Lobby"], Any]


@dataclass(frozen=True, slots=True)
class Lobby:
    """Where a request is about to go, for `on_before_connect` and `on_before_request`.

    party: as in the URL, in kebab-case. class_name: the binding's name. name: the room's.
    """

    party: str
    class_name: str
    name: str


async def get_server_by_name(
    namespace: Any,
    name: str,
    *,
    location_hint: str | None = None,
    jurisdiction: str | None = None,
    props: Any = None,
    routing_retry: RoutingRetry | None = DEFAULT_RETRY,
) -> Any:
    """A stub of the room called `name`, whose `on_start` has run.

        room = await get_server_by_name(self.env.Chat, "lobby")
        await room.announce("hello")          # a public method of the class, over RPC
        response = await room.fetch("https://room/history")

    location_hint: a region such as "weur", for where the room is first created:
    https://developers.cloudflare.com/durable-objects/reference/data-location/
    jurisdiction: "eu" or "fedramp". props: a JSON value for `on_start(props)`.
    Raises what the room's `on_start` raised, and the platform's errors after the retries.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"a room's name is a str that is not empty, not {name!r}")
    namespace = _in_jurisdiction(namespace, jurisdiction)
    room_id = namespace.idFromName(name)
    arguments = (name,) if props is None else (name, props)

    async def start() -> None:
        await _stub(namespace, room_id, location_hint).setName(*arguments)

    await _with_retries(start, routing_retry, name=name, class_name=None)
    return _stub(namespace, room_id, location_hint)


async def route_partykit_request(
    request: Any,
    env: Any = None,
    *,
    prefix: str = DEFAULT_PREFIX,
    location_hint: str | None = None,
    jurisdiction: str | None = None,
    props: Any = None,
    cors: bool | Mapping[str, str] = False,
    routing_retry: RoutingRetry | None = DEFAULT_RETRY,
    on_before_connect: Hook | None = None,
    on_before_request: Hook | None = None,
    allowed_origins: Iterable[str] | None = None,
) -> Response | None:
    """Send a request for `/{prefix}/:party/:room` to its room; None for any other URL.

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return await route_partykit_request(request, self.env) or Response(
                    "Not Found", status=404
                )

    `:party` is the kebab-case of a Durable Object binding, in any case: `MyServer` is
    `my-server`. `:room` is the room's name exactly as the URL carries it. A party that no
    binding has gets 400.

    prefix: one or more path segments. env: by default the worker's own bindings.
    props: a JSON value for `on_start(props)`.
    location_hint, jurisdiction: as for `get_server_by_name`.
    cors: True, or a mapping of headers, for HTTP requests; preflights are answered.
    routing_retry: see `RoutingRetry`; None tries once. When the platform still fails, the
        answer is 503 with `Retry-After`.
    on_before_connect, on_before_request: called with the request and a `Lobby` before a
        WebSocket or an HTTP request goes on. A `Request` replaces it, a `Response` answers
        it, None lets it go on.
    allowed_origins: "https://example.com", ...: WebSocket requests from other sites' pages
        get 403.
    """
    js_request = _raw_request(request)
    url = match_party_url(js_request.url, prefix)
    if url is None:
        return None
    party = url.party.lower()
    bindings = _server_bindings(env)
    if party not in bindings:
        return Response(_unknown_party(party, bindings), status=400)
    binding, namespace = bindings[party]
    upgrading = is_upgrade(js_request)
    extra_headers = None if upgrading else cors_headers(cors)
    if extra_headers is not None and js_request.method == "OPTIONS":
        return Response(None, headers=dict(extra_headers))
    if upgrading and allowed_origins is not None:
        origin = js_request.headers.get("origin")
        origin = origin if isinstance(origin, str) else None
        if not origin_allowed(origin, js_request.url, allowed_origins):
            return Response(f"origin {origin} is not allowed", status=403)

    js_request = _outgoing(js_request, party, jurisdiction)
    hook = on_before_connect if upgrading else on_before_request
    if hook is not None:
        try:
            decision = await _ask(hook, Request(js_request), Lobby(party, binding, url.room))
        except Exception as error:
            return _with_headers(
                _failed(error, f"the hook before {party}/{url.room}"), extra_headers
            )
        if _is_response(decision):
            return _with_headers(decision, extra_headers)
        if decision is not None:
            # Copied: the headers of a request that came in are immutable.
            js_request = runtime.copy_request(_raw_request(decision))
    if props is not None:
        js_request.headers.set(PROPS_HEADER, encode_props(props))

    namespace = _in_jurisdiction(namespace, jurisdiction)
    room_id = namespace.idFromName(url.room)

    async def send() -> Any:
        # A body can be read once, so each try but a body-less one sends a copy.
        outgoing = js_request.clone() if routing_retry and js_request.body else js_request
        return await _stub(namespace, room_id, location_hint).fetch(outgoing)

    try:
        response = await _with_retries(send, routing_retry, name=url.room, class_name=binding)
    except runtime.JsException as error:
        if not _is_infrastructure(error):
            raise
        runtime.log_error(f"{party}/{url.room} cannot be reached: {error}")
        return _with_headers(
            Response("Service unavailable", status=503, headers={"Retry-After": "1"}), extra_headers
        )
    return _with_headers(Response(response), extra_headers)


def is_upgrade(js_request: Any) -> bool:
    """Whether a JavaScript request asks for a WebSocket."""
    header = js_request.headers.get("upgrade")
    return isinstance(header, str) and header.lower() == "websocket"


# --- bindings -------------------------------------------------------------------------

_Bindings = dict[str, tuple[str, Any]]
#: The bindings of the last env seen; a worker has one, and finding them takes a while.
_known: tuple[int, _Bindings] | None = None


def _server_bindings(env: Any) -> _Bindings:
    """The Durable Object bindings by their names in URLs: (binding, raw namespace)."""
    global _known
    raw = runtime.worker_env() if env is None else getattr(env, "_env", env)
    if _known is None or _known[0] != raw.js_id:
        _known = (
            raw.js_id,
            {
                kebab_case(binding): (binding, value)
                for binding, value in runtime.entries(raw)
                if hasattr(value, "idFromName")
            },
        )
    return _known[1]


def _unknown_party(party: str, bindings: _Bindings) -> str:
    if party == "main" and bindings:
        runtime.log_error(
            'a client asks for the party "main", PartyKit\'s default, which PartyServer does not '
            "have. Give the client a party, as in "
            f'new PartySocket({{ party: "{next(iter(bindings))}", ... }})'
        )
    else:
        known = ", ".join(bindings) or "none"
        runtime.log_error(
            f"no Durable Object binding is called {party!r} in kebab-case; there are: {known}. "
            "Add the class to durable_objects.bindings in the wrangler config"
        )
    return "Invalid request: unknown party"


def _in_jurisdiction(namespace: Any, jurisdiction: str | None) -> Any:
    return namespace if jurisdiction is None else namespace.jurisdiction(jurisdiction)


def _stub(namespace: Any, room_id: Any, location_hint: str | None) -> Any:
    if location_hint is None:
        return namespace.get(room_id)
    return namespace.get(room_id, runtime.javascript_value({"locationHint": location_hint}))


# --- requests and responses -----------------------------------------------------------


def _raw_request(request: Any) -> Any:
    return getattr(request, "js_object", request)


def _outgoing(js_request: Any, party: str, jurisdiction: str | None) -> Any:
    """A copy of a client's request, whose internal headers are ours alone."""
    outgoing = runtime.copy_request(js_request)
    names = runtime.header_names(outgoing)
    if INTERNAL_HEADERS in names:
        for name in names.split(","):
            if name.startswith(INTERNAL_HEADERS):
                outgoing.headers.delete(name)
    outgoing.headers.set(NAMESPACE_HEADER, party)
    if jurisdiction is not None:
        outgoing.headers.set(JURISDICTION_HEADER, jurisdiction)
    return outgoing


async def _ask(hook: Hook, request: Request, lobby: Lobby) -> Any:
    decision = hook(request, lobby)
    if isawaitable(decision):
        decision = await decision
    if decision is None or _is_response(decision) or hasattr(_raw_request(decision), "headers"):
        return decision
    raise TypeError(
        f"{getattr(hook, '__name__', 'the hook')} must return a Request, a Response or None, "
        f"not {type(decision).__name__}"
    )


def _is_response(value: Any) -> bool:
    return hasattr(value, "js_response") or runtime.is_js_response(value)


def _with_headers(response: Any, headers: Mapping[str, str] | None) -> Response:
    if runtime.is_js_response(response):
        response = Response(response)
    if not headers:
        return response  # type: ignore[no-any-return]
    copy = runtime.copy_response(response.js_object)
    for name, value in headers.items():
        copy.headers.set(name, value)
    return Response(copy)


def _failed(error: Exception, where: str) -> Response:
    if not isinstance(error, RequestRefusedError):
        failures.mark(error, f"in {where}")
        runtime.log_error(failures.traceback_text(error))
    status, text = failures.answer(error, debug=False)
    return Response(text, status=status)


# --- retries --------------------------------------------------------------------------


def _is_infrastructure(error: Any) -> bool:
    """Whether the platform failed, and not the room's code."""
    return getattr(error, "retryable", False) is True or getattr(error, "overloaded", False) is True


def _is_retryable(error: Any) -> bool:
    retryable = getattr(error, "retryable", False) is True
    return retryable and getattr(error, "overloaded", False) is not True


async def _with_retries(
    operation: Callable[[], Awaitable[Any]],
    retry: RoutingRetry | None,
    *,
    name: str,
    class_name: str | None,
) -> Any:
    attempt = 1
    while True:
        try:
            return await operation()
        except Exception as error:
            if retry is None or attempt >= retry.max_attempts or not _is_retryable(error):
                raise
            delay_ms = retry.delay_ms(attempt, runtime.random_fraction())
            await _tell(
                retry, RetryEvent(error, attempt, retry.max_attempts, delay_ms, name, class_name)
            )
        await asyncio.sleep(delay_ms / 1000)
        attempt += 1


async def _tell(retry: RoutingRetry, event: RetryEvent) -> None:
    if retry.on_retry is None:
        return
    try:
        result = retry.on_retry(event)
        if isawaitable(result):
            await result
    except Exception as error:
        runtime.log_error(f"on_retry raised\n{failures.traceback_text(error)}")
