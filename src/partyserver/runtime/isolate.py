"""What is changed for the whole isolate, so that no room can end it with the rooms of others.

These are no shortcuts: they stay when the shortcuts are off. Each is a plain assignment that asks
JavaScript nothing, and so can be part of a start-up snapshot.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import wraps
from inspect import iscoroutinefunction, signature
from typing import Any

from pyodide.ffi import JsException, JsProxy, jsnull
from workers import WorkerEntrypoint, rpc

from .. import reserved
from ..errors import ClientError
from ..rules import advice as words
from ..rules import failures
from ..rules.messages import MAX_JSON_DEPTH, check_depth
from ..rules.plain import SCALARS
from ..usercode import as_exception
from . import advice, events, io_context, platform, values


def _protect() -> None:
    _refuse_deep_json()
    _convert_calls_safely()
    _survive_exits()
    io_context.install(asyncio.get_event_loop())
    _prepare_calls()
    advice.give()


# --- JSON -----------------------------------------------------------------------------


def _refuse_deep_json() -> None:
    """Have `json.loads` refuse what would overflow WebAssembly's stack.

    The SDK's `Request.json`, Starlette, FastAPI and httpx all read what comes from outside by it.
    """
    decoder: Any = json.JSONDecoder
    usual = decoder.raw_decode

    def raw_decode(self: Any, s: str, idx: int = 0) -> tuple[Any, int]:
        check_depth(s, idx)
        return usual(self, s, idx)  # type: ignore[no-any-return]

    decoder.raw_decode = raw_decode


# --- RPC and storage ------------------------------------------------------------------


def _convert_calls_safely() -> None:
    """Have the SDK convert arguments and results of calls, and stored values, as `values` does."""
    # The SDK and the runtime have imported it from one another.
    for module in list(sys.modules.values()):
        members = getattr(module, "__dict__", {})
        if members.get("python_from_rpc") is _sdk_python_from_rpc:
            members["python_from_rpc"] = python_from_rpc


_sdk_python_from_rpc = rpc.python_from_rpc


def python_from_rpc(value: Any) -> Any:
    """As the SDK's, for any depth and any keys.

    Raises `ValueError` for a value that is nested too deeply.
    """
    if type(value) in SCALARS:
        return value
    if not isinstance(value, JsProxy):
        return None if value is jsnull else value
    if not values.is_evidently_plain(value):
        kind = values.kind_of(value)
        if kind not in values.CONTAINERS or values.is_of_a_class(value, kind):
            return _sdk_python_from_rpc(value)
    try:
        return _as_the_sdk_does(value.to_py(depth=MAX_JSON_DEPTH))
    except (JsException, RecursionError):  # "constructor" is null; or the value holds itself
        return _by_hand(value)


def _as_the_sdk_does(value: Any) -> Any:
    if type(value) in SCALARS:
        return value
    if value is jsnull:
        return None
    if isinstance(value, dict):
        return rpc.JsDict({key: _as_the_sdk_does(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_as_the_sdk_does(item) for item in value]
    if isinstance(value, JsProxy):
        kind = values.kind_of(value)
        if kind not in values.CONTAINERS or values.is_of_a_class(value, kind):
            return _sdk_python_from_rpc(value)
        if values.has_own_constructor(value):
            return _by_hand(value)
        raise values.too_deep()
    return value


def _by_hand(value: JsProxy) -> Any:
    return values.by_hand(value, MAX_JSON_DEPTH, leaf=_as_the_sdk_does, mapping=rpc.JsDict)


# --- I/O contexts ---------------------------------------------------------------------


def _is_introspection(module: Any) -> bool:
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


def _prepare_calls() -> None:
    """Have a worker's first request be prepared for, also where it has nothing to do with rooms."""
    usual = WorkerEntrypoint.__init__

    def __init__(self: Any, ctx: Any, env: Any) -> None:
        WorkerEntrypoint.__init__ = usual  # type: ignore[method-assign]
        introspection()
        platform.event_comes()
        usual(self, ctx, env)

    WorkerEntrypoint.__init__ = __init__  # type: ignore[method-assign]


def introspection() -> Any:
    """The runtime's module for its calls, which it imports after the worker's; None if changed.

    From the first time on, requests and calls over RPC know their I/O contexts, as messages and
    alarms do.
    """
    module: Any = next(filter(_is_introspection, list(sys.modules.values())), None)
    if module is not None and not hasattr(module.wrapper_func, "__wrapped__"):
        module.wrapper_func = _in_its_io_context(module.wrapper_func)
    return module


def _in_its_io_context(usual: Any) -> Any:
    @wraps(usual)
    async def wrapper_func(relaxed: bool, inst: Any, prop: str, *args: Any, **kwargs: Any) -> Any:
        reserved.check_callable(inst, prop)
        known = io_context.io_context_of(inst)
        if known is not None:
            io_context.current.set(known)
        try:
            result = await usual(relaxed, inst, prop, *args, **kwargs)
        except TypeError as error:
            if prop == "fetch" and str(error).startswith("Awaitable "):  # the SDK's word for it
                handler = f"{type(inst).__name__}.fetch"
                raise TypeError(words.of_unawaited_response(handler)) from None
            raise
        except ClientError as error:
            if not isinstance(inst, reserved.LifeHolder):
                raise  # of the worker itself, which has nobody to tell
            return events.failed_future(error)  # raised, it would have a traceback
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio passes these on to the process, with the rooms of others.
            raise as_exception(error, "a call") from error
        if prop == "fetch" and (result is jsnull or type(result) in SCALARS):
            found = None if result is jsnull else result
            raise TypeError(words.of_no_response(f"{type(inst).__name__}.fetch", found))
        return result

    return wrapper_func


# --- exits ----------------------------------------------------------------------------


def _survive_exits() -> None:
    """Have the event loop log what would end the process: `sys.exit()` in a task or a callback."""
    loop: Any = asyncio.get_event_loop()
    loop._system_exit_handler = log_exit
    loop._keyboard_interrupt_handler = log_exit


def log_exit(*_code: Any) -> None:
    """Tell of the `SystemExit`, or the `KeyboardInterrupt`, that is being handled."""
    error = sys.exception()
    if error is not None:
        failures.mark(error, "in a task or a callback, which it has ended")
        platform.log_failure(error)


_protect()
