"""The methods with `@on` of a class, and the events that each is called with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from ..parts import mark_of
from ..rules.contract import HOOKS
from ..rules.signatures import signature_of
from .annotations import POSITION, annotation_of, events_in, parameter_of

ON = "@on"
EXAMPLE = "as in `def say(self, connection: Connection, event: Say)`"

#: What a method cannot be called: the runtime and the library call it with something else.
_TAKEN = HOOKS | {"fetch"}


def handlers_of(cls: type) -> Iterator[tuple[str, list[Any]]]:
    """The methods that get events, by name, with the annotations of these.

    An override is called in place of what it overrides, for the same events unless it has an `@on`
    of its own. `say = None` in a subclass takes a method away.
    """
    names: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        names.update((name, None) for name, one in vars(base).items() if _has_on(one))
    for name in names:
        defined = [(base, vars(base)[name]) for base in cls.__mro__ if name in vars(base)]
        method = defined[0][1]
        if method is not None:
            _check_method(cls, name, method)
            yield name, _events(cls, name, [one for one in defined if _has_on(one[1])])


def _has_on(member: Any) -> bool:
    """Whether a member has `@on`, and not another mixin's decorator."""
    mark = mark_of(member)
    return mark is not None and mark.decorator == ON


def _check_method(cls: type, name: str, method: Any) -> None:
    where = f"{cls.__name__}.{name}"
    if name in _TAKEN:
        raise TypeError(f"{where} cannot have @on, since it is a hook: give it another name")
    if not callable(method):
        raise TypeError(f"{where} is no method, and a base of the class has one with @on")
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise TypeError(f"{where} has a yield in it, and so would never run")
    if isinstance(method, FunctionType):
        signature = signature_of(method)
        try:
            signature.bind(*[None] * (POSITION + 1))
        except TypeError:
            raise TypeError(
                f"{where} must take self, a connection and an event, {EXAMPLE}"
            ) from None


def _events(cls: type, name: str, marked: list[tuple[type, Any]]) -> list[Any]:
    """The events of a method: those of the nearest `@on`."""
    base, method = marked[0]
    events = _annotated(cls, name, base, method)
    for other, hidden in marked[1:]:
        if other in base.__mro__:
            continue
        lost = [one for one in _annotated(cls, name, other, hidden) if one not in events]
        if lost:
            raise TypeError(
                f"{cls.__name__}.{name} is that of {base.__name__}, which hides that of "
                f"{other.__name__} for {_names(lost)}: give one of them another name"
            )
    return events


def _annotated(cls: type, name: str, base: type, method: Any) -> list[Any]:
    mark = mark_of(method)
    if mark is not None and mark.value is not None:
        return list(mark.value)
    where = f"{cls.__name__}.{name}"
    annotation = annotation_of(method)
    try:
        return events_in(annotation, method, vars(base), vars(cls))
    except NameError as error:
        raise TypeError(
            f"{where}: there is no {error.name} yet when the class is created, and @on needs it: "
            "define it before the class, or import it, and not under TYPE_CHECKING"
        ) from error
    except TypeError:
        parameter = parameter_of(method) or "event"
        told = "has none" if annotation is None else f"is {_described(annotation)}"
        raise TypeError(
            f"{where}: @on takes the event from the annotation of the second parameter, and that "
            f"of `{parameter}` {told}: let it be a class that derives from Event, {EXAMPLE}"
        ) from None


def _described(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)


def _names(events: list[Any]) -> str:
    return ", ".join(map(_described, events))
