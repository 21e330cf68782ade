"""The one name that the library keeps for itself on users' objects and classes.

All other names are theirs: what the library has to know of an object stands in a `Life`, and
what it knows of a class in a definition, both behind this name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .life import Life

NAME = "_partyserver"


class Holder:
    """A base that gives an object the place for its life, which no subclass can lose."""

    __slots__ = (NAME,)


_slot: Any = vars(Holder)[NAME]

#: The life of a server: the slot's own getter, as fast as an attribute. `AttributeError` before
#: `Server.__init__` has run.
life_of: Callable[[Any], Life] = _slot.__get__


def give_life(server: Any, life: Life) -> None:
    _slot.__set__(server, life)


class Reserved(property):
    """What stands in a class under the name: it refuses assignments, and has the definition."""

    def __init__(self, definition: Any, hidden: frozenset[str] = frozenset()) -> None:
        super().__init__(_get, _refuse, _refuse)
        self.definition = definition
        #: Names of public methods that are not for callers over RPC.
        self.hidden = hidden


def define(cls: type, definition: Any, hidden: frozenset[str] = frozenset()) -> None:
    setattr(cls, NAME, Reserved(definition, hidden))


def definition_of(cls: type) -> Any:
    """What is known of a class since it was created."""
    return getattr(cls, NAME).definition


def check_free(cls: type, base: type) -> None:
    """Raise `TypeError` if a base of `cls`, or itself, uses the name for something of its own."""
    if NAME in vars(base) and not isinstance(vars(base)[NAME], Reserved):
        raise TypeError(_sentence(cls))


def check_callable(instance: Any, name: str) -> None:
    """Raise `AttributeError` for a method of an object that callers over RPC may not call."""
    known = getattr(type(instance), NAME, None)
    if isinstance(known, Reserved) and name in known.hidden:
        raise AttributeError(
            f"{type(instance).__name__}.{name} cannot be called from outside: "
            "define a method of your own that calls it"
        )


def _get(server: Any) -> Any:
    return life_of(server) if isinstance(server, Holder) else None


def _refuse(server: Any, *_: Any) -> NoReturn:
    raise TypeError(_sentence(type(server)))


def _sentence(cls: type) -> str:
    return (
        f"{cls.__name__}.{NAME} is the one name that partyserver keeps for itself; "
        "call yours something else, every other name is free"
    )
