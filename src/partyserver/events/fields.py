"""Which types the fields of events have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect


def check_fields(where: str, events: Iterable[Any]) -> None:
    """Raise `TypeError` for fields of types that JSON cannot hold, and msgspec cannot check."""
    try:
        kinds = inspect.multi_type_info(events)
    except NameError as error:
        raise TypeError(
            f"{where}: there is no {error.name} when the class is created, and a field has it for "
            "its type: import it, and not under TYPE_CHECKING"
        ) from error
    except Exception as error:  # of whatever a field has for its type
        raise TypeError(f"{where}: {error}") from error
    for path, unknown in _unknown_types(kinds, "", set()):
        name = getattr(unknown, "__qualname__", unknown)
        raise TypeError(
            f"{where}: {path} holds {name}, of which there is no JSON: take str, int, float, bool, "
            "list, dict, another Struct, or what else msgspec knows"
        )


def _unknown_types(kind: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The types that msgspec does not know, with the fields that have them."""
    if isinstance(kind, tuple):
        for one in kind:
            yield from _unknown_types(one, path, seen)
    elif isinstance(kind, inspect.CustomType):
        if kind.cls is not object:  # which is whatever it is
            yield path, kind.cls
    elif isinstance(kind, inspect.Type) and id(kind) not in seen:  # a struct may hold itself
        seen.add(id(kind))
        for field in getattr(kind, "fields", ()):
            owner = getattr(kind, "cls").__name__  # noqa: B009
            yield from _unknown_types(field.type, f"{owner}.{field.name}", seen)
        for part in _PARTS:
            yield from _unknown_types(getattr(kind, part, None), path, seen)


def may_be_deep(cls: type) -> bool:
    """Whether an event of this class may be nested without end: it holds itself, or anything."""
    return _is_endless(inspect.type_info(cls), ())


def _is_endless(kind: Any, above: tuple[Any, ...]) -> bool:
    if isinstance(kind, tuple):
        return any(_is_endless(one, above) for one in kind)
    if not isinstance(kind, inspect.Type):
        return False
    if isinstance(kind, inspect.AnyType | inspect.CustomType) or any(kind is one for one in above):
        return True
    above = (*above, kind)
    below = [field.type for field in getattr(kind, "fields", ())]
    below += [getattr(kind, part, None) for part in _PARTS]
    return any(_is_endless(one, above) for one in below)


#: Where a type has those that it is made of.
_PARTS = ("type", "item_type", "item_types", "key_type", "value_type", "types")
