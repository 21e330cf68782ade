"""TypeScript for what msgspec reads and writes: declarations of classes, and types of fields.

What a client sends and what it gets may differ for one class: a field with a default may be left
out by who sends it, and is always there for who gets it.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import inspect

Direction = Literal["sent", "received"]


class Declarations:
    """The declarations of a module, each made when it is first named."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._named: dict[Any, str] = {}
        self._texts: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        """The texts, in the order in which they were named."""
        return iter(self._texts.values())

    def declare(self, key: Any, name: str, body: Any = None, doc: Iterable[str] = ()) -> str:
        """The name of a declaration: the one that was wanted, unless another has it already.

        `body` is a text, or a function that gives it: types may hold themselves.
        """
        known = self._named.get(key)
        if known is not None:
            return known
        self._named[key] = free = self.reserve(name)
        self._texts[free] = ""  # its place, before what it holds
        text = body if isinstance(body, str) else body()
        begin = f"interface {free} " if text.startswith("{") else f"type {free} = "
        end = "" if text.startswith("{") else ";"
        self._texts[free] = f"{comment(doc, '')}export {begin}{text}{end}\n"
        return free

    def reserve(self, name: str) -> str:
        """A name for what is declared elsewhere: the wanted one, or one that is free."""
        name = free = _identifier(name)
        number = 2
        while free in self._names:
            free = f"{name}{number}"
            number += 1
        self._names.add(free)
        return free

    def type_of(self, kind: inspect.Type, direction: Direction) -> str:
        """A type as it stands in a field."""
        match kind:
            case inspect.Metadata():
                return self.type_of(kind.type, direction)
            case inspect.UnionType():
                return _union(self.type_of(one, direction) for one in kind.types)
            case inspect.LiteralType():
                return _union(map(_literal, kind.values))
            case inspect.TupleType():
                return f"[{', '.join(self.type_of(one, direction) for one in kind.item_types)}]"
            case inspect.CollectionType():
                return list_of(self.type_of(kind.item_type, direction))
            case inspect.DictType() | inspect.FrozenDictType():
                return self._mapping(kind, direction)
            case inspect.EnumType():
                return self._enum(kind.cls)
            case (
                inspect.StructType()
                | inspect.TypedDictType()
                | inspect.DataclassType()
                | inspect.NamedTupleType()
            ):
                return self._class(kind, direction)
        return _PLAIN.get(type(kind), "unknown")

    def _mapping(self, kind: Any, direction: Direction) -> str:
        keys = self.type_of(kind.key_type, direction)
        value = self.type_of(kind.value_type, direction)
        if isinstance(kind.key_type, inspect.LiteralType | inspect.EnumType):
            return f"{{ [key in {keys}]?: {value} }}"
        return f"{{ [key: string]: {value} }}"

    def _enum(self, cls: type[enum.Enum]) -> str:
        if issubclass(cls, enum.Flag):
            return "number"
        body = _union(_literal(member.value) for member in cls)
        return self.declare(cls, cls.__name__, body, _doc_of(cls))

    def _class(self, kind: Any, direction: Direction) -> str:
        differs = _differs(kind, set())
        key = (kind.cls, direction if differs else None)
        name = _name_of(kind.cls)
        if differs and direction == "received":
            name = f"{name}Received" if (kind.cls, "sent") in self._named else name
        is_array = isinstance(kind, inspect.NamedTupleType) or getattr(kind, "array_like", False)
        body = self._tuple if is_array else self._object
        return self.declare(key, name, lambda: body(kind, direction), _doc_of(kind.cls))

    def _object(self, kind: Any, direction: Direction) -> str:
        lines = ["{\n"]
        if tag := getattr(kind, "tag_field", None):
            lines.append(f"  {property_name(tag)}: {_literal(kind.tag)};\n")
        for field in kind.fields:
            optional = "?" if _may_be_left_out(kind, field, direction) else ""
            lines.append(comment(_field_doc(field, direction), "  "))
            name, of = property_name(field.encode_name), self.type_of(field.type, direction)
            lines.append(f"  {name}{optional}: {of};\n")
        return "".join([*lines, "}"])

    def _tuple(self, kind: Any, direction: Direction) -> str:
        items = []
        if getattr(kind, "tag_field", None):
            items.append(f"{_word(kind.tag_field)}: {_literal(kind.tag)}")
        for field in kind.fields:
            optional = "?" if direction == "sent" and not field.required else ""
            items.append(f"{field.name}{optional}: {self.type_of(field.type, direction)}")
        return f"[{', '.join(items)}]"


#: Of what has no parts.
_PLAIN: dict[type[inspect.Type], str] = {
    inspect.NoneType: "null",
    inspect.BoolType: "boolean",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    **dict.fromkeys(
        (
            inspect.StrType,
            inspect.BytesType,
            inspect.ByteArrayType,
            inspect.MemoryViewType,
            inspect.DateTimeType,
            inspect.DateType,
            inspect.TimeType,
            inspect.TimeDeltaType,
            inspect.UUIDType,
            inspect.DecimalType,
        ),
        "string",
    ),
}


# --- what may be left out --------------------------------------------------------------


def _may_be_left_out(kind: Any, field: inspect.Field, direction: Direction) -> bool:
    if field.required:
        return False
    if direction == "sent":
        return True
    no_default = field.default is field.default_factory is msgspec.NODEFAULT
    return no_default or _omits_defaults(kind.cls)  # no default: one that is UNSET, or NotRequired


def _omits_defaults(cls: Any) -> bool:
    config = getattr(get_origin(cls) or cls, "__struct_config__", None)
    return config is not None and bool(config.omit_defaults)


def _differs(kind: Any, seen: set[Any]) -> bool:
    """Whether a class is another type for who sends it than for who gets it."""
    if isinstance(kind, tuple):
        return any(_differs(one, seen) for one in kind)
    if not isinstance(kind, inspect.Type) or id(kind) in seen:
        return False
    seen.add(id(kind))
    for field in getattr(kind, "fields", ()):
        if _may_be_left_out(kind, field, "sent") != _may_be_left_out(kind, field, "received"):
            return True
        if _differs(field.type, seen):
            return True
    return any(_differs(getattr(kind, part, None), seen) for part in _PARTS)


def not_json(kind: Any, *, only_text_keys: bool = False) -> str | None:
    """What in a type JSON cannot hold as it is, with no conversion; None if there is nothing."""
    return _not_json(kind, only_text_keys, set())


def _not_json(kind: Any, only_text_keys: bool, seen: set[Any]) -> str | None:
    if isinstance(kind, tuple):
        found = (_not_json(one, only_text_keys, seen) for one in kind)
        return next((one for one in found if one is not None), None)
    if not isinstance(kind, inspect.Type) or id(kind) in seen:
        return None
    seen.add(id(kind))
    match kind:
        case inspect.EnumType(cls=cls):
            return None if issubclass(cls, str | int) else cls.__name__
        case inspect.StructType(cls=cls) | inspect.DataclassType(cls=cls):
            return _name_of(cls)
        case _ if type(kind) in _NOT_JSON:
            return _NOT_JSON[type(kind)]
        case inspect.DictType(key_type=inspect.IntType() | inspect.FloatType()) if only_text_keys:
            return "a dict whose keys are no text"
    parts = [getattr(kind, part, None) for part in _PARTS]
    fields = [field.type for field in getattr(kind, "fields", ())]
    return _not_json((*parts, *fields), only_text_keys, seen)


#: What holds other types, beside fields.
_PARTS = ("type", "item_type", "item_types", "key_type", "value_type", "types")

_NOT_JSON: dict[type[inspect.Type], str] = {
    inspect.BytesType: "bytes",
    inspect.ByteArrayType: "bytearray",
    inspect.MemoryViewType: "memoryview",
    inspect.DateTimeType: "datetime",
    inspect.DateType: "date",
    inspect.TimeType: "time",
    inspect.TimeDeltaType: "timedelta",
    inspect.UUIDType: "UUID",
    inspect.DecimalType: "Decimal",
    inspect.SetType: "set",
    inspect.FrozenSetType: "frozenset",
    inspect.RawType: "Raw",
    inspect.ExtType: "Ext",
}


# --- names and literals ----------------------------------------------------------------


def _name_of(cls: Any) -> str:
    name = getattr(get_origin(cls) or cls, "__name__", str(cls))
    arguments = (_name_of(one) for one in get_args(cls))
    return "".join([name, *(one[:1].upper() + one[1:] for one in arguments)])


def _identifier(name: str) -> str:
    return f"{_word(name)}_" if _RESERVED.fullmatch(name) else _word(name)


def _word(name: str) -> str:
    return re.sub(r"\W", "_", name)


def parameter(name: str, taken: set[str]) -> str:
    """The name of a parameter, beside those that are `taken`, to which it is added."""
    name = _word(name)
    while name in taken or _NO_PARAMETER.fullmatch(name):
        name += "_"
    taken.add(name)
    return name


_WORDS = (
    "null|void|break|case|catch|class|const|continue|debugger|default|delete|do|else|"
    "enum|export|extends|false|finally|for|function|if|import|in|instanceof|new|"
    "return|super|switch|this|throw|true|try|typeof|var|while|with|implements|"
    "interface|let|package|private|protected|public|static|yield|await"
)

#: What no type may have for its name.
_RESERVED = re.compile(
    f"{_WORDS}|any|bigint|boolean|never|number|object|string|symbol|undefined|unknown|async|type"
)

#: What no parameter may have; one named `this` would be none.
_NO_PARAMETER = re.compile(f"{_WORDS}|arguments|eval")


def property_name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", name) else json.dumps(name)


def _literal(value: Any) -> str:
    return json.dumps(value)


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))


def list_of(item: str) -> str:
    return f"({item})[]" if " | " in item else f"{item}[]"


# --- comments --------------------------------------------------------------------------


def comment(lines: Iterable[str], indent: str) -> str:
    lines = [line.replace("*/", "*\\/").rstrip() for line in lines]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    inner = "".join(f"{indent} *{f' {line}' if line else ''}\n" for line in lines)
    return f"{indent}/**\n{inner}{indent} */\n"


def _doc_of(cls: Any) -> list[str]:
    cls = get_origin(cls) or cls
    doc = vars(cls).get("__doc__")
    if not isinstance(doc, str) or doc.startswith(f"{cls.__name__}("):  # a dataclass's own
        return []
    return cleandoc(doc).splitlines()


def parameter_doc(kind: inspect.Type, *default: Any) -> str:
    """What there is to say of a parameter in a line, with its default if it has one."""
    kind, schema = _schema(kind)
    told = [line.lstrip("@").replace("asType ", "") for line in _constraints(kind)]
    if default and (text := _json(default[0])) is not None:
        told.append(f"default {text}")
    return " ".join([*_described(schema), ", ".join(told)]).strip()


def _schema(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    schema: dict[str, Any] = {}
    while isinstance(kind, inspect.Metadata):
        schema = {**(kind.extra_json_schema or {}), **schema}
        kind = kind.type
    return kind, schema


def _described(schema: dict[str, Any]) -> list[str]:
    return [
        line for key in ("title", "description") for line in str(schema.get(key, "")).splitlines()
    ]


def _field_doc(field: inspect.Field, direction: Direction) -> list[str]:
    kind, schema = _schema(field.type)
    lines = _described(schema)
    lines += _constraints(kind)
    lines += [f"@example {_json(one)}" for one in schema.get("examples", ())]
    if direction == "sent" and not field.required and (default := _default(field)) is not None:
        lines.append(f"@default {default}")
    return lines


def _constraints(kind: inspect.Type) -> list[str]:
    """What msgspec checks beyond the type, as the tags that other tools read."""
    if isinstance(kind, inspect.Metadata):
        return _constraints(kind.type)
    if isinstance(kind, inspect.UnionType):
        others = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        found = [line for one in others for line in _constraints(one)]
        # Which of several it is of, a format does not say.
        return [line for line in found if len(others) == 1 or line not in _FORMATS.values()]
    lines = [_FORMATS[type(kind)]] if type(kind) in _FORMATS else []
    if (timezone := getattr(kind, "tz", None)) is not None:
        lines.append("With a time zone." if timezone else "Without a time zone.")
    is_list = hasattr(kind, "item_type") or hasattr(kind, "value_type")
    for name, (tag, tag_of_lists) in _TAGS.items():
        value = getattr(kind, name, None)
        if value is not None:
            lines.append(f"@{tag_of_lists if is_list else tag} {value}")
    for name, of in (("item_type", "each item"), ("key_type", "each key"), ("value_type", "each")):
        below = getattr(kind, name, None)
        if isinstance(below, inspect.Type) and (inner := _constraints(below)):
            told = ", ".join(line.lstrip("@") for line in inner)
            lines.append(f"Of {of}: {told}")
    return lines


_FORMATS: dict[type[inspect.Type], str] = {
    inspect.IntType: "@asType integer",
    **dict.fromkeys(
        (inspect.BytesType, inspect.ByteArrayType, inspect.MemoryViewType), "@format base64"
    ),
    inspect.DateTimeType: "@format date-time",
    inspect.DateType: "@format date",
    inspect.TimeType: "@format time",
    inspect.TimeDeltaType: "@format duration",
    inspect.UUIDType: "@format uuid",
    inspect.DecimalType: "@format decimal",
}

_TAGS = {
    "ge": ("minimum", ""),
    "gt": ("exclusiveMinimum", ""),
    "le": ("maximum", ""),
    "lt": ("exclusiveMaximum", ""),
    "multiple_of": ("multipleOf", ""),
    "min_length": ("minLength", "minItems"),
    "max_length": ("maxLength", "maxItems"),
    "pattern": ("pattern", ""),
}


def _default(field: inspect.Field) -> str | None:
    if field.default is not msgspec.NODEFAULT:
        return _json(field.default)
    if field.default_factory in (list, dict, set, frozenset, tuple):
        return _json(field.default_factory())
    return None


def _json(value: Any) -> str | None:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return None
