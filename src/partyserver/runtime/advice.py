"""The SDK's errors, said so that one knows what to do.

As `isolate`, these are plain assignments that ask JavaScript nothing, and no shortcuts.
"""

from __future__ import annotations

import sys
from types import CoroutineType, FunctionType
from typing import Any, TypeVar

from pyodide.ffi import JsProxy
from workers import rpc

from ..rules import advice
from .values import builtin

T = TypeVar("T")


def give() -> None:
    """Where the SDK has another way by now, its own words stay."""
    for name, explain in [
        ("_EnvWrapper", _tell_what_the_env_has),
        ("_BindingWrapper", _tell_which_call_was_not_awaited),
    ]:
        wrapper = getattr(rpc, name, None)
        if "_getattr_helper" in getattr(wrapper, "__dict__", ()):
            explain(wrapper)


def _tell_what_the_env_has(wrapper: Any) -> None:
    usual = wrapper._getattr_helper

    def _getattr_helper(self: Any, name: str) -> Any:
        try:
            return usual(self, name)
        except AttributeError:
            env = vars(self).get("_env")
            if name.startswith("_") or not isinstance(env, JsProxy):
                raise
            # Of the names alone: a secret's value must not come into a text.
            names = [str(known) for known in builtin("Object.keys")(env)]
            if name in names:
                raise
        raise AttributeError(advice.of_missing_binding(name, names))

    wrapper._getattr_helper = _getattr_helper


def _tell_which_call_was_not_awaited(wrapper: Any) -> None:
    """Name the coroutines that calls of storage, of stubs and of bindings give.

    Python tells the name when a coroutine is dropped, be it long after the call.
    """
    usual = wrapper._getattr_helper

    def _getattr_helper(self: Any, name: str) -> Any:
        found = usual(self, name)
        if type(found) is not FunctionType:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            return named(found(*args, **kwargs), name)

        return call

    wrapper._getattr_helper = _getattr_helper


def named(result: T, name: str) -> T:
    """What a call has given to the caller's caller, for whom a coroutine is named."""
    if isinstance(result, CoroutineType):
        caller = sys._getframe(1).f_back  # None where JavaScript has called
        if caller is not None:
            result.__qualname__ = advice.of_unawaited_call(
                name, caller.f_code.co_filename, caller.f_lineno
            )
    return result
