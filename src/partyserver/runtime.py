"""The one layer that speaks JavaScript.

Everything here is thin and has no opinion: which value, when and why is decided by the
modules above. Module level stays free of JavaScript calls, because a start-up snapshot
can hold imported modules but no objects that were made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

import js
from pyodide.ffi import JsException as JsException
from pyodide.ffi import JsProxy as JsProxy
from pyodide.ffi import can_run_sync as can_run_sync
from pyodide.ffi import create_proxy, to_js
from pyodide.ffi import jsnull as jsnull
from workers import Response, import_from_javascript

from . import isolate as isolate
from . import tasks
from .attachment import MAX_SIZE, Attachment, unpack
from .errors import StateTooLargeError
from .io_context import Gate, prepare_return_of
from .messages import compact_json, well_formed
from .shortcuts import received
from .values import builtin, javascript_value, kind_of, python_value

T = TypeVar("T")


# --- what the platform has for everybody ----------------------------------------------


def random_fraction() -> float:
    # Python's `random` draws entropy when it is imported, which a snapshot forbids.
    return float(js.Math.random())


def log_error(text: str) -> None:
    js.console.error(text)


def log_info(text: str) -> None:
    js.console.log(text)


# --- storage --------------------------------------------------------------------------


async def transact(storage: JsProxy, work: Callable[[JsProxy], Awaitable[T]]) -> T:
    """The result of `work(transaction)`, whose writes are undone if it raises."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    async def attempt(transaction: JsProxy) -> None:
        try:
            with Gate():
                outcome.append(await work(transaction))
        except BaseException as error:
            failure.append(error)
            transaction.rollback()

    # JavaScript calls it, which knows nothing of Python's context.
    context = copy_context()
    callback = create_proxy(
        lambda transaction: promise_of(tasks.run(attempt(transaction), context.copy()))
    )
    try:
        await storage.transaction(callback)
    finally:
        callback.destroy()
    if failure:
        raise failure[-1]
    return outcome[-1]  # type: ignore[no-any-return]


# --- requests -------------------------------------------------------------------------


def worker_env() -> JsProxy:
    """The worker's own bindings."""
    return import_from_javascript("cloudflare:workers").env  # type: ignore[no-any-return]


def entries(value: JsProxy) -> list[tuple[str, Any]]:
    return [(key, item) for key, item in js.Object.entries(value)]


def copy_request(request: JsProxy) -> JsProxy:
    """A request whose headers can be changed."""
    return builtin("Request").new(request)  # type: ignore[no-any-return]


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


def is_js_response(value: Any) -> bool:
    return isinstance(value, JsProxy) and kind_of(value) == "[object Response]"


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


def switching_protocols(client: JsProxy, protocol: str | None) -> Response:
    """The answer that accepts an upgrade, with the client's end of the WebSocket."""
    options: dict[str, Any] = {"status": 101, "webSocket": client}
    if protocol is not None:
        options["headers"] = js.Headers.new([["sec-websocket-protocol", protocol]])
    return PassedOn(builtin("Response").new(None, **options))


def header_names(headers: JsProxy) -> str:
    """The names of a request's headers, in lower case, with commas between them."""
    # Joined in JavaScript: one string crosses over, and not one for each header.
    return builtin("Array.from")(headers.keys()).join(",")  # type: ignore[no-any-return]


# --- WebSockets -----------------------------------------------------------------------


def socket_pair() -> tuple[JsProxy, JsProxy]:
    """The client's and the server's end of a new WebSocket."""
    pair = builtin("WebSocketPair").new()
    return getattr(pair, "0"), getattr(pair, "1")


def accept_in_memory(socket: JsProxy) -> None:
    # Half open, so that the answer to a peer's close is ours to choose: since compatibility
    # date 2026-04-07 the runtime answers by itself on sockets accepted without it.
    socket.accept(allowHalfOpen=True)
    # Since 2026-03-17 binary messages arrive as Blobs unless told otherwise.
    socket.binaryType = "arraybuffer"


def python_message(message: Any) -> str | bytes:
    """An incoming message: JavaScript strings are `str` already, binary is copied."""
    return message if type(message) is str else message.to_bytes()


def is_bytes_like(message: Any) -> bool:
    return isinstance(message, bytes | bytearray | memoryview)


def sendable(message: Any) -> Any:
    """An outgoing message; `TypeError` for what is neither text nor binary."""
    if message is received.message:
        return received.payload()
    if type(message) is bytes:
        return to_js(message)
    if isinstance(message, str):
        return well_formed(message)
    if is_bytes_like(message):
        return to_js(bytes(message))
    raise TypeError(
        f"a message is str or bytes, not {type(message).__name__}; send_json sends other values"
    )


def bound_send(socket: JsProxy) -> Callable[[Any], None]:
    """The socket's `send`, looked up once; unbound, it is an "Illegal invocation"."""
    send: Callable[[Any], None] = socket.send.bind(socket)
    return send


def read_attachment(socket: JsProxy) -> Attachment | None:
    """What is kept with a socket; None if that is not this library's."""
    try:
        return unpack(python_value(socket.deserializeAttachment()))
    except ValueError:
        return None  # holds itself, as somebody else's may


def write_attachment(socket: JsProxy, attachment: Attachment | None) -> None:
    """Keep `attachment` with the socket; None makes it a stranger to this library."""
    if attachment is None:
        socket.serializeAttachment(jsnull)
        return
    try:
        packed = attachment.pack()
        # JSON is faster, but cannot tell bytes, NaN, or 2**53 + 1, which a state may hold.
        plain = attachment.state is None
        socket.serializeAttachment(
            builtin("JSON.parse")(compact_json(packed)) if plain else javascript_value(packed)
        )
    except JsException as error:
        size = _attachment_size(str(error))
        if size is None:
            raise
        raise StateTooLargeError(size, MAX_SIZE) from None


def _attachment_size(message: str) -> int | None:
    """The size in the platform's "'attachment' was 20012 bytes."; None for other errors."""
    _, found, after = message.partition("'attachment' was ")
    size = after.partition(" ")[0]
    return int(size) if found and size.isdigit() else None


class Listeners:
    """The handlers of a room's in-memory sockets: three proxies, shared by all of them.

    `server` is a weak reference, since JavaScript holds the proxies. With `may_block`,
    message events come in a slower way, in which Python can suspend.
    """

    __slots__ = ("_handlers",)

    def __init__(self, server: Callable[[], Any], *, may_block: bool) -> None:
        # With capture_this the socket comes as the first argument, cheaper than event.target.
        # What the hooks' promises tell is for the runtime's own handlers; listeners return nothing.
        def on_message(socket: JsProxy, event: Any) -> None:
            if room := server():
                room.webSocketMessage(socket, event.data)

        def on_close(socket: JsProxy, event: Any) -> None:
            if room := server():
                room.webSocketClose(socket, event.code, event.reason, event.wasClean)

        def on_error(socket: JsProxy, event: Any) -> None:
            if room := server():
                room.webSocketError(socket, event.error)

        self._handlers = {
            "message": create_proxy(on_message, capture_this=True),
            "close": create_proxy(on_close, capture_this=True),
            "error": create_proxy(on_error, capture_this=True),
        }
        if may_block:
            proxy = create_proxy(lambda event: on_message(event.target, event))
            self._handlers["message"] = proxy.callPromising.bind(proxy)

    def attach(self, socket: JsProxy) -> None:
        for event, handler in self._handlers.items():
            socket.addEventListener(event, handler)

    def detach(self, socket: JsProxy) -> None:
        """Let go of the handlers, when the last of their sockets has closed."""
        for event, handler in self._handlers.items():
            socket.removeEventListener(event, handler)
            handler.destroy()


class Sockets:
    """The hibernatable sockets that the platform holds for an object, oldest first."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx

    def __len__(self) -> int:
        return int(self._ctx.getWebSockets().length)

    def all(self) -> list[JsProxy]:
        # The platform gives all of them newest first, but those with a tag oldest first.
        return list(self._ctx.getWebSockets())[::-1]

    def tagged(self, tag: str) -> list[JsProxy]:
        return list(self._ctx.getWebSockets(tag))


# --- events ---------------------------------------------------------------------------


def new_future() -> asyncio.Future[Any]:
    return asyncio.get_event_loop().create_future()


def promise_of(task: asyncio.Task[Any]) -> JsProxy:
    """A promise that is fulfilled when `task`, which has not ended, has, however it ends."""
    prepare_return_of(task)
    resolvers = js.Promise.withResolvers()
    task.add_done_callback(lambda _: resolvers.resolve(None))
    return resolvers.promise  # type: ignore[no-any-return]


def wait_until(ctx: Any, task: asyncio.Task[Any]) -> None:
    """Have the platform keep the object in memory until `task` has ended."""
    if not task.done():
        ctx.waitUntil(promise_of(task))


async def block_concurrency(ctx: Any, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` while the platform delivers no other event to this object.

    `work` must not raise: an error inside resets the whole object.
    https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
    """
    context = copy_context()
    callback = create_proxy(lambda: promise_of(tasks.run(work(), context)))
    try:
        # Entered in a way that can suspend: `work` may block on synchronous HTTP.
        await ctx.blockConcurrencyWhile(callback.callPromising.bind(callback))
    finally:
        callback.destroy()
