"""TypeScript for the clients of an agent: its state, and the methods that they may call.

It has the form that the `useAgent` and the `AgentClient` of the npm package `agents` take for an
agent's class, without any type of that package: a stream, which they leave out themselves, is left
out here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Coroutine, Iterator
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, ClassVar, Final, get_args, get_origin

from msgspec.inspect import AnyType, LiteralType, Metadata, NoneType, Type, UnionType, type_info

from ..parts import Part, parts_of
from ..project.errors import CommandError
from ..reserved import LifeHolder
from ..rules.annotations import annotations_of, evaluated
from ..rules.arguments import Argument, Convert, converter
from .classes import is_of_library
from .typescript import (
    Declarations,
    comment,
    list_of,
    not_json,
    parameter,
    parameter_doc,
    property_name,
)

if TYPE_CHECKING:
    from ..agents.callables import Entry


def is_agent(value: Any) -> bool:
    """Whether a member of a module is a class of agents, and not the base of all."""
    return (
        isinstance(value, type)
        and issubclass(value, LifeHolder)
        and not is_of_library(value)
        and _part_of(value) is not None
    )


def _part_of(cls: type) -> Part | None:
    """What makes agents of a class. It is known by its name: its module needs the runtime."""
    return next((part for part in parts_of(cls).all if part.name == "agent"), None)


def has_stub(agent: type) -> bool:
    """Whether there is something to say of a class: others are bases for some that have it."""
    return any(_entries(agent)) or _state_of(agent) is not Any


class Stub:
    """One class of agents."""

    def __init__(self, declarations: Declarations, agent: type) -> None:
        self._declarations = declarations
        self._agent = agent
        self._name = declarations.reserve(agent.__name__)
        self._convert = _converter()
        self._arguments: dict[str, list[str]] = {}

    def read_arguments(self) -> None:
        """Declare what clients send; `text` declares what they get."""
        for entry in _entries(self._agent):
            taken: set[str] = set()
            self._arguments[entry.name] = [
                self._argument(one, taken) for one in entry.arguments.described(self._convert)
            ]

    def text(self) -> str:
        name, of = self._name, self._state()
        state, alias = f"{name}State", ""
        if of != state:  # which may be the name of a class
            state = self._declarations.reserve(state)
            untyped = ", to which its class gives no type: `initial_state: ClassVar[...]`"
            doc = f"The state of `{name}`{untyped if of == 'unknown' else ''}."
            alias = f"{comment([doc], '')}export type {state} = {of};\n\n"
        doc = f"What clients of `{name}` may call, for `useAgent<{name}, {state}>(...)`."
        methods = "".join(map(self._method, _entries(self._agent)))
        return (
            f"{alias}{comment([doc], '')}"
            f"export interface {name} {{\n  readonly state: {state};\n{methods}}}\n"
        )

    def _argument(self, one: Argument, taken: set[str]) -> str:
        name = parameter(one.name, taken)
        of = self._declarations.type_of(_kind(one.type), "sent")
        if one.is_rest:
            return f"...{name}: {list_of(of)}"
        return f"{name}{'' if one.is_needed else '?'}: {of}"

    def _method(self, entry: Entry) -> str:
        arguments = ", ".join(self._arguments[entry.name])
        doc = comment(_doc(self._name, entry, self._convert), "  ")
        # Without quotes that name has what is made by `new`.
        name = '"new"' if entry.name == "new" else property_name(entry.name)
        return f"{doc}  {name}({arguments}): Promise<{self._result(entry)}>;\n"

    def _result(self, entry: Entry) -> str:
        kind = _kind(_awaited(entry.arguments.result(self._convert), entry))
        _check(f"{self._agent.__name__}.{entry.name} returns", kind)
        members = _members(kind)
        others = [one for one in members if not isinstance(one, NoneType)]
        may_be_none = len(others) < len(members)
        if entry.info.streaming and may_be_none:
            return "unknown"  # the stream's own end has it
        if not others:
            return "void"
        # None is no result, in the place of `null`.
        of = " | ".join(
            dict.fromkeys(self._declarations.type_of(one, "received") for one in others)
        )
        return f"{of} | undefined" if may_be_none and of != "unknown" else of

    def _state(self) -> str:
        kind = _kind(_state_of(self._agent))
        _check(f"the state of {self._agent.__name__} has", kind, only_text_keys=True)
        return self._declarations.type_of(kind, "received")


def _entries(agent: type) -> Iterator[Entry]:
    part = _part_of(agent)
    assert part is not None
    yield from (entry for entry in part.defined(agent).values() if entry is not None)


def _converter() -> Convert:
    convert = converter()
    assert convert is not None  # this module cannot be imported without it
    return convert


def _kind(annotation: Any) -> Type:
    """What msgspec makes of a type; of one that it cannot tell of, as of `Any`."""
    try:
        return type_info(annotation)
    except Exception:
        return AnyType()


def _awaited(annotation: Any, entry: Entry) -> Any:
    """What comes of a plain method's result, if that is to be awaited."""
    if get_origin(annotation) not in (Awaitable, Coroutine):
        return annotation
    try:  # its name, with or without what is in brackets
        return evaluated(get_args(annotation)[-1], entry.arguments.function)
    except Exception:
        return Any


def _members(kind: Type) -> list[Type]:
    """Those of a union, with None for itself; or the type alone."""
    match kind:
        case Metadata():
            return _members(kind.type)
        case UnionType():
            return [member for one in kind.types for member in _members(one)]
        case LiteralType() if None in kind.values:
            values = tuple(value for value in kind.values if value is not None)
            return [LiteralType(values), NoneType()] if values else [NoneType()]
    return [kind]


def _check(where: str, kind: Type, *, only_text_keys: bool = False) -> None:
    wrong = not_json(kind, only_text_keys=only_text_keys)
    if wrong is not None:
        raise CommandError(
            f"{where} {wrong}, which JSON has not, so that clients would never get it: make it one "
            "of JSON's own types, as by msgspec.to_builtins(value), and annotate it as that"
        )


# --- state ------------------------------------------------------------------------------


def _state_of(agent: type) -> Any:
    """The annotation of `state`, or of `initial_state`, next to the class; else `Any`."""
    for cls in agent.__mro__:
        for name in ("state", "initial_state"):
            annotation = _annotation(cls, name)
            if annotation is not Any:
                return annotation
    return Any


def _annotation(cls: type, name: str) -> Any:
    member = vars(cls).get(name)
    owner: Any = member.fget if isinstance(member, property) else cls
    name = "return" if isinstance(member, property) else name
    try:
        annotation = evaluated(annotations_of(owner).get(name, Any), owner)
        if annotation in (ClassVar, Final):
            return Any
        if get_origin(annotation) in (ClassVar, Final):
            annotation = evaluated(get_args(annotation)[0], owner)
        type_info(annotation)
    except Exception:  # it names what is there for type checkers only, or is no type
        return Any
    return annotation


# --- comments ---------------------------------------------------------------------------

#: Names that a callable may have, and the npm package's own class of agents has, too.
TAKEN = re.compile(
    "broadcast|dequeue|destroy|lifecycle|mcp|observability|queue|render|retry|schedule|scheduler|"
    "sql|stash|tasks"
)


def _doc(agent: str, entry: Entry, convert: Convert) -> list[str]:
    told = entry.info.description or inspect.getdoc(entry.arguments.function) or ""
    lines = cleandoc(told).splitlines()
    if entry.info.streaming:
        _begin(lines)
        lines.append(f'Streams to `onChunk` of `call("{entry.name}", [...], {{ stream }})`.')
    if TAKEN.fullmatch(entry.name):
        _begin(lines)
        lines += [
            "The types of `agents` leave this name out of stubs, since the SDK's own class has it:",
            f"`(agent.stub as unknown as {agent}).{entry.name}(...)` calls it.",
        ]
    tags = []
    taken: set[str] = set()
    for one in entry.arguments.described(convert):
        name = parameter(one.name, taken)
        has_default = not one.is_needed and not one.is_rest and one.default is not None
        default = [one.default] if has_default else []
        if doc := parameter_doc(_kind(one.type), *default):
            tags.append(f"@param {name} - {doc}")
    if tags:
        _begin(lines)
    return lines + tags


def _begin(lines: list[str]) -> None:
    """A paragraph of its own."""
    if lines:
        lines.append("")
