"""Cross-origin headers for HTTP requests to rooms."""

from __future__ import annotations

from collections.abc import Mapping

PERMISSIVE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


def cors_headers(cors: bool | Mapping[str, str]) -> Mapping[str, str] | None:
    """The headers to set: none for False, the permissive default for True, or the caller's own."""
    if isinstance(cors, bool):
        return PERMISSIVE if cors else None
    if isinstance(cors, Mapping):
        return cors
    raise TypeError(f"cors must be True, False or a mapping of headers, not {cors!r}")
