"""What happens when a class of rooms is created, and what is known of it from then on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from functools import partial, wraps
from types import FunctionType
from typing import Any

from . import reserved
from .errors import ClientError
from .parts import Part, Parts, marked_names, parts_of
from .reserved import life_of
from .rules import contract
from .rules.migrations import NO_PLAN, Plan, plan_of
from .rules.options import ServerOptions, merge_options
from .usercode import call, settled

#: Public methods that have to do with the start themselves, and so are not held back until it.
_MAKE_THE_START = ("set_name", "setName")

#: Of the public API, beside what a mixin has. `sql` can be called, as npm's can.
_FOR_THE_ROOM_ALONE = ("sql_json", "sql_one", "sql_value", "transaction")


@dataclass(frozen=True, slots=True)
class Definition:
    """What is known of one class."""

    #: As the class itself gives them, for its subclasses.
    own_options: Any
    #: Merged along the bases.
    options: ServerOptions
    props_parameter: contract.PropsParameter
    parts: Parts
    #: What the log is to tell its author, when an object of the class is constructed.
    warnings: tuple[str, ...] = ()
    #: What each part's `define` has returned.
    kept_by_parts: dict[Part, Any] = field(default_factory=dict)
    #: The migrations of the class and its bases.
    plan: Plan = NO_PLAN


def define(cls: Any, root: type) -> None:
    """Check a class, and prepare it. `root` is `Server`, of which it is a subclass, or itself.

    Raises `TypeError` for members that would not do what their author expects.
    """
    parts = parts_of(cls)
    marked = marked_names(cls, parts)
    contract.check_members(cls, root, parts.hooks, marked, parts.spellings)
    for base in contract.users_bases(cls, root):
        reserved.check_free(cls, base)
    definition = Definition(
        own_options=vars(cls).get("options", {}),
        options=merge_options(cls.__name__, own_options(cls, root), parts.options, parts.always),
        props_parameter=contract.props_parameter(cls.on_start),
        parts=parts,
        warnings=tuple(contract.hooks_without_mixin(cls, root, parts.hooks)),
        plan=plan_of(cls, root),
    )
    cls.options = definition.options
    reserved.define(cls, definition, parts.hidden | marked | _hidden_of(cls, root))
    for part in parts.all:
        if part.define is not None:
            definition.kept_by_parts[part] = part.define(cls)
    _guard_public_methods(cls, root, contract.HOOKS | parts.hooks.keys() | marked)


def define_root(root: Any) -> None:
    """Prepare `Server` itself."""
    parameter = contract.props_parameter(root.on_start)
    reserved.define(root, Definition({}, root.options, parameter, Parts()))


def own_options(cls: type, root: type) -> list[Any]:
    """The `options` that `cls` and its bases set themselves, from the farthest base on."""
    layers = []
    for base in reversed(cls.__mro__):
        known = vars(base).get(reserved.NAME) if contract.is_subclass(base, root) else None
        if base is not cls and known is not None:
            layers.append(known.definition.own_options)
        elif "options" in vars(base):
            layers.append(vars(base)["options"])
    return [layer for layer in layers if layer is not None]


# --- public methods -------------------------------------------------------------------


def _hidden_of(cls: type, root: type) -> Set[str]:
    """What callers over RPC cannot call of the root's own, unless the class has taken the name."""
    getattr_static = inspect.getattr_static
    return {
        name
        for name in _FOR_THE_ROOM_ALONE
        if getattr_static(cls, name, None) is getattr_static(root, name, None)
    }


def _guard_public_methods(cls: type, root: type, hooks: Set[str]) -> None:
    """Make the user's public methods see a started server: callers reach them over RPC.

    Methods that an overridden `fetch` calls itself are not held back.
    """
    for base in contract.users_bases(cls, root):
        if reserved.NAME in vars(base) and base is not cls:
            continue  # a mixin of ours, whose methods are not for callers from outside
        for name, member in list(vars(base).items()):
            if name.startswith("_") or not isinstance(member, FunctionType):
                continue
            # A method of another base may hide the mixin's.
            if inspect.getattr_static(cls, name) is not member:
                continue
            if name == "fetch":
                setattr(cls, name, _guarded_fetch(member))
            elif name not in hooks and name not in _MAKE_THE_START:
                setattr(cls, name, _guarded(member))


def _guarded(method: FunctionType) -> Callable[..., Any]:
    @wraps(method)
    def guarded(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        life = life_of(self)
        if life.is_open_to_calls:
            return method(self, *args, **kwargs)
        return _when_started(life, partial(method, self, *args, **kwargs))

    return guarded


def _guarded_fetch(fetch: FunctionType) -> Callable[..., Any]:
    @wraps(fetch)
    async def guarded(self: Any, request: Any, *more: Any) -> Any:
        token = contract.calls_are_own.set(True)
        try:
            return await call(fetch, self, request, *more)
        except ClientError as error:
            return life_of(self).refuse(request, error)
        finally:
            contract.calls_are_own.reset(token)

    return guarded


async def _when_started(life: Any, method: Callable[[], Any]) -> Any:
    await life.until_open_to_calls()
    return await settled(method())
