"""What a user's subclass of `partykit.Server` may define, checked when the class is created."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..rules.contract import CAMEL_CASE, check_spelling, users_bases
from ..rules.signatures import signature_of

#: The hooks of a room, with what PartyKit passes to each.
HOOKS: dict[str, tuple[str, ...]] = {
    "on_start": (),
    "on_connect": ("connection", "ctx"),
    "on_message": ("message", "sender"),
    "on_rate_limited": ("connection",),
    "on_close": ("connection",),
    "on_error": ("connection", "error"),
    "on_request": ("request",),
    "on_alarm": (),
    "get_connection_tags": ("connection", "ctx"),
}

#: Those that run in the worker, before there is a room.
STATIC_HOOKS = {
    "on_before_connect": ("request", "lobby", "ctx"),
    "on_before_request": ("request", "lobby", "ctx"),
    "on_fetch": ("request", "lobby", "ctx"),
    "on_socket": ("socket", "lobby", "ctx"),
    "on_cron": ("cron", "lobby", "ctx"),
}

TYPESCRIPT_NAMES = CAMEL_CASE | {
    "onBeforeConnect": "on_before_connect",
    "onBeforeRequest": "on_before_request",
    "onFetch": "on_fetch",
    "onSocket": "on_socket",
    "onCron": "on_cron",
}


def check_members(cls: type, root: type) -> dict[str, int]:
    """The hooks that `cls` defines, beyond `root`'s defaults, and how many arguments each takes.

    `TypeError` for what would not be called, or not with what PartyKit passes.
    """
    for name, hook in TYPESCRIPT_NAMES.items():
        if hasattr(cls, name):
            raise TypeError(f"{cls.__name__}.{name} is never called; name it {hook}")
    hooks = HOOKS.keys() | STATIC_HOOKS.keys()
    for base in users_bases(cls, root):
        for name, member in vars(base).items():
            check_spelling(cls, name, member, hooks)
    return {
        name: _taken(cls, name, given)
        for name, given in (HOOKS | STATIC_HOOKS).items()
        if getattr(cls, name) is not getattr(root, name)
    }


def _taken(cls: type, name: str, given: tuple[str, ...]) -> int:
    """How many of the `given` arguments a hook takes: as in JavaScript, it may take fewer."""
    # Of the function that is called, which may be a decorator's and take other arguments.
    signature = signature_of(getattr(cls, name))
    parameters = list(signature.parameters.values())
    if name in HOOKS and isinstance(inspect.getattr_static(cls, name), FunctionType):
        parameters = parameters[1:]  # self
    positional = [
        one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    variadic = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    required = [
        one
        for one in parameters
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    if len(required) > len(given) or any(one.kind is one.KEYWORD_ONLY for one in required):
        static = "a static method, " if name in STATIC_HOOKS else ""
        raise TypeError(
            f"{cls.__name__}.{name}{signature} is {static}called with ({', '.join(given)})"
        )
    return len(given) if variadic else min(len(given), len(positional))


def taking(hook: Callable[..., Any], taken: int, given: int) -> Callable[..., Any]:
    """`hook`, to be called with `given` arguments, of which it takes the first `taken`."""
    if taken == given:
        return hook
    return lambda *arguments: hook(*arguments[:taken])
