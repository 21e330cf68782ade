"""Rooms whose authors use every private name that the library has for something of their own."""

import sys
from types import CodeType, FunctionType
from typing import Any

import partyserver
from workers import import_from_javascript

RESERVED = "_partyserver"


def private_names():
    """Those of the library's attributes, methods, functions and slots, in all that is loaded."""
    names = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "partyserver":
            for member in list(vars(module).values()):
                _collect(member, module, names)
    return sorted(
        name
        for name in names
        if name.startswith("_") and not name.endswith("__") and name != RESERVED
    )


def _collect(member, module, names):
    if getattr(member, "__module__", None) != module.__name__:
        return
    if isinstance(member, type):
        names.update(vars(member))
        for one in vars(member).values():
            one = getattr(one, "__func__", getattr(one, "fget", one))
            _collect(one, module, names)
    elif isinstance(member, FunctionType):
        names.add(member.__name__)
        _collect_code(member.__code__, names)


def _collect_code(code, names):
    names.update(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _collect_code(constant, names)


def mine(*_):
    return "mine"


def crowded(base: Any) -> Any:
    """A class like `base`, with a method of each of these names, and attributes of every second."""
    taken = private_names()
    # Else a change of how they are found would leave nothing to be tried.
    assert {"_receive", "_phase", "_listeners", "_is_set", "_by_socket"} <= set(taken)

    class Crowded(base):
        def __init__(self, *arguments):
            for name in taken[::2]:
                setattr(self, name, "mine")
            super().__init__(*arguments)
            for name in taken[1::2]:
                setattr(self, name, "mine")

    for name in taken:
        setattr(Crowded, name, mine)
    # Before the class is created, too, where the library looks at what it defines.
    members = dict.fromkeys(taken, mine)
    return type(base.__name__, (Crowded,), members)


if getattr(import_from_javascript("cloudflare:workers").env, "PRIVATE_NAMES", None) == "taken":
    library: Any = partyserver
    library.Server = crowded(library.Server)
