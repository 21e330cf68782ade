"""The options of a `Server` class, and of routing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from .lobby import Lobby
from .rate import RateLimit, check_rate
from .retry import Retry, RoutingRetry

if TYPE_CHECKING:
    from workers import Request

#: The largest WebSocket message the platform delivers, in bytes.
#: https://developers.cloudflare.com/durable-objects/platform/limits/
PLATFORM_MAX_MESSAGE_SIZE = 32 * 1024 * 1024

#: The most WebSockets that an object can have:
#: https://developers.cloudflare.com/durable-objects/platform/limits/
PLATFORM_MAX_CONNECTIONS = 32_768

DuplicateIds = Literal["allow", "replace", "reject"]
ClientState = Literal["replace", "merge", "refuse"]


class ServerOptions(TypedDict, total=False):
    """What `Server.options` may hold; every key has a default.

        options = {"hibernate": True, "max_message_size": 32 * 1024}

    Attributes:
        hibernate: let the room sleep between messages with its sockets open. Default False.
        debug: show errors' details to clients. Default False.
        duplicate_ids: a second connection with an id in use is let in ("allow"), takes the
            first one's place ("replace", close code 4409), or gets 409 ("reject").
            Default "allow".
        max_message_size: bytes; a larger message closes its connection with 1009.
            Default 32 MiB, the platform's own limit:
            https://developers.cloudflare.com/durable-objects/platform/limits/
        sync_io: message hooks may block on `run_sync`, and so on synchronous HTTP; costs
            about 20 µs a message. Default False.
        rate: how many messages a connection may send. See `RateLimit`. Default None: any number.
        client_state: what becomes of a state that a client of an `agents.Agent` sets: it takes the
            old one's place ("replace"), is a JSON merge patch of it ("merge", RFC 7396), or is
            refused ("refuse"). Default "replace".
        retry: how often a timer's callback, or what an `agents.Agent` has queued, is tried if it
            fails and was given no `retry` of its own, and what `Agent.retry` does by default. A
            `partyserver.schedule.Retry`. Default `Retry()`: 3 attempts.
        debounce_wait: seconds after the last edit of a document, when `on_save` of a room with
            `partyserver.yjs.YMixin` is called. Default 2.
        debounce_max_wait: seconds after the first edit that was not saved, when it is called in any
            case. Default 10.
        collect_garbage: whether a document forgets what has been deleted. Default True.
        send_identity: whether an `agents.Agent` tells its clients its name and class. Default True.
        max_connections: the next connection gets the frame
            `{"type": "error", "error": ..., "code": "full"}` and the close code 1013. HTTP requests
            do not count. Connections of one id do, but for those that the new one replaces. Default
            None: the platform's own limit, 32,768.
    """

    hibernate: bool
    debug: bool
    duplicate_ids: DuplicateIds
    max_message_size: int
    sync_io: bool
    rate: RateLimit | None
    max_connections: int | None
    client_state: ClientState
    send_identity: bool
    retry: Retry
    debounce_wait: float
    debounce_max_wait: float
    collect_garbage: bool


#: Options that come with a mixin, or a class, and which.
OPTIONS_OF_MIXINS = {
    "client_state": "partyserver.agents.Agent",
    "send_identity": "partyserver.agents.Agent",
    "retry": "partyserver.schedule.Schedule",
    "debounce_wait": "partyserver.yjs.YMixin",
    "debounce_max_wait": "partyserver.yjs.YMixin",
    "collect_garbage": "partyserver.yjs.YMixin",
}

DEFAULTS: ServerOptions = {
    "hibernate": False,
    "debug": False,
    "duplicate_ids": "allow",
    "max_message_size": PLATFORM_MAX_MESSAGE_SIZE,
    "sync_io": False,
    "rate": None,
    "max_connections": None,
}


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def merge_options(
    owner: str,
    layers: Iterable[Mapping[str, Any]],
    mixins: Collection[str] = (),
    always: Mapping[str, Any] = _NOTHING,
) -> ServerOptions:
    """Lay `layers`, from the farthest base to the class itself, over the defaults.

    Those of `mixins` have no default here: the mixins know it. Some are `always` so.

    Raises `TypeError` for an unknown key or a value of the wrong kind, naming `owner`.
    """
    merged: dict[str, Any] = dict(DEFAULTS)
    for layer in layers:
        if not isinstance(layer, Mapping):
            raise TypeError(f"{owner}.options must be a dict, not {type(layer).__name__}")
        for key, value in layer.items():
            if key in OPTIONS_OF_MIXINS and key not in mixins:
                mixin = OPTIONS_OF_MIXINS[key]
                raise TypeError(
                    f"{owner}.options[{key!r}] is an option of {mixin}, which is no base of the "
                    f"class: write class {owner}({mixin.rpartition('.')[2]})"
                )
            _check(owner, key, value, (*DEFAULTS, *mixins))
            if always.get(key, value) != value:
                raise TypeError(
                    f"{owner}.options[{key!r}] is always {always[key]!r} in such a class, and "
                    f"cannot be {value!r}"
                )
            merged[key] = value
    return cast(ServerOptions, {**merged, **always})


def _check(owner: str, key: str, value: Any, known: Iterable[str]) -> None:
    check = _CHECKS.get(key)
    if check is None:
        listed = ", ".join(known)
        raise TypeError(f"{owner}.options has no option {key!r}; the options are: {listed}")
    problem = check(value)
    if problem is not None:
        raise TypeError(f"{owner}.options[{key!r}] {problem}")


def _check_switch(value: Any) -> str | None:
    return None if type(value) is bool else f"must be True or False, not {value!r}"


def _check_duplicate_ids(value: Any) -> str | None:
    if value in ("allow", "replace", "reject"):
        return None
    return f"must be 'allow', 'replace' or 'reject', not {value!r}"


def _check_client_state(value: Any) -> str | None:
    if value in ("replace", "merge", "refuse"):
        return None
    return f"must be 'replace', 'merge' or 'refuse', not {value!r}"


def _check_retry(value: Any) -> str | None:
    if isinstance(value, Retry):
        return None
    return f"must be a partyserver.schedule.Retry, not {value!r}"


#: Seconds. Who gives more means milliseconds, as in JavaScript.
_LONGEST_PAUSE = 60


def _check_pause(value: Any) -> str | None:
    if type(value) in (int, float) and 0 <= value <= _LONGEST_PAUSE:
        return None
    return f"must be 0 to {_LONGEST_PAUSE} seconds, not {value!r}"


def _check_max_message_size(value: Any) -> str | None:
    if type(value) is int and 0 < value <= PLATFORM_MAX_MESSAGE_SIZE:
        return None
    return f"must be 1 to {PLATFORM_MAX_MESSAGE_SIZE} bytes, not {value!r}"


def _check_max_connections(value: Any) -> str | None:
    if value is None or (type(value) is int and 0 < value <= PLATFORM_MAX_CONNECTIONS):
        return None
    return f"must be None, or 1 to {PLATFORM_MAX_CONNECTIONS}, not {value!r}"


#: What is wrong with the value of each option, if anything is.
_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "hibernate": _check_switch,
    "debug": _check_switch,
    "duplicate_ids": _check_duplicate_ids,
    "max_message_size": _check_max_message_size,
    "sync_io": _check_switch,
    "rate": check_rate,
    "max_connections": _check_max_connections,
    "client_state": _check_client_state,
    "send_identity": _check_switch,
    "retry": _check_retry,
    "debounce_wait": _check_pause,
    "debounce_max_wait": _check_pause,
    "collect_garbage": _check_switch,
}


# --- routing --------------------------------------------------------------------------

RoutingHook = Callable[["Request", Lobby], Any]


class RoutingOptions(TypedDict, total=False):
    """The options of `route_partykit_request`, which `partyserver.asgi` takes, too."""

    location_hint: str | None
    """As for `get_server_by_name`."""
    jurisdiction: str | None
    """As for `get_server_by_name`."""
    props: Any
    """A JSON value for `on_start(props)`."""
    cors: bool | Mapping[str, str]
    """True for headers that let every page in, or a mapping of headers, for HTTP requests;
    preflights are answered. Default False."""
    routing_retry: RoutingRetry | None
    """By default `RoutingRetry()`; None tries once. When the platform still fails, the answer is
    503 with `Retry-After`. Requests with a body of more than 128 KiB, or from a client that gives
    no length, are tried once: they stream to the room."""
    on_before_connect: RoutingHook | None
    """Called with the request and a `Lobby` before a WebSocket request goes on, plain or async. A
    `Request` replaces it, a `Response` answers it, None lets it go on. So does a mapping, which
    says who this is, in at most 4,096 bytes of JSON: see `Connection.auth` and `auth_of`. A request
    with a mapping, `(request, mapping)`, is both. A `ClientError` is told to the client. If it
    raises anything else, the answer is 500 with an error id."""
    on_before_request: RoutingHook | None
    """The same for HTTP requests. It may read the body, as by `await request.bytes()`, and the
    room gets it all the same."""
    allowed_origins: Iterable[str] | None
    """As `"https://example.com"`: WebSocket requests from pages of other origins than these and
    the worker's own get 403. "*" allows all. By default all may."""


_ROUTING_OPTIONS = RoutingOptions.__annotations__.keys()


def check_routing_options(owner: str, options: Mapping[str, Any]) -> None:
    """Raise `TypeError` for what is no option of routing, naming `owner`."""
    if options.keys() <= _ROUTING_OPTIONS:
        return
    from difflib import get_close_matches  # where it is needed: it takes a while

    unknown = next(key for key in options if key not in _ROUTING_OPTIONS)
    close = get_close_matches(unknown, _ROUTING_OPTIONS, 1)
    raise TypeError(
        f"{owner} has no option {unknown!r}{f' (did you mean {close[0]!r}?)' if close else ''}; "
        f"those of routing are: {', '.join(_ROUTING_OPTIONS)}"
    )
