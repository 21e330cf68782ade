"""What a timer may call: a method, by its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partialmethod
from types import FunctionType, MethodType
from typing import Any

from .contract import RESERVED

_NOT_FOR_TIMERS = frozenset((*RESERVED, "fetch", "setName", "set_name"))


def name_of(owner: Any, callback: Any) -> str:
    """The name of a callback of `owner`: a method's name, or one of its own methods.

    Raises `TypeError` or `ValueError` for what cannot be called by it later.
    """
    cls = type(owner).__name__
    if isinstance(callback, str):
        name = callback
    else:
        name = getattr(callback, "__name__", None) or ""
        if not callable(callback) or find(owner, name) != callback:
            raise TypeError(
                f"a callback is a method of {cls}, as self.method or by its name: a timer outlives "
                f"the room's memory, and {callback!r} does not"
            )
    if not name or inspect.getattr_static(type(owner), name, None) is None:
        raise ValueError(f"{cls} has no method {name!r} for a timer to call")
    if name in _NOT_FOR_TIMERS or (name.startswith("__") and name.endswith("__")):
        raise ValueError(f"{cls}.{name} is called by the runtime, and so not by a timer")
    method = find(owner, name)
    if method is None:
        raise TypeError(f"{cls}.{name} is no method, and so a timer cannot call it")
    takes_payload(method)
    return name


def find(owner: Any, name: str) -> Callable[..., Any] | None:
    """The method of that name that the class of `owner` has; no property is asked."""
    member = inspect.getattr_static(type(owner), name, None)
    is_method = isinstance(member, staticmethod | classmethod | partialmethod) or (
        callable(member) and not isinstance(member, type)
    )
    return getattr(owner, name) if is_method else None


def takes_payload(method: Callable[..., Any]) -> bool:
    """Whether a callback takes the payload, or nothing.

    Raises `TypeError` if it needs more, or would not run when it is called.
    """
    function, bound = (method.__func__, 1) if isinstance(method, MethodType) else (method, 0)
    name = getattr(function, "__qualname__", repr(function))
    while True:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{name} has a yield in it, and so would never run")
        try:
            signature = inspect.signature(function, follow_wrapped=False)
        except (TypeError, ValueError):
            return True  # of a C function, which tells nothing
        # A decorator's, which leaves the arguments to what it wraps.
        wrapped = getattr(function, "__wrapped__", None)
        if not (isinstance(wrapped, FunctionType) and _leaves_open(signature)):
            break
        function = wrapped
    for count in (1, 0):
        try:
            signature.bind(*[None] * (bound + count))
        except TypeError:
            continue
        return count == 1
    raise TypeError(f"{name}{signature} must take the payload, or nothing, beside self")


def _leaves_open(signature: inspect.Signature) -> bool:
    return any(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values())
