"""Responses whose body is a text, as most are."""

from __future__ import annotations

import json
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from pyodide.ffi import JsException, JsProxy
from workers import FetchResponse, Response

from ..rules.plain import SCALARS
from ..runtime.values import builtin

Headers = tuple[tuple[str, str], ...]

_JSON = {"content-type": "application/json"}


def shorten() -> list[str]:
    """Have the SDK make the response of a text in one step.

    It asks JavaScript what the body is, imports a module, opens a context for the body, and hands
    headers over one by one.
    """
    base: Any = FetchResponse  # more than the types of it know
    usual, usual_from_json, prepare = Response.__init__, base.from_json, base.__init__

    def __init__(
        self: Any,
        body: Any = None,
        status: Any = None,
        status_text: Any = "",
        headers: Any = None,
        web_socket: Any = None,
    ) -> None:
        if type(body) is not str or web_socket is not None or status_text != "":
            usual(self, body, status, status_text, headers, web_socket)
            return
        if status is None and headers is None:
            prepare(self, "", builtin("Response").new(body))
            return
        number = _number(status)
        if number is None or (headers is not None and not _are_plain(headers)):
            usual(self, body, status, status_text, headers, web_socket)
            return
        options = _options(number, () if headers is None else tuple(headers.items()))
        prepare(self, "", builtin("Response").new(body, options))

    def from_json(
        data: Any, status: Any = HTTPStatus.OK, status_text: Any = "", headers: Any = None
    ) -> Any:
        if status is not HTTPStatus.OK or status_text != "" or headers is not None:
            return usual_from_json(data, status, status_text, headers)
        if type(data) not in SCALARS and isinstance(data, JsProxy):
            return usual_from_json(data)
        return Response(json.dumps(data), headers=_JSON)

    try:
        made = base.__new__(Response)
        __init__(made, "text", 201, headers=_JSON)
        expected = Response("text", status=201, headers=_JSON)
        if vars(made).keys() != vars(expected).keys() or made.status != expected.status:
            return []
    except (AttributeError, TypeError, JsException):
        return []
    Response.__init__ = __init__  # type: ignore[method-assign]
    base.from_json = staticmethod(from_json)
    return ["responses"]


def _number(status: Any) -> int | None:
    """A status as the platform takes it; None for what it may not take. 0 is none, which is 200."""
    if status is None:
        return 0
    if isinstance(status, HTTPStatus):
        return status.value
    return status if type(status) is int and status >= 0 else None


def _are_plain(headers: Any) -> bool:
    if type(headers) is not dict:
        return False
    return all(type(name) is type(value) is str for name, value in headers.items())


@lru_cache(maxsize=256)
def _options(status: int, headers: Headers) -> JsProxy:
    """The options of `new Response`, which only reads them."""
    options: dict[str, Any] = {"status": status} if status else {}
    if headers:
        options["headers"] = headers
    return builtin("JSON.parse")(json.dumps(options))  # type: ignore[no-any-return]
