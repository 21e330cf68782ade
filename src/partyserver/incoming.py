"""What a request says: who it is from, its query, and its path in the room."""

from __future__ import annotations

from typing import Any

from workers import Request

from .rules import identity
from .rules.asgi import request_behind
from .rules.messages import parse_json
from .rules.query import Query
from .rules.urls import path_behind
from .runtime import requests

NAMESPACE_HEADER = "x-partykit-namespace"
#: How many segments of the URL's path stand before the party, where that is not one.
PREFIX_HEADER = "x-partykit-prefix-length"


def auth_of(request: Any) -> Any:
    """Who the request is from: what `on_before_request` or `on_before_connect` has returned.

        def on_request(self, request):
            if not auth_of(request):
                raise ClientError("log in first", status=401)

    It is None where no hook has given an identity. Clients cannot set it. Who holds the room's
    binding, and sends requests to its stub, is trusted.

    A FastAPI or Starlette app that answers for a room by `asgi.respond` may give its own request:

        def user(request: fastapi.Request):
            return auth_of(request)["user"]
    """
    text = auth_text(request)
    return None if text is None else parse_json(text)


def auth_text(request: Any) -> str | None:
    """The same as JSON."""
    return identity.check_identity(requests.cf_value(_raw(request), identity.KEY))


def query_of(request: Any) -> Query:
    """The query of a request's URL, as a mapping: `query_of(request).get("page", "1")`.

    The request may be an ASGI app's own, as for `auth_of`.
    """
    return Query(_raw(request).url)


def path_of(request: Any) -> str:
    """What follows the room in a request's URL, decoded, and without a slash before it.

        /parties/chat/lobby/history/7   ->  "history/7"
        /parties/chat/lobby             ->  ""

    Of a request that no router has sent here, as by `stub.fetch("https://room/history")`, it is
    the whole path.

    The request may be an ASGI app's own, as for `auth_of`.
    """
    raw = _raw(request)
    headers: Any = raw.headers
    if requests.header(headers, NAMESPACE_HEADER) is None:
        return path_behind(raw.url, 0)
    length = requests.header(headers, PREFIX_HEADER)
    prefix = int(length) if length is not None and length.isdecimal() else 1
    return path_behind(raw.url, min(prefix, 100) + 2)


def without_claims(request: Request) -> Request:
    """A request that has come from outside, without what only a router of ours may say of it.

    The development server takes what clients write for `cf`, by a header.
    """
    raw = request.js_object
    claims = requests.cf_value(raw, identity.KEY)
    if claims is None and requests.header(raw.headers, NAMESPACE_HEADER) is None:
        return request
    copy: Any = requests.copy_without_cf(raw, identity.KEY)
    copy.headers.delete(NAMESPACE_HEADER)
    copy.headers.delete(PREFIX_HEADER)
    return Request(copy)


def _raw(request: Any) -> Any:
    if type(request) is Request:  # as hooks have it, and this library
        return request.js_object
    return requests.raw_object(request_behind(request))
