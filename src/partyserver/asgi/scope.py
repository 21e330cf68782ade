"""From a request to an ASGI connection scope.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

ASGI = {"version": "3.0", "spec_version": "2.5"}
LIFESPAN_ASGI = {"version": "3.0", "spec_version": "2.0"}

#: As servers and apps type it, which take each other's.
Scope = MutableMapping[str, Any]

# What an app finds in its scope beside the protocol's own keys, and `rules.asgi.REQUEST`.
#: The bindings, as `workers.asgi` gives them.
ENV = "env"
#: The room that answers with the app; not there under an entrypoint.
SERVER = "partyserver.server"
#: The prefix of the URLs that the entrypoint sends to rooms.
ROUTED_PREFIX = "partyserver.prefix"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SOCKET_SCHEMES = {"http": "ws", "https": "wss"}
#: Cloudflare's header with the client's address; its port is not known.
_CLIENT_ADDRESS = "cf-connecting-ip"


def connection_scope(
    kind: Literal["http", "websocket"],
    *,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    protocol: str | None = None,
    root_path: str = "",
) -> dict[str, Any]:
    """The scope of a request whose `url` is absolute, with its percent-encoding.

    `protocol` is the platform's name of it, such as "HTTP/2".
    """
    parts = urlsplit(url)
    pairs = [(name.lower(), value) for name, value in headers]
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": ASGI,
        "http_version": (protocol or "HTTP/1.1").removeprefix("HTTP/"),
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": root_path,
        # The platform reads header bytes as UTF-8, and these are the bytes again.
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
        "client": next(((value, 0) for name, value in pairs if name == _CLIENT_ADDRESS), None),
        "server": (parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)),
    }
    if kind == "http":
        scope["method"] = method.upper()
    else:
        scope["scheme"] = _SOCKET_SCHEMES.get(parts.scheme, parts.scheme)
        scope["subprotocols"] = [
            one.strip()
            for name, value in pairs
            if name == "sec-websocket-protocol"
            for one in value.split(",")
        ]
    return scope


def room_root(path: str, party: str | None, room: str) -> str:
    """The part of a room's URL path that ends with the room's name; "" if that is not there.

    Decoded, as the scope's path is: an app strips the one from the other.
    """
    segments = path.split("/")
    for index in range(1, len(segments)):
        names_party = party is None or segments[index - 1].lower() == party
        if segments[index] == room and names_party:
            return unquote("/".join(segments[: index + 1]))
    return ""
