"""The event of a method with `@on`: the annotation of its second parameter."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from inspect import unwrap
from types import FunctionType, UnionType
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin

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
    return None if name is None else _annotations(unwrap(method)).get(name)


def _annotations(function: Any) -> Mapping[str, Any]:
    if _annotationlib is None:
        return function.__annotations__  # type: ignore[no-any-return]
    ready = _annotationlib.Format.FORWARDREF
    return _annotationlib.get_annotations(function, format=ready)  # type: ignore[no-any-return]


#: Since Python 3.14 annotations are read when they are asked for, and may name what is not there.
_annotationlib: Any = import_module("annotationlib") if sys.version_info >= (3, 14) else None


def evaluated(annotation: Any, method: Any, *scopes: Mapping[str, Any]) -> Any:
    """The annotation if it is a text, or a reference: what it names there, or in the module.

    Raises `NameError` for a name that is not there.
    """
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    function = unwrap(method)
    names = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    known: dict[str, Any] = {}
    for scope in scopes:
        known.update(scope)
    known.update((name, cell.cell_contents) for name, cell in names.items() if _is_full(cell))
    return eval(annotation, function.__globals__, known)


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def events_in(annotation: Any, method: Any, *scopes: Mapping[str, Any]) -> list[Any]:
    """The event classes of an annotation: one, or those of a union.

    Generic ones are as they stand there. Raises `TypeError` for what is no event, and `NameError`.
    """
    annotation = evaluated(annotation, method, *scopes)
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
