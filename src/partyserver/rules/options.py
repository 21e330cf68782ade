"""The options of a `Server` class, and of routing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from .lobby import Lobby
from .retry import RoutingRetry

if TYPE_CHECKING:
    from workers import Request

#: The largest WebSocket message the platform delivers, in bytes.
#: https://developers.cloudflare.com/durable-objects/platform/limits/
PLATFORM_MAX_MESSAGE_SIZE = 32 * 1024 * 1024

DuplicateIds = Literal["allow", "replace", "reject"]


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
    """

    hibernate: bool
    debug: bool
    duplicate_ids: DuplicateIds
    max_message_size: int
    sync_io: bool


DEFAULTS: ServerOptions = {
    "hibernate": False,
    "debug": False,
    "duplicate_ids": "allow",
    "max_message_size": PLATFORM_MAX_MESSAGE_SIZE,
    "sync_io": False,
}


def merge_options(owner: str, layers: Iterable[Mapping[str, Any]]) -> ServerOptions:
    """Lay `layers`, from the farthest base to the class itself, over the defaults.

    Raises `TypeError` for an unknown key or a value of the wrong kind, naming `owner`.
    """
    merged: dict[str, Any] = dict(DEFAULTS)
    for layer in layers:
        if not isinstance(layer, Mapping):
            raise TypeError(f"{owner}.options must be a dict, not {type(layer).__name__}")
        for key, value in layer.items():
            _check(owner, key, value)
            merged[key] = value
    return cast(ServerOptions, merged)


def _check(owner: str, key: str, value: Any) -> None:
    if key not in DEFAULTS:
        known = ", ".join(DEFAULTS)
        raise TypeError(f"{owner}.options has no option {key!r}; the options are: {known}")
    if key == "duplicate_ids":
        if value not in ("allow", "replace", "reject"):
            raise TypeError(
                f"{owner}.options['duplicate_ids'] must be 'allow', 'replace' or 'reject', "
                f"not {value!r}"
            )
    elif key == "max_message_size":
        if type(value) is not int or not 0 < value <= PLATFORM_MAX_MESSAGE_SIZE:
            raise TypeError(
                f"{owner}.options['max_message_size'] must be 1 to {PLATFORM_MAX_MESSAGE_SIZE} "
                f"bytes, not {value!r}"
            )
    elif type(value) is not bool:
        raise TypeError(f"{owner}.options[{key!r}] must be True or False, not {value!r}")


# --- routing --------------------------------------------------------------------------

RoutingHook = Callable[["Request", Lobby], Any]


class RoutingOptions(TypedDict, total=False):
    """The options of `route_partykit_request`, which `partyserver.asgi` takes, too."""

    location_hint: str | None
    jurisdiction: str | None
    props: Any
    cors: bool | Mapping[str, str]
    routing_retry: RoutingRetry | None
    on_before_connect: RoutingHook | None
    on_before_request: RoutingHook | None
    allowed_origins: Iterable[str] | None


_ROUTING_OPTIONS = RoutingOptions.__annotations__.keys()


def check_routing_options(owner: str, options: Mapping[str, Any]) -> None:
    """Raise `TypeError` for what is no option of routing, naming `owner`."""
    if options.keys() <= _ROUTING_OPTIONS:
        return
    unknown = next(key for key in options if key not in _ROUTING_OPTIONS)
    raise TypeError(
        f"{owner} has no option {unknown!r}; those of routing are: {', '.join(_ROUTING_OPTIONS)}"
    )
