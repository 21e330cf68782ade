"""The one name that the library keeps for itself on users' objects and classes.

All other names are theirs: what the library has to know of an object stands in a `Life`, and
what it knows of a class in a definition, both behind this name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .life import Life

NAME = "_partyserver"


class LifeHolder:
    """The base of objects that have a life.

    It is in the object's `__dict__`, and not in a slot: a slot would let no base with a layout of
    its own, such as a `dataclass(slots=True)`, stand beside it.
    """


_dict_of = vars(LifeHolder)["__dict__"].__get__


def life_of(server: Any) -> Life:
    """The life of a server; `KeyError` before `Server.__init__` has run."""
    return _dict_of(server)[NAME]  # type: ignore[no-any-return]


def give_life(server: Any, life: Life) -> None:
    _dict_of(server)[NAME] = life


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


def is_undefined(cls: type) -> bool:
    """Whether a class has been created past the library, though it derives from one of its own."""
    known = any(isinstance(vars(base).get(NAME), Reserved) for base in cls.__mro__[1:])
    return known and issubclass(cls, LifeHolder) and NAME not in vars(cls)


def check_assignment(cls: type, name: str, value: Any) -> None:
    """Raise `TypeError` if a class is given the name for something of its author's."""
    if name == NAME and not isinstance(value, Reserved):
        raise TypeError(_sentence(cls))


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
    return _dict_of(server).get(NAME) if isinstance(server, LifeHolder) else None


def _refuse(server: Any, *_: Any) -> NoReturn:
    raise TypeError(_sentence(type(server)))


def _sentence(cls: type) -> str:
    return (
        f"{cls.__name__}.{NAME} is the one name that partyserver keeps for itself; "
        "call yours something else, every other name is free"
    )
