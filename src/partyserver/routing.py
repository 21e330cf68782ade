"""From a request, or a name, to a room."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Unpack

from workers import Response

from .errors import ClientError, RequestRefusedError
from .incoming import NAMESPACE_HEADER, PREFIX_HEADER
from .refusals import refuse_client
from .rules import failures
from .rules.cors import cors_headers
from .rules.identity import KEY as IDENTITY
from .rules.identity import encode_identity
from .rules.lobby import Lobby
from .rules.names import kebab_case
from .rules.options import RoutingHook, RoutingOptions, check_routing_options
from .rules.origins import origin_allowed
from .rules.props import HEADER as PROPS_HEADER
from .rules.props import checked_json, encode_props
from .rules.retry import RetryEvent, RoutingRetry, is_infrastructure, with_retries
from .rules.urls import DEFAULT_PREFIX, match_party_url, prefix_length
from .runtime import JsProxy, platform, requests, rereadable, values
from .runtime.io_context import enter_request
from .runtime.requests import header, is_upgrade, raw_object
from .shortcuts.activation import activate
from .usercode import FAILURES, as_exception, call

#: What headers begin with that are no client's: this router's, and the Agents SDK's.
INTERNAL_HEADERS = ("x-partykit-", "x-agents-lifecycle-")
JURISDICTION_HEADER = "x-partykit-jurisdiction"

DEFAULT_RETRY = RoutingRetry()

#: Bytes of a body that is kept for another try. An isolate, which many requests share, has 128 MB.
MAX_RETRIED_BODY = 128 * 1024


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

    Args:
        namespace: a Durable Object binding.
        name: the room's name, as its URL carries it: percent-encoded.
        location_hint: a region such as "weur", for where the room is first created:
            https://developers.cloudflare.com/durable-objects/reference/data-location/
        jurisdiction: "eu", "us" or another of the platform's, on the same page; a room of the
            same name in another jurisdiction is another room.
        props: a JSON value for `on_start(props)`.
        routing_retry: by default `RoutingRetry()`; None tries once.

    Raises:
        ValueError: the name is empty, or JSON cannot hold the props.
        TypeError: JSON cannot hold the props.
        Exception: what the room's `on_start` raised, and the platform's errors after the retries.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"a room's name is a str that is not empty, not {name!r}")
    arguments: tuple[Any, ...] = (name,)
    if props is not None:
        checked_json(props)
        arguments = (name, props)
    namespace = _in_jurisdiction(namespace, jurisdiction)

    async def start() -> Any:
        # A new one for each try: a stub does not work after an error.
        stub = _stub(namespace, name, location_hint)
        caller = stub
        if props is None and not isinstance(stub, JsProxy):
            # A name needs no conversion, and there is no result: the call can go past the SDK.
            caller = getattr(stub, "_binding", stub)
        await caller.setName(*arguments)
        return stub

    return await _retrying(start, routing_retry, name, None)


async def route_partykit_request(
    request: Any,
    env: Any = None,
    *,
    prefix: str = DEFAULT_PREFIX,
    **options: Unpack[RoutingOptions],
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

    Headers that begin with `x-partykit-` are removed from the request.

    Args:
        request: the worker's request.
        env: by default the worker's own bindings.
        prefix: one or more path segments, such as "api/rooms". By default "parties".

    Raises:
        TypeError: an option that is none of these.
    """
    check_routing_options("route_partykit_request", options)
    activate()
    js_request = raw_object(request)
    url = match_party_url(js_request.url, prefix)
    if url is None:
        return None
    found = find_binding(url.party, env)
    if found is None:
        return Response("Invalid request: unknown party", status=400)
    binding, namespace = found
    lobby = Lobby(url.party.lower(), binding, url.room, js_request.url, prefix_length(prefix))
    return await route_to_room(js_request, lobby, namespace, **options)


async def route_to_room(
    js_request: JsProxy, lobby: Lobby, namespace: Any, **options: Unpack[RoutingOptions]
) -> Response:
    """`route_partykit_request` from where the room and its raw namespace are known."""
    activate()
    enter_request()
    headers = js_request.headers
    upgrading = is_upgrade(headers)
    answer_headers = None if upgrading else cors_headers(options.get("cors", False))
    if answer_headers is not None and js_request.method == "OPTIONS":
        return Response(None, headers=dict(answer_headers))
    allowed_origins = options.get("allowed_origins")
    if upgrading and allowed_origins is not None:
        origin = header(headers, "origin")
        if not origin_allowed(origin, js_request.url, allowed_origins):
            return Response(f"origin {origin} is not allowed", status=403)

    jurisdiction = options.get("jurisdiction")
    outgoing = _outgoing(js_request, lobby, jurisdiction)
    answer = identity = None
    hook = options.get("on_before_connect") if upgrading else options.get("on_before_request")
    if hook is not None:
        outgoing, answer, identity = await _ask(hook, outgoing, lobby, jurisdiction)
    if answer is None:
        props = options.get("props")
        if props is not None:
            outgoing.headers.set(PROPS_HEADER, encode_props(props))

        def stub() -> Any:
            chosen = _in_jurisdiction(namespace, jurisdiction)
            return _stub(chosen, lobby.name, options.get("location_hint"))

        retry = options.get("routing_retry", DEFAULT_RETRY)
        answer = await _forward(outgoing, stub, lobby, retry, identity)
    return _with_headers(answer, answer_headers)


# --- bindings -------------------------------------------------------------------------

_Bindings = dict[str, tuple[str, Any]]
#: The last env seen, and its bindings; a worker has one, and finding them takes a while.
_known: tuple[Any, _Bindings] | None = None


def server_bindings(env: Any) -> _Bindings:
    """The Durable Object bindings by their names in URLs: (binding, raw namespace)."""
    global _known
    raw = platform.worker_env() if env is None else getattr(env, "_env", env)
    if _known is None or _known[0].js_id != raw.js_id:
        bindings: _Bindings = {}
        for binding, value in values.entries(raw):
            if not hasattr(value, "idFromName"):
                continue
            party = kebab_case(binding)
            if party in bindings:
                platform.log_warning(
                    f"the Durable Object bindings {bindings[party][0]} and {binding} are both "
                    f"{party!r} in URLs, where that is {binding}: give one of them another name"
                )
            bindings[party] = (binding, value)
        _known = (raw, bindings)
    return _known[1]


def find_binding(party: str, env: Any) -> tuple[str, Any] | None:
    """The binding that a URL names, and its raw namespace; None for none, which the log tells."""
    bindings = server_bindings(env)
    party = party.lower()
    if party in bindings:
        return bindings[party]
    if party == "main" and bindings:
        platform.log_warning(
            'a client asks for the party "main", PartyKit\'s default, which PartyServer does not '
            "have. Give the client a party, as in "
            f'new PartySocket({{ party: "{next(iter(bindings))}", ... }})'
        )
    else:
        known = ", ".join(bindings) or "none"
        platform.log_warning(  # as each client can bring it about
            f"no Durable Object binding is called {party!r} in kebab-case; there are: {known}. "
            "Correct the client's URL, or add the class to durable_objects.bindings in the "
            "wrangler config"
        )
    return None


def _in_jurisdiction(namespace: Any, jurisdiction: str | None) -> Any:
    return namespace if jurisdiction is None else namespace.jurisdiction(jurisdiction)


def _stub(namespace: Any, name: str, location_hint: str | None) -> Any:
    if location_hint is None:
        return namespace.getByName(name)
    return namespace.getByName(name, values.javascript_value({"locationHint": location_hint}))


# --- requests and responses -----------------------------------------------------------


def _outgoing(js_request: Any, lobby: Lobby, jurisdiction: str | None) -> Any:
    """A copy of a client's request, whose internal headers, and whose identity, are ours alone."""
    outgoing: Any = requests.copy_without_cf(js_request, IDENTITY)
    headers = outgoing.headers
    names = requests.header_names(headers)
    if any(start in names for start in INTERNAL_HEADERS):
        for name in names.split(","):
            if name.startswith(INTERNAL_HEADERS):
                headers.delete(name)
    headers.set(NAMESPACE_HEADER, lobby.party)
    if lobby.prefix_length != 1:
        headers.set(PREFIX_HEADER, str(lobby.prefix_length))
    if jurisdiction is not None:
        headers.set(JURISDICTION_HEADER, jurisdiction)
    return outgoing


async def _ask(
    hook: RoutingHook, outgoing: Any, lobby: Lobby, jurisdiction: str | None
) -> tuple[Any, Any, str | None]:
    """Call a hook: the request that goes on, the answer if the hook has given one, and who it is.

    The identity is JSON.
    """
    try:
        return await _decide(hook, outgoing, lobby, jurisdiction)
    except FAILURES as error:
        failure = as_exception(error, "the hook")
        return outgoing, failed(failure, f"the hook before {lobby.party}/{lobby.name}"), None


async def _decide(
    hook: RoutingHook, outgoing: Any, lobby: Lobby, jurisdiction: str | None
) -> tuple[Any, Any, str | None]:
    try:
        request = rereadable.Request(outgoing)
        decision: Any = await call(hook, request, lobby)
        if requests.is_response(decision):
            return outgoing, requests.response_of(decision, "the hook"), None
        identity = None
        if isinstance(decision, Mapping):
            identity, decision = encode_identity(decision), None
        elif _is_with_identity(decision):
            identity = None if decision[1] is None else encode_identity(decision[1])
            decision = decision[0]
        if decision is None:
            return _unread(request.js_object), None, identity
        if hasattr(raw_object(decision), "headers"):
            # It may have been made from the client's request, with what that forged.
            replacement = _unread(raw_object(decision))
            return _outgoing(replacement, lobby, jurisdiction), None, identity
        raise TypeError(
            f"{getattr(hook, '__name__', 'the hook')} must return a Request, a Response, None, a "
            "mapping that says who this is, or a Request with such a mapping, "
            f"not {type(decision).__name__}"
        )
    except ClientError as error:
        upgrading = is_upgrade(outgoing.headers)
        return outgoing, refuse_client(outgoing, error, upgrading=upgrading), None


def _is_with_identity(decision: Any) -> bool:
    return (
        isinstance(decision, tuple)
        and len(decision) == 2
        and (decision[1] is None or isinstance(decision[1], Mapping))
    )


def _unread(request: Any) -> Any:
    if requests.is_read(request):
        raise RuntimeError(
            "the hook has read the body of the JavaScript request, and nothing is left for the "
            "room: read it with request.text(), json(), bytes(), form_data() or body, which leave "
            "it there, or return a Request with a body of its own"
        )
    return request


async def _forward(
    outgoing: Any,
    stub: Callable[[], Any],
    lobby: Lobby,
    retry: RoutingRetry | None,
    identity: str | None,
) -> Response:
    """Send a request to its room, with retries; 503 when the platform cannot reach it."""
    # A body can be read only once. So each try sends a copy of a small one, and others, which
    # would be kept in memory for that, are sent once and stream through.
    copies = False

    async def send() -> Any:
        return await stub().fetch(outgoing.clone() if copies else outgoing)

    try:
        if retry is not None and retry.max_attempts > 1 and requests.has_body(outgoing):
            copies = await _is_small(outgoing)
            retry = retry if copies else None
        if identity is not None:
            outgoing = requests.with_cf(outgoing, IDENTITY, identity)
        response = await _retrying(send, retry, lobby.name, lobby.class_name)
    except Exception as error:
        if not is_infrastructure(error):
            return failed(error, f"the way to {lobby.party}/{lobby.name}")
        platform.log_error(f"{lobby.party}/{lobby.name} cannot be reached: {error}")
        return Response("Service unavailable", status=503, headers={"Retry-After": "1"})
    finally:
        if copies:
            requests.discard_body(outgoing)
    return requests.PassedOn(response)


async def _is_small(request: Any) -> bool:
    length = header(request.headers, "content-length")
    if length is None:
        # Not a client's: a copy of a chunked body that breaks off looks whole.
        made_here = not isinstance(request.cf, JsProxy)
        return made_here and await requests.is_short(request, MAX_RETRIED_BODY)
    return length.isdigit() and int(length) <= MAX_RETRIED_BODY


def _with_headers(response: Response, headers: Mapping[str, str] | None) -> Response:
    if not headers:
        return response
    copy = requests.copy_response(response.js_object)
    for name, value in headers.items():
        copy.headers.set(name, value)
    error = failure_of(response)
    return requests.PassedOn(copy) if error is None else _Failure(error, copy)


def failed(error: BaseException, where: str) -> Response:
    if not isinstance(error, RequestRefusedError):
        failures.mark(error, f"in {where}")
        platform.log_failure(error)
    status, text = failures.answer(error, debug=False)
    return _Failure(error, text, status=status)


class _Failure(Response):
    """The answer to a request that did not get to its room, and why."""

    def __init__(self, error: BaseException, body: Any, **options: Any) -> None:
        super().__init__(body, **options)
        self.error = error


def failure_of(response: Response) -> BaseException | None:
    """What was raised on the way to a room, if this is the answer to that."""
    return response.error if isinstance(response, _Failure) else None


async def _retrying(
    operation: Callable[[], Awaitable[Any]],
    retry: RoutingRetry | None,
    name: str,
    class_name: str | None,
) -> Any:
    async def tell(event: RetryEvent) -> None:
        try:
            if retry is not None and retry.on_retry is not None:
                await call(retry.on_retry, event)
        except FAILURES as failure:
            platform.log_error("on_retry raised", failure)

    return await with_retries(
        operation,
        retry,
        name=name,
        class_name=class_name,
        sleep=asyncio.sleep,
        random_fraction=platform.random_fraction,
        tell=tell,
    )
