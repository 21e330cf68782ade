"""Where each connection goes."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from .errors import LoadError

ROOM, CONNECTION = "{room}", "{connection}"


def check(url: str, *, is_remote_allowed: bool) -> None:
    """Refuse what is no WebSocket's URL, and another machine's where that was not asked for.

    Raises:
        LoadError: says why, and what to do.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise LoadError(f"{url} is no URL: {error}") from None
    if parts.scheme not in ("ws", "wss") or not host or re.search(r"\s", url):
        raise LoadError(f"{url} is no URL of a WebSocket: it begins with ws://HOST or wss://HOST")
    if parts.fragment:
        raise LoadError(f"{url} has a fragment, which WebSockets have not: leave out the #")
    if "{" in parts.netloc:
        raise LoadError(
            f"{url} has a placeholder in its host: these are for the path and the query"
        )
    if not is_remote_allowed and not is_loopback(host):
        raise LoadError(
            f"{host} is not this machine, and a load may be an attack: give --allow-remote if the "
            "server is yours, or if those whose it is have agreed"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def rooms_of(connections: int, rooms: int) -> list[int]:
    """The room of each connection, spread evenly."""
    return [connection % rooms for connection in range(connections)]


def url_of(url: str, *, room: int, rooms: int, connection: int) -> str:
    """The URL with its placeholders replaced, which count from 1.

    Where it has none for the room, and there is more than one room, the number follows the path.
    """
    if ROOM not in url and rooms > 1:
        path, mark, query = url.partition("?")
        url = f"{path.rstrip('/')}-{ROOM}{mark}{query}"
    return url.replace(ROOM, str(room + 1)).replace(CONNECTION, str(connection + 1))


def shown(url: str) -> str:
    """Without the user and the query, which may be secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
