"""The event of a method with `@on`: the annotation of its second parameter."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import unwrap
from types import FunctionType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from ..rules.annotations import annotations_of, evaluated
from .event import Event

#: After `self` and the connection.
POSITION = 2


def parameter_of(method: Any) -> str | None:
    """The name of the parameter that takes the event; None if there is none."""
    function = unwrap(method)
    if not isinstance(function, FunctionType):
        return None
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    return names[POSITION] if len(names) > POSITION else None


def annotation_of(method: Any) -> Any:
    """The annotation of that parameter; None if it has none. Other annotations are not looked at.

    They may name what is imported under `TYPE_CHECKING` only, as `Connection` often is.
    """
    name = parameter_of(method)
    return None if name is None else annotations_of(unwrap(method)).get(name)


def events_in(annotation: Any, method: Any, *scopes: Mapping[str, Any]) -> list[Any]:
    """The event classes of an annotation: one, or those of a union.

    Generic ones are as they stand there. Raises `TypeError` for what is no event, and `NameError`.
    """
    annotation = evaluated(annotation, unwrap(method), *scopes)
    if hasattr(annotation, "__value__"):  # type Command = Say | Move
        return events_in(annotation.__value__, method, *scopes)
    origin = get_origin(annotation)
    if origin is Annotated:
        return events_in(get_args(annotation)[0], method, *scopes)
    if origin is Union or origin is UnionType:
        found = [events_in(one, method, *scopes) for one in get_args(annotation)]
        return [event for events in found for event in events]
    if not is_event(class_of(annotation)):
        raise TypeError
    return [annotation]


def class_of(event: Any) -> Any:
    """The class itself of one that is generic, as `Box` of `Box[int]`."""
    return get_origin(event) or event


def is_event(cls: Any) -> bool:
    """Whether it is a class of events, and not the base of all."""
    return isinstance(cls, type) and issubclass(cls, Event) and cls is not Event
