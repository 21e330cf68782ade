"""What a user's subclass of `Server` may define, checked when the class is created."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, wraps
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


def check_members(cls: type, root: type) -> None:
    """Raise `TypeError` for members that would not do what their author expects.

    Mixins count as the class's own; what `root` and its subclasses hold was checked before.
    """
    for base in cls.__mro__:
        if base is cls or not (_is_subclass(base, root) or _is_subclass(root, base)):
            _check_own_members(cls, base, root)


def _check_own_members(cls: type, base: type, root: type) -> None:
    for name, member in vars(base).items():
        if name in RESERVED:
            raise TypeError(
                f"{cls.__name__}.{name} is the runtime's own handler and belongs to Server; "
                f"define {RESERVED[name]} instead"
            )
        if _is_private_method(name, member) and hasattr(root, name):
            raise TypeError(f"{cls.__name__}.{name} hides a method that Server needs; rename it")
        if name in CAMEL_CASE:
            raise TypeError(f"{cls.__name__}.{name} is never called; name it {CAMEL_CASE[name]}")
        if name in HOOK_ARGUMENTS and isinstance(member, FunctionType):
            _check_arguments(cls, name, member)
        if name in CAMEL_CASE.values() and name != "get_connection_tags" and _yields(member):
            raise TypeError(f"{cls.__name__}.{name} has a yield in it, and so would never run")


def _is_private_method(name: str, member: Any) -> bool:
    return name.startswith("_") and not name.endswith("__") and isinstance(member, FunctionType)


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


def own_options(cls: type, root: type) -> list[Any]:
    """The `options` that `cls` and its bases set themselves, from the farthest base on."""
    layers = []
    for base in reversed(cls.__mro__):
        if _is_subclass(base, root):
            layer = vars(base).get("_own_options", vars(base).get("options"))
        else:
            layer = vars(base).get("options")
        if layer is not None:
            layers.append(layer)
    return layers


def guard_public_methods(cls: type, root: type) -> None:
    """Make the user's public methods see a started server: callers reach them over RPC.

    Methods that an overridden `fetch` calls itself are not held back.
    """
    for base in cls.__mro__:
        # `cls` itself, and mixins that were not made by this function before.
        if (base is not cls and _is_subclass(base, root)) or _is_subclass(root, base):
            continue
        for name, member in list(vars(base).items()):
            if name.startswith("_") or not isinstance(member, FunctionType):
                continue
            # A method of another base may hide the mixin's.
            if inspect.getattr_static(cls, name) is not member:
                continue
            if name == "fetch":
                setattr(cls, name, _guarded_fetch(member))
            elif not hasattr(root, name):
                setattr(cls, name, _guarded(member))


def _guarded(method: FunctionType) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self._startup.open_to_calls or self._is_nameless:
            return method(self, *args, **kwargs)
        return _when_started(self, partial(method, self, *args, **kwargs))

    return call


def _guarded_fetch(fetch: FunctionType) -> Callable[..., Any]:
    @wraps(fetch)
    async def call(self: Any, request: Any, *more: Any) -> Any:
        token = calls_are_own.set(True)
        try:
            response = fetch(self, request, *more)
            return await response if inspect.isawaitable(response) else response
        finally:
            calls_are_own.reset(token)

    return call


async def _when_started(server: Any, call: Callable[[], Any]) -> Any:
    await server._until_open_to_calls()
    result = call()
    return await result if inspect.isawaitable(result) else result


def _is_subclass(cls: type, base: type) -> bool:
    """As `issubclass`, which a class that is being created answers from its ABC base's cache."""
    return base in cls.__mro__
