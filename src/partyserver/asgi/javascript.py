"""What this adapter needs of JavaScript: bodies, responses, streams and sockets' events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, create_proxy, jsnull, to_js
from workers import wait_until

from ..runtime.events import promise_of

Headers = list[tuple[str, str]]


def header_pairs(headers: JsProxy) -> Headers:
    return [(name, value) for name, value in headers]


def keep_alive(task: asyncio.Task[Any]) -> None:
    """Let a task go on after the answer has been given."""
    if not task.done():
        wait_until(promise_of(task))


def shared_promise() -> tuple[Any, Callable[[Any], None]]:
    """A promise that several requests may await, and what fulfils it.

    A Python future would resume all of them in the request that fulfils it, and a request's
    streams and sockets work in no other.
    """
    resolvers = js.Promise.withResolvers()
    return resolvers.promise, resolvers.resolve


# --- errors ---------------------------------------------------------------------------


class OtherRequestError(Exception):
    """An app has used what belongs to another request.

    No `RuntimeError` and no `OSError`: apps catch those for clients that have left.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}\nA request's socket, stream and body work in that request alone, and a "
            "worker's requests run in many isolates. What several clients shall hear goes through "
            "a room: a partyserver Server, whose broadcast() reaches all of its connections."
        )


_OTHER_REQUEST = "Cannot perform I/O on behalf of a different "  # request, or Durable Object
_LOST = "Network connection lost"


def failure(error: JsException) -> Exception:
    """What the platform's error is to an app: an `OSError` only if the client has gone."""
    text = str(error)
    if _OTHER_REQUEST in text:
        return OtherRequestError(text)
    # The platform marks what came of a lost connection.
    if getattr(error, "retryable", None) is True or _LOST in text:
        return OSError(text)
    return error


# --- bodies ---------------------------------------------------------------------------


class BodyReader:
    """A body, chunk by chunk. A read that is cancelled loses nothing."""

    def __init__(self, stream: Any) -> None:
        self._stream = None if stream is jsnull else stream
        self._reader: Any = None
        self._reading: asyncio.Future[Any] | None = None

    async def read(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            OSError: the body ends before its end.
            OtherRequestError: it is another request's.
        """
        if self._stream is None:
            return b""
        if self._reading is None:
            if self._reader is None:
                self._reader = self._stream.getReader()
            self._reading = asyncio.ensure_future(self._next())
            self._reading.add_done_callback(_retrieved)
        try:
            chunk: bytes = await asyncio.shield(self._reading)
        except Exception:
            self._reading = None  # which holds the error, whose frames hold this reader
            raise
        self._reading = None
        if not chunk:
            self._stream = None
        return chunk

    async def _next(self) -> bytes:
        while True:
            try:
                result = await self._reader.read()
            except JsException as error:
                raise failure(error) from None
            if result.done:
                return b""
            if result.value.byteLength:
                return result.value.to_bytes()  # type: ignore[no-any-return]


def _retrieved(future: asyncio.Future[Any]) -> None:
    """Whoever reads again gets the error; nobody need."""
    if not future.cancelled():
        future.exception()


# --- responses ------------------------------------------------------------------------


def response(status: int, headers: Headers, body: Any, **options: Any) -> JsProxy:
    """A JavaScript response; `body` is bytes, a stream, or None for no body at all."""
    made = js.Headers.new(to_js(headers))
    if any(name == "content-encoding" for name, _ in headers):
        # The app has encoded the body itself; by default the platform would do it again.
        options["encodeBody"] = "manual"
    content = jsnull if body is None else to_js(body)
    return js.Response.new(content, status=status, headers=made, **options)  # type: ignore[no-any-return]


class BodyWriter:
    """A response body that is written while the client reads it."""

    def __init__(self, length: int | None) -> None:
        if length is None:
            stream = js.IdentityTransformStream.new()
        else:  # else the platform leaves the header out
            stream = js.FixedLengthStream.new(length)
        self.readable = stream.readable
        self._writer = stream.writable.getWriter()

    async def write(self, chunk: bytes) -> None:
        """Return when the client's side has taken the chunk.

        Raises:
            OSError: the client has gone.
            OtherRequestError: the response is another request's.
        """
        if chunk:
            await self._call(self._writer.write, to_js(chunk))

    async def close(self) -> None:
        await self._call(self._writer.close)

    async def abort(self, reason: str) -> None:
        """Break the response off, so that the client does not take it for whole."""
        with suppress(OSError):  # nobody is there to take it for anything
            await self._call(self._writer.abort, js.Error.new(reason))

    async def _call(self, function: Any, *arguments: Any) -> None:
        try:
            await function(*arguments)
        except JsException as error:
            raise failure(error) from None


# --- events ---------------------------------------------------------------------------


def _in_copy_of(context: Context, handler: Callable[[Any], None], event: Any) -> None:
    context.copy().run(handler, event)


class Listeners:
    """Handlers on an event target, for as long as someone listens."""

    def __init__(self, target: JsProxy, handlers: Iterable[tuple[str, Callable[[Any], None]]]):
        self._target = target
        # JavaScript calls them, which knows nothing of Python's context.
        context = copy_context()
        self._proxies = [
            (event, create_proxy(partial(_in_copy_of, context, handler)))
            for event, handler in handlers
        ]
        for event, proxy in self._proxies:
            target.addEventListener(event, proxy)

    def remove(self) -> None:
        proxies, self._proxies = self._proxies, []
        for event, proxy in proxies:
            self._target.removeEventListener(event, proxy)
            proxy.destroy()
