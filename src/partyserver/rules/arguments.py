"""The arguments of a method that clients call, against its signature and its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from ..errors import ClientError
from .annotations import annotations_of, evaluated
from .events import refusal
from .signatures import signature_of

#: Called with a value and a type; raises `ValueError` for a value of another type.
Convert = Callable[[Any, Any], Any]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Argument(NamedTuple):
    """What is known of one that clients give; of the last one perhaps: of all that are left."""

    name: str
    type: Any
    default: Any
    is_needed: bool
    is_rest: bool


class Arguments:
    """What one method takes beside those that the library gives it: `given` of them.

    Attributes:
        function: the method below its decorators, whose annotations count.
    """

    def __init__(self, function: Any, given: int) -> None:
        """Raises `TypeError` if it cannot be called with a list of arguments."""
        wrapped = inspect.unwrap(function)
        self.function = wrapped
        signature = signature_of(function, follow_wrapped=True)
        parameters = list(signature.parameters.values())
        for one in parameters:
            if one.kind is one.KEYWORD_ONLY and one.default is one.empty:
                raise TypeError(f"clients give no argument by its name, as {one.name} has to be")
        named = [one for one in parameters if one.kind in _POSITIONAL]
        self._rest = next((one for one in parameters if one.kind is one.VAR_POSITIONAL), None)
        if len(named) < given and self._rest is None:
            raise TypeError(f"it takes too few arguments: it is given {given} by the agent")
        self._named = named[given:]
        self._needed = sum(one.default is one.empty for one in self._named)
        self._types: list[Any] | None = None
        self._rest_type: Any = Any

    def checked(self, args: Sequence[Any], convert: Convert | None) -> list[Any]:
        """The arguments as their annotations have them.

        Raises `ClientError`, which names the argument that is missing or wrong.
        """
        if len(args) < self._needed:
            raise ClientError(f"{self._named[len(args)].name}: missing")
        if len(args) > len(self._named) and self._rest is None:
            count = len(self._named)
            most = f"{'' if count == self._needed else 'at most '}{count}"
            raise ClientError(f"expected {most} arguments, got {len(args)}")
        if convert is None or not args:
            return list(args)
        if self._types is None:
            self._types = self._read_types(convert)
        return [self._converted(at, value, convert) for at, value in enumerate(args)]

    def described(self, convert: Convert) -> list[Argument]:
        """They in turn, with the types that `checked` compares them with."""
        types = self._read_types(convert)
        listed = [
            Argument(one.name, type, one.default, one.default is one.empty, is_rest=False)
            for one, type in zip(self._named, types, strict=True)
        ]
        if self._rest is not None:
            rest = self._rest
            listed.append(Argument(rest.name, self._rest_type, rest.empty, False, is_rest=True))
        return listed

    def result(self, convert: Convert) -> Any:
        """The type of what the method returns, or `Any`, as of an argument."""
        return _known(self._type_of(annotations_of(self.function), "return"), convert)

    def _converted(self, at: int, value: Any, convert: Convert) -> Any:
        types = self._types or ()
        if at < len(types):
            type, name = types[at], self._named[at].name
        else:
            type, name = self._rest_type, f"argument {at + 1}"
        if type is Any:
            return value
        try:
            return convert(value, type)
        except ValueError as error:
            raise ClientError(refusal(error).replace("$", name, 1)) from None

    def _read_types(self, convert: Convert) -> list[Any]:
        annotations = annotations_of(self.function)
        if self._rest is not None:
            self._rest_type = _known(self._type_of(annotations, self._rest.name), convert)
        return [_known(self._type_of(annotations, one.name), convert) for one in self._named]

    def _type_of(self, annotations: Mapping[str, Any], name: str) -> Any:
        try:
            return evaluated(annotations.get(name, Any), self.function)
        except Exception:  # it names what is there for type checkers only
            return Any


def _known(type: Any, convert: Convert) -> Any:
    """The type, or `Any` for one that JSON has not: that is for the method itself to look at.

    It is found out here, with no client's value: what a client sends must not change what is
    checked for others.
    """
    try:
        convert(None, type)
    except ValueError:
        pass  # it is known, and None is none of it
    except Exception:
        return Any
    return type


def converter() -> Convert | None:
    """msgspec's, if that is installed."""
    try:
        msgspec = import_module("msgspec")
    except ImportError:
        return None
    # Keys of JSON are texts, also those of a dict[int, str].
    return partial(msgspec.convert, str_keys=True)
