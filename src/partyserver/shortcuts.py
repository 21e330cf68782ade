"""The fast paths, all of them, each around a detour of the platform's.

What they rely on is private to the runtime (workerd 1.20261117.1, Pyodide 314.0.6), so each
is taken only where all that it needs is there, and nothing depends on one being taken:
without them the same events arrive by the runtime's own ways. `docs/performance.md` has what
each of them saves.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import cache, partial
from inspect import Parameter, isawaitable, iscoroutinefunction, signature
from types import CoroutineType, FunctionType, ModuleType
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, create_once_callable, create_proxy
from workers import Request, Response, python_to_rpc

from . import tasks

#: Tests switch them off, to see that all works without them.
enabled = True

#: Modules whose functions may stand between the runtime and what it calls.
_PACKAGE = __name__.partition(".")[0]


def called_by_the_runtime() -> bool:
    """Whether no code but this library's own stands between the caller and JavaScript."""
    frame = sys._getframe(1).f_back
    while frame is not None and frame.f_globals["__name__"].partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    return frame is None


# --- objects and their messages -------------------------------------------------------


_MESSAGE = "webSocketMessage"
_EVENTS = ("webSocketClose", "webSocketError", "alarm")


def front(server: Any, receive: Callable[..., Any], *, direct: bool) -> tuple[Any, Dispatch | None]:
    """What the runtime gets for an object that it has constructed, and where its messages go.

    For each event it looks the handler up on that, several times, and calls what it finds by
    its `callWithOptions`. On a Python object the one is a call across the boundary and a new
    proxy, and the other inspects the signature, enters Python in a way that can suspend, and
    keeps the method, with the whole object, in a cache of 128.

    So it gets a JavaScript object, whose functions call `receive`: with the event's name,
    something of the runtime's, and the event's arguments; or, if messages come in `direct`,
    where Python cannot suspend, with just their socket and content. Its prototype is the Python
    object, and so for all that it does not have itself, it is that object.
    """
    if not enabled:
        return server, None
    try:
        tools = _tools()
        face = tools.assign(tools.object.new(), tools.members)
        proxy = create_proxy(receive)
        dispatch = None
        for event in _EVENTS if direct else (_MESSAGE, *_EVENTS):
            _set_entry(face, event, tools.bind(tools.call_promising, proxy, event))
        if direct:
            entry = tools.bind(tools.call, proxy)
            _set_entry(face, _MESSAGE, entry)
            dispatch = Dispatch(entry)
        # Last: from here on it counts as the Python object, and cannot be handed to Python.
        tools.set_prototype(face, create_proxy(server, roundtrip=False))
    except (AttributeError, JsException):
        return server, None
    return face, dispatch


def _set_entry(face: JsProxy, event: str, entry: JsProxy) -> None:
    # Called with options and the event's arguments; `call` drops the first, as its `this`.
    entry.callWithOptions = entry
    setattr(face, event, entry)


class Dispatch:
    """Brings a message to its connection without making a Python object of its socket.

    Making that object, and using it, took about a tenth of an echo's CPU. So each socket has a
    function of its own, which gets the message only, and JavaScript itself has a function
    that finds it: `String.prototype.split.call(options, socket, message)` is, by the
    language's definition, `socket[Symbol.split](options, message)`.

    Nobody gets the messages of a socket without such a function. So it begins only if all have
    theirs, and until then messages come with their sockets.
    """

    __slots__ = ("_entry", "_proxies")

    def __init__(self, entry: JsProxy) -> None:
        self._entry = entry
        self._proxies: dict[int, Any] = {}

    def add(self, socket: JsProxy, receive: Callable[[Any], Any]) -> None:
        """Have `receive` called with this socket's messages; it must not keep the socket alive."""
        tools = _tools()
        self.discard(socket)
        proxy = self._proxies[socket.js_id] = create_proxy(receive)
        tools.set(socket, tools.key, tools.bind(tools.call, proxy))

    def discard(self, socket: JsProxy) -> None:
        proxy = self._proxies.pop(socket.js_id, None)
        if proxy is not None:
            tools = _tools()
            tools.delete(socket, tools.key)
            proxy.destroy()

    def begin(self, sockets: Iterable[JsProxy]) -> None:
        """Dispatch, if all of these, which are to get messages, have their functions."""
        if all(socket.js_id in self._proxies for socket in sockets):
            self._entry.callWithOptions = _tools().dispatch


class _Tools:
    """JavaScript functions, looked up once."""

    def __init__(self) -> None:
        function = js.Function.prototype
        self.bind = function.call.bind(function.bind)
        proxy = create_proxy(_Tools)
        self.call, self.call_promising = proxy.call, proxy.callPromising
        self.object = js.Object
        self.assign = js.Object.assign
        self.set_prototype = js.Reflect.setPrototypeOf
        self.members = js.Object.new()
        self.members.then = None  # `await` asks for it
        self.members.fetch = js.Object  # the runtime only looks whether there is one
        self.set, self.delete = js.Reflect.set, js.Reflect.deleteProperty
        self.with_resolvers = js.Promise.withResolvers
        self.key = js.Symbol.split
        self.dispatch = function.call.bind(js.String.prototype.split)


_tools = cache(_Tools)


# --- requests and calls ---------------------------------------------------------------

_entered = False


def enter_calls() -> None:
    """Have requests and RPC calls begin at once, and be answered at once where they can.

    The runtime brings them in by a coroutine, which takes four turns of the event loop, and
    inspects the signature of `fetch` anew for each request to a worker.
    """
    global _entered
    if _entered or not enabled:
        return
    _entered = True
    introspection: Any = next(filter(_is_introspection, list(sys.modules.values())), None)
    if introspection is None:
        return
    usual = introspection.wrapper_func

    def enter(_options: Any, relaxed: bool, instance: Any, name: str, *args: Any) -> Any:
        if name == "fetch" and args and _takes_a_request(instance):
            return _answer(_fetch(instance, args[0]))
        return _answer(usual(relaxed, instance, name, *args))

    try:
        proxy = create_proxy(enter)
        # Entered in a way that can suspend: what is called may block on synchronous HTTP.
        entry = proxy.callPromising.bind(proxy)
        entry.callWithOptions = entry
    except (AttributeError, JsException):
        return
    introspection.wrapper_func = entry
    _is_no_promise(introspection)
    _quicken_futures()


def _is_no_promise(module: ModuleType) -> None:
    """Spare a module the question for its `then`, which `await` asks when it awaits the module.

    The runtime does that for each request, and Python's answer, an AttributeError whose text
    tells of files that may hide the module, takes long.
    """
    vars(module).setdefault("then", None)


def _holds(module: ModuleType, cls: type) -> bool:
    """Whether this may be the worker's main module, which has its classes by their names."""
    if type(module) is not ModuleType or "__getattr__" in vars(module):
        return False
    return vars(module).get(cls.__name__) is cls


def _quicken_futures() -> None:
    """Have awaited promises take one turn of the event loop, and not two.

    Pyodide's loop gives each future a callback that counts it, for programs that end when
    nothing is left to do; calling it costs as much as waking the task that awaits.
    """
    try:
        from pyodide.webloop import PyodideFuture
    except ImportError:
        return
    loop = asyncio.get_event_loop()
    loop.create_future = partial(PyodideFuture, loop=loop)  # type: ignore[method-assign]


def _is_introspection(module: ModuleType) -> bool:
    """Whether this is the runtime's own module for its calls, with the function we know."""
    if ".introspection_" not in getattr(module, "__name__", ""):
        return False
    function = getattr(module, "wrapper_func", None)
    return iscoroutinefunction(function) and list(signature(function).parameters) == [
        "relaxed",
        "inst",
        "prop",
        "args",
        "kwargs",
    ]


_one_parameter: dict[FunctionType, bool] = {}


def _takes_a_request(instance: Any) -> bool:
    """Whether an object's `fetch` has one parameter; to others go what the platform adds."""
    function = getattr(type(instance), "fetch", None)
    if type(function) is not FunctionType or "fetch" in getattr(instance, "__dict__", ()):
        return False
    known = _one_parameter.get(function)
    if known is None:
        for module in list(sys.modules.values()):
            if _holds(module, type(instance)):
                _is_no_promise(module)
        kinds = [parameter.kind for parameter in signature(function).parameters.values()]
        known = len(kinds) == 2 and all(kind in _POSITIONAL for kind in kinds)
        _one_parameter[function] = known
    return known


_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


async def _fetch(instance: Any, request: JsProxy) -> Any:
    response = instance.fetch(_as_request(request))
    if type(response) is CoroutineType or isawaitable(response):
        response = await response
    return response.js_object if isinstance(response, Response) else python_to_rpc(response)


def _as_request(request: JsProxy) -> Request:
    """A `Request`, whose constructor asks JavaScript what it is given."""
    if not _has_plain_requests(request):
        return Request(request)
    made: Any = Request.__new__(Request)
    made._js_request = request
    return made  # type: ignore[no-any-return]


_plain_requests: bool | None = None


def _has_plain_requests(request: JsProxy) -> bool:
    """Whether all that the constructor does is to keep the request."""
    global _plain_requests
    if _plain_requests is None:
        _plain_requests = vars(Request(request)) == {"_js_request": request}
    return _plain_requests


def _answer(call: Coroutine[Any, Any, Any]) -> Any:
    """The result of a call if it is there at once, else a promise of it."""
    late: list[Any] = []
    # Not held: if what it waits for never comes, because the client has left, both may go.
    task = tasks.start(_deliver(call, late))
    if task.done():
        return task.result()
    late.append(_tools().with_resolvers())
    return late[0].promise


async def _deliver(call: Coroutine[Any, Any, Any], late: list[Any]) -> Any:
    """The call's result; or, if that comes late, nothing, and the promise is fulfilled with it."""
    try:
        result = await call
    except GeneratorExit:
        raise  # the client has left: the task is being collected, and nobody waits
    except BaseException as error:
        failure = error
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            # asyncio lets these through, to the process with the rooms of others.
            failure = RuntimeError(f"a call raised {error!r}")
            failure.__cause__ = error
        if not late:
            raise failure from failure.__cause__
        late[0].resolve(_failing(failure))
        return None
    if not late:
        return result
    late[0].resolve(result)
    return None


def _failing(error: BaseException) -> JsProxy:
    """What makes a promise that is resolved with it fail as a call into Python does."""

    def then(*_: Any) -> None:
        raise error

    thenable = js.Object.new()
    thenable.then = create_once_callable(then)
    return thenable  # type: ignore[no-any-return]


# --- binary messages ------------------------------------------------------------------

#: The message that is being received, and the JavaScript buffer that it came in.
received: bytes | None = None
received_in: JsProxy | None = None


def receive_binary(buffer: JsProxy) -> bytes:
    """The bytes of a message. Until `forget_binary` they are sent on as the buffer they came in."""
    global received, received_in
    message: bytes = buffer.to_bytes()
    if enabled:
        received, received_in = message, buffer
    return message


def forget_binary() -> None:
    global received, received_in
    received = received_in = None


# --- broadcasts -----------------------------------------------------------------------


class Fanout:
    """Sends one message to many sockets in a single call into JavaScript.

    A call across the boundary per socket costs more than the platform's `send` itself. So
    the sockets are the keys of a JavaScript Map whose values are `WebSocket.prototype.send`,
    and the Map doubles as the list of arguments: `map.forEach(Reflect.apply)` calls
    `Reflect.apply(send, socket, map)` for each, and that is `socket.send(map[0])`.
    """

    __slots__ = ("_apply", "_delete", "_for_each", "_map", "_send", "_set")

    def __init__(self) -> None:
        self._map = js.Map.new()
        self._map.length = 1
        self._send = js.WebSocket.prototype.send
        self._apply = js.Reflect.apply
        self._for_each = self._map.forEach
        self._set = self._map.set
        self._delete = self._map.delete

    def add(self, socket: JsProxy) -> None:
        self._set(socket, self._send)

    def discard(self, socket: JsProxy) -> None:
        self._delete(socket)

    def send(self, payload: Any) -> None:
        """Send to all, in the order they were added; the first failure ends it."""
        setattr(self._map, "0", payload)
        try:
            self._for_each(self._apply)
        finally:
            setattr(self._map, "0", None)

    def __iter__(self) -> Iterator[JsProxy]:
        return iter(js.Array.new(*self._map.keys()))


class Loop:
    """What `Fanout` does, by a call for each socket."""

    __slots__ = ("_sockets",)

    def __init__(self) -> None:
        self._sockets: dict[int, JsProxy] = {}

    def add(self, socket: JsProxy) -> None:
        self._sockets[socket.js_id] = socket

    def discard(self, socket: JsProxy) -> None:
        self._sockets.pop(socket.js_id, None)

    def send(self, payload: Any) -> None:
        for socket in self:
            socket.send(payload)

    def __iter__(self) -> Iterator[JsProxy]:
        return iter(list(self._sockets.values()))


def fanout() -> Fanout | Loop:
    return Fanout() if enabled else Loop()
