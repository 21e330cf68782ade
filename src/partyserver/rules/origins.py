"""Which web pages may open a WebSocket."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: A WebSocket's URL and its page's are of one origin.
_PAGE_SCHEMES = {"ws": "http", "wss": "https"}


def origin_of(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of a URL or an `Origin` header; None where there are none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    scheme = _PAGE_SCHEMES.get(parts.scheme, parts.scheme)
    if port is None:
        port = _DEFAULT_PORTS.get(scheme)
    return scheme, parts.hostname, port


def origin_allowed(origin: str | None, url: str, allowed: Iterable[str]) -> bool:
    """Whether a WebSocket request to `url` with this `Origin` header may go on.

    Requests without an `Origin` do not come from a browser's page and pass; so does a page
    of the same origin. `allowed` holds origins such as "https://example.com", or "*".
    """
    if origin is None:
        return True
    allowed = [allowed] if isinstance(allowed, str) else list(allowed)
    if "*" in allowed:
        return True
    asked = origin_of(origin)
    if asked is None:  # "null": a sandboxed frame or a local file
        return origin in allowed
    return asked == origin_of(url) or any(asked == origin_of(one) for one in allowed)
