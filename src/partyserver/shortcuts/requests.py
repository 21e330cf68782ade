"""Requests and RPC calls that begin at once, and are answered at once where they can."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from functools import partial
from inspect import Parameter, signature
from types import FunctionType, ModuleType
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, create_once_callable, create_proxy
from workers import Request, Response, WorkerEntrypoint, python_to_rpc

from .. import reserved, tasks
from ..errors import ClientError
from ..rules import advice
from ..rules.plain import SCALARS
from ..runtime import events
from ..runtime.io_context import IoContext, io_context_of, prepare_return_of
from ..runtime.io_context import current as current_io_context
from ..usercode import as_exception, is_pending, settled
from . import builtins

#: Modules whose functions may stand between the runtime and what it calls.
_PACKAGE = __name__.partition(".")[0]


def called_by_the_runtime() -> bool:
    """Whether no code but this library's own stands between the caller and JavaScript."""
    frame = sys._getframe(1).f_back
    while frame is not None and frame.f_globals["__name__"].partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    return frame is None


def shorten(introspection: Any) -> list[str]:
    """Have requests and RPC calls begin at once, and be answered at once where they can.

    The runtime brings them in by a coroutine, which takes four turns of the event loop, and
    inspects the signature of `fetch` anew for each request to a worker. Returns what is shortened.
    """
    usual = introspection.wrapper_func.__wrapped__  # what it is wrapped in is done here, too

    def enter(relaxed: bool, instance: Any, name: str, *args: Any) -> Any:
        io_context = io_context_of(instance)
        if name == "fetch" and args and _takes_a_request(instance):
            return _answer(_fetch(instance, args[0]), io_context)
        reserved.check_callable(instance, name)
        return _answer(usual(relaxed, instance, name, *args), io_context)

    try:
        proxy = create_proxy(enter)
        # Entered in a way that can suspend: what is called may block on synchronous HTTP.
        entry = builtins.tools().handler(proxy.callPromising.bind(proxy))
        entry.callWithOptions = entry
    except (AttributeError, JsException):
        return []
    introspection.wrapper_func = entry
    WorkerEntrypoint.then = None  # type: ignore[attr-defined]  # `await` asks for it
    _is_no_promise(introspection)
    return ["requests", "futures"] if _quicken_futures() else ["requests"]


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


def _quicken_futures() -> bool:
    """Have awaited promises take one turn of the event loop, and not two.

    Pyodide's loop gives each future a callback that counts it, for programs that end when
    nothing is left to do; calling it costs as much as waking the task that awaits.
    """
    try:
        from pyodide.webloop import PyodideFuture
    except ImportError:
        return False
    loop = asyncio.get_event_loop()
    loop.create_future = partial(PyodideFuture, loop=loop)  # type: ignore[method-assign]
    return True


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
    if is_pending(response):
        response = await response
        if is_pending(response):
            response = await settled(response)
    if isinstance(response, Response):
        return response.js_object
    if type(response) in SCALARS:
        raise TypeError(advice.of_no_response(f"{type(instance).__name__}.fetch", response))
    return python_to_rpc(response)


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


def _answer(call: Coroutine[Any, Any, Any], io_context: IoContext | None) -> Any:
    """The result of a call if it is there at once, else a promise of it."""
    promised: list[Any] = []
    # Not held: if what it waits for never comes, because the client has left, both may go.
    task = tasks.start(_deliver(call, promised, io_context))
    if task.done():
        return task.result()
    prepare_return_of(task)
    promised.append(builtins.tools().with_resolvers())
    return promised[0].promise


async def _deliver(
    call: Coroutine[Any, Any, Any], promised: list[Any], io_context: IoContext | None = None
) -> Any:
    """The call's result; or nothing, if a promise has been given meanwhile, which is fulfilled."""
    if io_context is not None:
        current_io_context.set(io_context)
    try:
        result = await call
    except GeneratorExit:
        raise  # the client has left: the task is being collected, and nobody waits
    except BaseException as error:
        failure = error
        is_of_room = io_context is not None and not io_context.of_request
        if is_of_room and isinstance(error, ClientError):
            told = events.failed_future(error)  # raised, it would have a traceback
            if not promised:
                return told
            promised[0].resolve(told)
            return None
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            # asyncio passes these on to the process, with the rooms of others.
            failure = as_exception(error, "a call")
        if not promised:
            if failure is error:
                raise
            raise failure from error
        promised[0].resolve(_failing(failure))
        return None
    if not promised:
        return result
    promised[0].resolve(result)
    return None


def _failing(error: BaseException) -> JsProxy:
    """What makes a promise that is resolved with it fail as a call into Python does."""

    def then(*_: Any) -> None:
        raise error

    thenable = js.Object.new()
    thenable.then = create_once_callable(then)
    return thenable  # type: ignore[no-any-return]
