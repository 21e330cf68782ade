"""An app's requests for rooms: routed, and answered in the words of ASGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers import Request, Response

from ..routing import failure_of, route_partykit_request
from ..rules.asgi import REQUEST
from ..rules.options import RoutingOptions
from ..runtime import platform, requests
from ..usercode import FAILURES, call
from . import javascript
from .departures import ClientDisconnected
from .exchange import ROOM_RESPONSE
from .scope import ENV, Scope

#: Called with an exception.
OnError = Callable[[Any], Any]


async def route(
    request: Request, env: Any, prefix: str, on_error: OnError | None, options: RoutingOptions
) -> Response | None:
    """`route_partykit_request`, whose failures `on_error` hears of and may answer."""
    response = await route_partykit_request(request, env, prefix=prefix, **options)
    error = None if response is None else failure_of(response)
    if error is None or on_error is None:
        return response
    return await ask(on_error, error) or response


async def ask(on_error: OnError, error: BaseException) -> Response | None:
    """What `on_error` answers, if it does."""
    try:
        answer = await call(on_error, error)
        return None if answer is None else requests.response_of(answer, "on_error")
    except FAILURES as another:
        platform.log_error("on_error raised", another)
        return None


async def answer(
    scope: Scope,
    receive: Any,
    send: Any,
    prefix: str,
    on_error: OnError | None,
    options: RoutingOptions,
) -> None:
    """Answer a request inside of an app, past which the entrypoint cannot look."""
    request = await _with_body(scope[REQUEST], receive)
    response = await route(request, scope[ENV], prefix, on_error, options)
    if response is None:
        raise RuntimeError(f"{scope['path']!r} is the URL of a room only as middleware changed it")
    if scope["type"] == "websocket":
        if response.status == 101:
            await send({"type": ROOM_RESPONSE, "response": response})
        else:
            await _send(response, send, "websocket.http.response")
    else:
        await _send(response, send, "http.response")


async def _with_body(request: Request, receive: Any) -> Request:
    """The request, whose body another middleware may have begun to read."""
    raw = request.js_object
    if not requests.is_read(raw):
        return request
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":  # what has come is not the whole
            raise ClientDisconnected("the client has disconnected")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return Request(
        raw.url,
        method=raw.method,
        headers=javascript.header_pairs(raw.headers),
        body=b"".join(parts),
    )


async def _send(response: Response, send: Any, kind: str) -> None:
    """A room's response as messages, for what stands before the middleware to see."""
    raw = response.js_object
    pairs = javascript.header_pairs(raw.headers)
    if raw.headers.has("content-encoding"):  # reading the body decodes it
        pairs = [pair for pair in pairs if pair[0] not in ("content-encoding", "content-length")]
    encoded = [(name.encode(), value.encode()) for name, value in pairs]
    await send({"type": f"{kind}.start", "status": raw.status, "headers": encoded})
    body = javascript.BodyReader(raw.body)
    while chunk := await body.read():
        await send({"type": f"{kind}.body", "body": chunk, "more_body": True})
    await send({"type": f"{kind}.body", "body": b"", "more_body": False})
