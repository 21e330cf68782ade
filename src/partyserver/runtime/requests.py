"""Requests and responses."""

from __future__ import annotations

from typing import Any

import js
from pyodide.ffi import JsProxy, jsnull, to_js
from workers import FetchResponse, Response

from ..usercode import NEVER_PENDING
from .values import builtin, kind_of


def cf_value(request: JsProxy, key: str) -> Any:
    """What stands in a request's `cf` under a key; None if nothing does."""
    cf = request.cf
    if cf is None or cf is jsnull or not builtin("Object.hasOwn")(cf, key):
        return None
    return builtin("Reflect.get")(cf, key)


def copy_without_cf(request: JsProxy, key: str) -> JsProxy:
    """A request whose headers can be changed, and whose `cf` has nothing under a key."""
    cf = request.cf
    if cf is None or cf is jsnull or not builtin("Object.hasOwn")(cf, key):
        return builtin("Request").new(request)  # type: ignore[no-any-return]
    others = builtin("Object.assign")(js.Object.new(), cf)
    builtin("Reflect.deleteProperty")(others, key)
    return builtin("Request").new(request, cf=others)  # type: ignore[no-any-return]


def with_cf(request: JsProxy, key: str, value: str) -> JsProxy:
    """The same request, with a value in its `cf` beside what the platform has put there."""
    cf = request.cf
    all_values = builtin("Object.assign")(js.Object.new(), cf if isinstance(cf, JsProxy) else None)
    builtin("Reflect.set")(all_values, key, value)
    return builtin("Request").new(request, cf=all_values)  # type: ignore[no-any-return]


def with_body(request: JsProxy, content: JsProxy) -> JsProxy:
    """The same request, with another body."""
    return builtin("Request").new(request, body=content)  # type: ignore[no-any-return]


def has_body(request: JsProxy) -> bool:
    body = request.body
    return body is not jsnull and body is not None


def discard_body(request: JsProxy) -> None:
    """Let go of a body that nobody will read; else the runtime complains when it is too late."""
    if has_body(request) and not is_read(request):
        request.body.cancel()


def is_read(request: JsProxy) -> bool:
    """Whether somebody has read from a request's body, or has begun to."""
    return bool(request.bodyUsed or (has_body(request) and request.body.locked))


async def is_short(request: JsProxy, limit: int) -> bool:
    """Whether a body is there already, and has at most so many bytes."""
    reader: Any = request.clone().body.getReader()
    size = 0
    while True:
        reading = reader.read()
        part = await js.Promise.race(to_js([reading, js.scheduler.wait(0)]))
        if part is None:  # the time was over first
            break
        if part.done:
            return True
        size += part.value.byteLength
        if size > limit:
            break
    await reader.cancel()
    return False


def copy_response(response: JsProxy) -> JsProxy:
    """A response whose headers can be changed."""
    return builtin("Response").new(response.body, response)  # type: ignore[no-any-return]


def header(headers: JsProxy, name: str) -> str | None:
    """The value of a JavaScript header."""
    value = headers.get(name)
    return value if isinstance(value, str) else None


def is_upgrade(headers: JsProxy) -> bool:
    """Whether a request with these headers asks for a WebSocket."""
    return (header(headers, "upgrade") or "").lower() == "websocket"


def raw_object(request: Any) -> JsProxy:
    """The JavaScript request, or response, of one in Python; or itself."""
    return getattr(request, "js_object", request)  # type: ignore[no-any-return]


def is_response(value: Any) -> bool:
    """Whether this is a response: Python's, what stands for one, or JavaScript's own."""
    if isinstance(value, FetchResponse):
        return True
    raw = raw_object(value)
    return isinstance(raw, JsProxy) and kind_of(raw) == "[object Response]"


def response_of(value: Any, hook: str) -> Response:
    """What a hook has returned, which has to be a response: Python's, or JavaScript's own."""
    if isinstance(value, FetchResponse):
        return value  # type: ignore[return-value]
    if is_response(value):
        return PassedOn(raw_object(value))
    raise TypeError(f"{hook} must return a workers.Response, not {type(value).__name__}")


class PassedOn(Response):
    """A response that is seldom looked into: what `Response` prepares for that comes when asked."""

    def __init__(self, response: JsProxy) -> None:
        self.js_response = response
        self._prepared = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or vars(self).get("_prepared", True):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._prepared = True
        super().__init__(self.js_response)
        return getattr(self, name)


NEVER_PENDING.update((Response, PassedOn))


def switching_protocols(request: Any, client: JsProxy) -> Response:
    """The answer that accepts an upgrade, with the client's end of the WebSocket."""
    options: dict[str, Any] = {"status": 101, "webSocket": client}
    # Browsers drop a connection for which they offered subprotocols and got none.
    offered = header(raw_object(request).headers, "sec-websocket-protocol")
    if offered is not None:
        protocol = offered.split(",")[0].strip()
        options["headers"] = js.Headers.new([["sec-websocket-protocol", protocol]])
    return PassedOn(builtin("Response").new(None, **options))


def header_names(headers: JsProxy) -> str:
    """The names of a request's headers, in lower case, with commas between them."""
    # Joined in JavaScript: one string crosses over, and not one for each header.
    return builtin("Array.from")(headers.keys()).join(",")  # type: ignore[no-any-return]
