"""What is wrong with a method that clients call, in words that say what to write instead."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from .annotations import annotations_of, evaluated
from .signatures import signature_of

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def stream_trouble(where: str, function: Any, stream: type, *, streams: bool) -> str | None:
    """What is wrong with the stream of a method, or with a stream where there is none.

    Only what annotations clearly say counts: nothing is said of one that is missing, or that names
    what is not there yet.

    Args:
        where: the class's name and the method's, as `Counter.add`.
        stream: the class of streams.
        streams: the method is given a stream, before what clients give it.
    """
    wrapped = inspect.unwrap(function)
    named = [
        one.name for one in signature_of(wrapped).parameters.values() if one.kind in _POSITIONAL
    ][1:]
    annotations = annotations_of(wrapped)
    found = [_evaluated(annotations.get(name), wrapped) for name in named[: 1 if streams else None]]
    if not streams:
        if any(isinstance(one, type) and issubclass(one, stream) for one in found):
            return f"{where} takes a stream: say so by @agents.callable(streaming=True)"
        return None
    if not found or not _is_other(found[0], stream):
        return None
    name = where.rpartition(".")[2]
    define = "async def" if inspect.iscoroutinefunction(wrapped) else "def"
    others = [one for one in named if one != "stream"]
    rest = ", ".join(["stream: agents.StreamingResponse", *others])
    return (
        f"{where} streams, and its first parameter {named[0]} is {_with_article(_named(found[0]))}"
        f": let it be the stream, {define} {name}(self, {rest})"
    )


def not_json(name: str, result: Any, error: TypeError) -> TypeError:
    """For what a method has returned, of which JSON has no such values; `error` is JSON's own."""
    kind = type(result).__name__
    found = re.search(r"Object of type (\S+) is not JSON", str(error))
    if found is None:
        return TypeError(f"{name} returned {_with_article(kind)} that is no JSON: {error}")
    inner = found[1]
    inside = "" if inner == kind else f" with {_with_article(inner)} in it"
    return TypeError(f"{name} returned {_with_article(kind)}{inside}, which JSON has not")


def _evaluated(annotation: Any, function: Any) -> Any:
    """The type, below `Annotated`; None if that is not known."""
    try:
        found = evaluated(annotation, function)
    except Exception:  # it names what is not there yet, or for type checkers only
        return None
    while get_origin(found) is Annotated:
        found = get_args(found)[0]
    return found


def _is_other(annotation: Any, stream: Any) -> bool:
    """Whether no stream is of this type."""
    return all(_is_other_class(one, stream) for one in _classes(annotation))


def _is_other_class(one: Any, stream: Any) -> bool:
    # A protocol may be what a stream has, and `Any` is a class.
    if one is Any or not isinstance(one, type) or getattr(one, "_is_protocol", False):
        return False
    return not issubclass(one, stream) and not issubclass(stream, one)


def _classes(annotation: Any) -> Iterator[Any]:
    """The classes of a union, and of a type with arguments, as `list[str]`, its own."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _classes(one)
    else:
        yield annotation if origin is None else origin


def _named(annotation: Any) -> str:
    return " | ".join(one.__name__ for one in _classes(annotation))


def _with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
