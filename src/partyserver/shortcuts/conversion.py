"""Plain values on their way into and out of RPC calls and the platform's storage."""

from __future__ import annotations

import sys
from typing import Any

from pyodide.ffi import jsnull
from workers import rpc

from ..rules.messages import plain_json
from ..rules.plain import SCALARS, is_plain
from ..runtime.values import builtin

_MAPPINGS = (dict, rpc.JsDict)


def shorten() -> list[str]:
    """Have the SDK convert plain values in one step, and ask less about what a call gives.

    It looks at each item of a value twice, and asks JavaScript what most of them are.
    """
    usual_to_rpc = rpc.python_to_rpc
    try:
        wrapper: Any = rpc._BindingWrapper  # noqa: SLF001 -- see the page of internals
        usual_result, usual_invoke = (vars(wrapper)[name] for name in _REPLACED)
    except (AttributeError, KeyError):
        return []

    def python_to_rpc(value: Any) -> Any:
        if value is None:
            return jsnull
        if type(value) in SCALARS:
            return value
        if type(value) in _CONTAINERS and is_plain(value, _MAPPINGS):
            return builtin("JSON.parse")(plain_json(value))
        return usual_to_rpc(value)

    def convert_result(self: Any, result: Any) -> Any:
        return result if type(result) in SCALARS else usual_result(self, result)

    def invoke(self: Any, function: Any, args: Any, kwargs: Any) -> Any:
        if kwargs:
            return usual_invoke(self, function, args, kwargs)
        result = function(*map(python_to_rpc, args))
        if type(result) in SCALARS:
            return result
        if callable(getattr(result, "then", None)):

            async def await_and_convert() -> Any:
                return self._convert_result(await result)

            return await_and_convert()
        return self._convert_result(result)

    for module in list(sys.modules.values()):
        members = getattr(module, "__dict__", {})
        if members.get("python_to_rpc") is usual_to_rpc:
            members["python_to_rpc"] = python_to_rpc
    for name, function in zip(_REPLACED, (convert_result, invoke), strict=True):
        setattr(wrapper, name, function)
    return ["conversion"]


_REPLACED = ("_convert_result", "_conver_and_invoke")
_CONTAINERS = frozenset((dict, list, rpc.JsDict))
