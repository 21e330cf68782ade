"""The classes of a worker's main module that are rooms, or other Durable Objects."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Collection, Iterator
from types import FunctionType, ModuleType
from typing import Any, Generic

from ..reserved import LifeHolder
from .modules import LIBRARY

#: Methods of a room that need SQLite.
_SQLITE = {"kv", "sql", "sql_json", "sql_one", "sql_value", "transaction"}
#: Capabilities that do, by the module that their class is in.
_CAPABILITIES = {
    "partyserver.history": "History",
    "partyserver.schedule.mixin": "Schedule",
    "partyserver.yjs.mixin": "YMixin",
}


def classes_of(module: ModuleType, bound: Collection[str]) -> tuple[list[str], list[str]]:
    """The classes of rooms in a worker's main module, and of other Durable Objects.

    Each has one name: that which is bound, if it has several. Left out are those that only others
    are made of.
    """
    plain = getattr(sys.modules.get("workers"), "DurableObject", LifeHolder)
    names: dict[type, str] = {}
    for name, value in vars(module).items():
        if not inspect.isclass(value) or not issubclass(value, (LifeHolder, plain)):
            continue
        if is_of_library(value):
            continue
        known = names.setdefault(value, name)
        if name in bound or (name == value.__name__ and known not in bound):
            names[value] = name
    rooms: list[str] = []
    objects: list[str] = []
    for value, name in names.items():
        if name in bound or not _is_base(value, name):
            (rooms if issubclass(value, LifeHolder) else objects).append(name)
    return rooms, objects


def is_of_library(value: type) -> bool:
    """Whether a class is this library's, or the SDK's."""
    return value.__module__.partition(".")[0] in LIBRARY


def _is_base(value: type, name: str) -> bool:
    """Whether a class is there for others to derive from."""
    methods = (inspect.getattr_static(value, name, None) for name in dir(value))
    return (
        name.startswith("_")
        or bool(value.__subclasses__())
        or Generic in value.__bases__
        or any(getattr(method, "__isabstractmethod__", False) is True for method in methods)
    )


def own_bases(module: ModuleType) -> list[type]:
    """The worker's rooms, and all that these are made of, without what is the library's."""
    found: dict[type, None] = {}
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, LifeHolder):
            found |= dict.fromkeys(one for one in value.__mro__ if not is_of_library(one))
    return [*found]


def need_of_sqlite(value: type) -> str | None:
    """What of a class of rooms needs SQLite, with the verb; None if nothing is known to."""
    for base in value.__mro__:
        if _CAPABILITIES.get(base.__module__) == base.__name__:
            return f"{base.__name__} needs"
    own = [base for base in value.__mro__ if not is_of_library(base)]
    if any(vars(base).get("migrations") for base in own):
        return "its migrations need"
    used = (name for base in own for method in vars(base).values() for name in _asked(method))
    name = next(used, None)
    return None if name is None else f"self.{name} needs"


def _asked(method: Any) -> Iterator[str]:
    """The methods that need SQLite, of those that a method asks its own object for."""
    if not isinstance(method, FunctionType) or not method.__code__.co_argcount:
        return
    owner, is_owner = method.__code__.co_varnames[0], False
    for one in dis.get_instructions(method):
        if is_owner and one.opname in ("LOAD_ATTR", "LOAD_METHOD") and one.argval in _SQLITE:
            yield one.argval
        # Newer versions load two names at once, and the second is at hand then.
        last = one.argval[-1] if isinstance(one.argval, tuple) and one.argval else one.argval
        is_owner = one.opname.startswith("LOAD_FAST") and last == owner
