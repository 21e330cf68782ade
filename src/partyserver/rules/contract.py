"""What a user's subclass of `Server` may define, checked when the class is created."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from types import FunctionType, MappingProxyType
from typing import Any, Literal

from .signatures import signature_of

#: Set while code of the room's own runs that may come before its start: an overridden `fetch`, and
#: `on_exception`. The methods that it calls are its own affair, and not calls from outside.
calls_are_own: ContextVar[bool] = ContextVar("calls_are_own", default=False)

#: Hooks, and what each is called with, `self` aside.
HOOK_ARGUMENTS: dict[str, Sequence[str]] = {
    "on_connect": ("connection", "ctx"),
    "on_message": ("connection", "message"),
    "on_rate_limited": ("connection",),
    "on_close": ("connection", "code", "reason", "was_clean"),
    "on_error": ("connection", "error"),
    "on_request": ("request",),
    "on_alarm": (),
    "on_exception": ("error",),
    "get_connection_tags": ("connection", "ctx"),
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
    "onRateLimited": "on_rate_limited",
    "onClose": "on_close",
    "onError": "on_error",
    "onRequest": "on_request",
    "onAlarm": "on_alarm",
    "onException": "on_exception",
    "getConnectionTags": "get_connection_tags",
}


#: What is called by these names is the contract with the room, and not a method for others.
HOOKS = frozenset(CAMEL_CASE.values())

_NO_SPELLINGS: Mapping[str, str] = MappingProxyType({})

#: Hooks that come with a mixin, and which.
HOOKS_OF_MIXINS = {
    "on_join": "partyserver.presence.Presence",
    "on_leave": "partyserver.presence.Presence",
}


def check_members(
    cls: type,
    root: type,
    more_hooks: Mapping[str, Sequence[str]] | None = None,
    marked: Collection[str] = (),
    spellings: Mapping[str, str] = _NO_SPELLINGS,
) -> None:
    """Raise `TypeError` for members that would not do what their author expects.

    Mixins count as the class's own; what `root` and its subclasses hold was checked before.
    `more_hooks` are those that mixins bring, with what each is called with. Methods that are
    `marked` by a decorator of a mixin's are its own to look at. `spellings` are other names of what
    mixins look at, and what to write instead.
    """
    arguments = HOOK_ARGUMENTS | dict(more_hooks or {})
    for base in users_bases(cls, root):
        _check_own_members(cls, base, arguments, marked, spellings)


def hooks_without_mixin(cls: type, root: type, more_hooks: Collection[str]) -> Iterator[str]:
    """What to tell the author of hooks that only a mixin's class has, which is no base of it."""
    for base in users_bases(cls, root):
        for name, mixin in HOOKS_OF_MIXINS.items():
            if name not in more_hooks and isinstance(vars(base).get(name), FunctionType):
                short = mixin.rpartition(".")[2]
                yield (
                    f"{cls.__name__}.{name} is a hook of {mixin}, which is no base of the "
                    f"class, and so it is not called: write class {cls.__name__}({short}, Server)"
                )


def users_bases(cls: type, root: type) -> Iterator[type]:
    """`cls` itself, and its mixins that were not looked at as a part of another class."""
    for base in cls.__mro__:
        if base is cls or not (is_subclass(base, root) or is_subclass(root, base)):
            yield base


def _check_own_members(
    cls: type,
    base: type,
    arguments: Mapping[str, Sequence[str]],
    marked: Collection[str],
    spellings: Mapping[str, str],
) -> None:
    hooks = HOOKS | arguments.keys()
    runs = hooks - {"get_connection_tags"}
    for name, member in vars(base).items():
        if name in RESERVED:
            raise TypeError(
                f"{cls.__name__}.{name} is the runtime's own handler and belongs to Server; "
                f"define {RESERVED[name]} instead"
            )
        if name in CAMEL_CASE:
            raise TypeError(f"{cls.__name__}.{name} is never called; name it {CAMEL_CASE[name]}")
        if name in spellings:
            raise TypeError(f"{cls.__name__}.{name} is never looked at; name it {spellings[name]}")
        check_spelling(cls, name, member, hooks)
        if isinstance(member, FunctionType) and name not in marked:
            if name in arguments:
                _check_arguments(cls, name, member, arguments[name])
            elif name == "on_start":
                _check_on_start(cls, member)
        if name in runs and _yields(member):
            raise TypeError(f"{cls.__name__}.{name} has a yield in it, and so would never run")


def check_spelling(cls: type, name: str, member: Any, hooks: Set[str]) -> None:
    """Raise `TypeError` for a public method that is one letter away from a hook."""
    if name.startswith("_") or name in hooks or not callable(member):
        return
    for hook in hooks:
        if is_near(name, hook):
            raise TypeError(
                f"{cls.__name__}.{name} is never called by the room: did you mean {hook}? If not, "
                "give it a name that is less like a hook's"
            )


def is_near(name: str, other: str) -> bool:
    """Whether one edit makes one name of the other: a letter more, less or another, or a swap."""
    if len(name) > len(other):
        name, other = other, name
    if len(other) - len(name) > 1:
        return False
    same = 0
    while same < len(name) and name[same] == other[same]:
        same += 1
    if len(name) < len(other):
        return name[same:] == other[same + 1 :]
    rest, other_rest = name[same:], other[same:]
    return rest[1:] == other_rest[1:] or (
        rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:]
    )


def _yields(member: Any) -> bool:
    return inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member)


def _check_arguments(cls: type, name: str, hook: FunctionType, given: Sequence[str]) -> None:
    # Of the function that is called, which may be a decorator's and take other arguments.
    signature = signature_of(hook)
    if not _binds(signature, len(given) + 1):
        count = len(given)
        raise TypeError(
            f"{cls.__name__}.{name}{signature} must take self and {count} "
            f"argument{'' if count == 1 else 's'}: def {name}({', '.join(('self', *given))})"
        )


def _check_on_start(cls: type, on_start: FunctionType) -> None:
    signature = signature_of(on_start)
    if not (_binds(signature, 1) or _binds(signature, 2) or _binds(signature, 1, props=None)):
        raise TypeError(
            f"{cls.__name__}.on_start{signature} must take self, and props or nothing: "
            "def on_start(self, props)"
        )


def _binds(signature: inspect.Signature, count: int, **keywords: None) -> bool:
    try:
        signature.bind(*[None] * count, **keywords)
    except TypeError:
        return False
    return True


def may_take_fewer(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Tell type checkers that an override may leave out arguments; at run time it is the hook."""
    return hook


PropsParameter = Literal["positional", "keyword", "none"]


def props_parameter(on_start: Callable[..., Any]) -> PropsParameter:
    """How an `on_start` takes its props; many have no use for them."""
    signature = signature_of(on_start, follow_wrapped=True)
    if _binds(signature, 2):
        return "positional"
    if _binds(signature, 1, props=None):
        return "keyword"
    return "none"


def is_subclass(cls: type, base: type) -> bool:
    """As `issubclass`, which a class that is being created answers from its ABC base's cache."""
    return base in cls.__mro__
