"""What a user's subclass of `Server` may define, checked when the class is created."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FunctionType
from typing import Any, Literal

#: Set while code of the room's own runs that may come before its start: an overridden `fetch`, and
#: `on_exception`. The methods that it calls are its own affair, and not calls from outside.
calls_are_own: ContextVar[bool] = ContextVar("calls_are_own", default=False)

#: Hooks, and how many arguments each is called with, `self` aside.
HOOK_ARGUMENTS = {
    "on_connect": 2,
    "on_message": 2,
    "on_close": 4,
    "on_error": 2,
    "on_request": 1,
    "on_alarm": 0,
    "on_exception": 1,
    "get_connection_tags": 2,
}

#: The runtime's own handlers, which `Server` implements, and the hook to define instead.
RESERVED = {
    "alarm": "on_alarm",
    "webSocketMessage": "on_message",
    "webSocketClose": "on_close",
    "webSocketError": "on_error",
    "web_socket_message": "on_message",
    "web_socket_close": "on_close",
    "web_socket_error": "on_error",
    "websocket_message": "on_message",
    "websocket_close": "on_close",
    "websocket_error": "on_error",
}

#: TypeScript's spellings, which would never be called.
CAMEL_CASE = {
    "onStart": "on_start",
    "onConnect": "on_connect",
    "onMessage": "on_message",
    "onClose": "on_close",
    "onError": "on_error",
    "onRequest": "on_request",
    "onAlarm": "on_alarm",
    "onException": "on_exception",
    "getConnectionTags": "get_connection_tags",
}


#: What is called by these names is the contract with the room, and not a method for others.
HOOKS = frozenset(CAMEL_CASE.values())


def check_members(cls: type, root: type) -> None:
    """Raise `TypeError` for members that would not do what their author expects.

    Mixins count as the class's own; what `root` and its subclasses hold was checked before.
    """
    for base in users_bases(cls, root):
        _check_own_members(cls, base)


def users_bases(cls: type, root: type) -> Iterator[type]:
    """`cls` itself, and its mixins that were not looked at as a part of another class."""
    for base in cls.__mro__:
        if base is cls or not (is_subclass(base, root) or is_subclass(root, base)):
            yield base


def _check_own_members(cls: type, base: type) -> None:
    for name, member in vars(base).items():
        if name in RESERVED:
            raise TypeError(
                f"{cls.__name__}.{name} is the runtime's own handler and belongs to Server; "
                f"define {RESERVED[name]} instead"
            )
        if name in CAMEL_CASE:
            raise TypeError(f"{cls.__name__}.{name} is never called; name it {CAMEL_CASE[name]}")
        if name in HOOK_ARGUMENTS and isinstance(member, FunctionType):
            _check_arguments(cls, name, member)
        if name in HOOKS and name != "get_connection_tags" and _yields(member):
            raise TypeError(f"{cls.__name__}.{name} has a yield in it, and so would never run")


def _yields(member: Any) -> bool:
    return inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member)


def _check_arguments(cls: type, name: str, hook: FunctionType) -> None:
    count = HOOK_ARGUMENTS[name]
    # Of the function that is called, which may be a decorator's and take other arguments.
    signature = inspect.signature(hook, follow_wrapped=False)
    try:
        signature.bind(*[None] * (count + 1))
    except TypeError:
        raise TypeError(
            f"{cls.__name__}.{name}{signature} must take self and {count} "
            f"argument{'' if count == 1 else 's'}"
        ) from None


def may_take_fewer(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Tell type checkers that an override may leave out arguments; at run time it is the hook."""
    return hook


PropsParameter = Literal["positional", "keyword", "none"]


def props_parameter(on_start: Callable[..., Any]) -> PropsParameter:
    """How an `on_start` takes its props; many have no use for them."""
    signature = inspect.signature(on_start)
    ways: list[tuple[PropsParameter, list[None], dict[str, None]]] = [
        ("positional", [None, None], {}),
        ("keyword", [None], {"props": None}),
    ]
    for way, arguments, keywords in ways:
        try:
            signature.bind(*arguments, **keywords)
        except TypeError:
            continue
        return way
    return "none"


def is_subclass(cls: type, base: type) -> bool:
    """As `issubclass`, which a class that is being created answers from its ABC base's cache."""
    return base in cls.__mro__
