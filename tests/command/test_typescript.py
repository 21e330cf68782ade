"""TypeScript for what msgspec reads and writes. That it compiles, test_types.py tries."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.inspect import type_info
from partyserver.command.typescript import Declarations, not_json, parameter, parameter_doc

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    """How loud."""

    LOW = 1
    HIGH = 2


class Flags(enum.Flag):
    A = 1


class Place(Struct):
    x: int


class Keys(TypedDict):
    a: int
    b: NotRequired[str]


class Point(NamedTuple):
    x: float
    y: float = 0


class Box(Struct, Generic[T]):
    content: T


@dataclasses.dataclass
class Data:
    value: int


def told(annotation, direction="sent"):
    """A type in a field, and the declarations that it needs."""
    declarations = Declarations()
    text = declarations.type_of(type_info(annotation), direction)
    return text, "\n".join(declarations)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (str, "string"),
        (int, "number"),
        (float, "number"),
        (bool, "boolean"),
        (None, "null"),
        (Any, "unknown"),
        (object, "unknown"),
        (msgspec.Raw, "unknown"),
        (bytes, "string"),
        (bytearray, "string"),
        (memoryview, "string"),
        (datetime.datetime, "string"),
        (datetime.date, "string"),
        (datetime.time, "string"),
        (datetime.timedelta, "string"),
        (uuid.UUID, "string"),
        (decimal.Decimal, "string"),
        (Literal["b", "a c", 1], '1 | "a c" | "b"'),
        (Literal["ä\n\u2028"], '"\\u00e4\\n\\u2028"'),
        (str | None, "string | null"),
        (int | float | None, "number | null"),
        (list[str], "string[]"),
        (list[str | None], "(string | null)[]"),
        (list, "unknown[]"),
        (set[int], "number[]"),
        (frozenset[int], "number[]"),
        (tuple[int, ...], "number[]"),
        (Sequence[list[int]], "number[][]"),
        (tuple[int, str | None], "[number, string | null]"),
        (tuple[()], "[]"),
        (dict[str, int], "{ [key: string]: number }"),
        (dict[int, str], "{ [key: string]: string }"),
        (dict, "{ [key: string]: unknown }"),
        (Mapping[Literal["a", "b"], int], '{ [key in "a" | "b"]?: number }'),
        (dict[Color, int], "{ [key in Color]?: number }"),
        (Annotated[str, Meta(max_length=3)], "string"),
        (Annotated[str, Meta(description="A text.")], "string"),
        (Color, "Color"),
        (Flags, "number"),
        (Place, "Place"),
        (Place | None, "Place | null"),
        (list[Place], "Place[]"),
        (Box[int], "BoxInt"),
        (Box[list[Place]], "BoxListPlace"),
        (Data, "Data"),
        (Keys, "Keys"),
        (Point, "Point"),
    ],
    ids=str,
)
def test_a_type(annotation, text):
    assert told(annotation)[0] == text


@pytest.mark.parametrize(
    ("annotation", "declaration"),
    [
        (Place, "export interface Place {\n  /** @asType integer */\n  x: number;\n}\n"),
        (Color, 'export type Color = "red" | "blue";\n'),
        (Level, "/** How loud. */\nexport type Level = 1 | 2;\n"),
        (Box[bool], "export interface BoxBool {\n  content: boolean;\n}\n"),
        (Point, "export type Point = [x: number, y?: number];\n"),
        (
            Keys,
            "export interface Keys {\n  /** @asType integer */\n  a: number;\n  b?: string;\n}\n",
        ),
        (Data, "export interface Data {\n  /** @asType integer */\n  value: number;\n}\n"),
    ],
    ids=str,
)
def test_a_declaration(annotation, declaration):
    assert told(annotation)[1] == declaration


def test_who_gets_a_tuple_gets_all_of_it():
    assert told(Point, "received")[1] == "export type Point = [x: number, y: number];\n"
    assert told(Keys, "received") == told(Keys)


def test_a_struct_has_its_tag_its_names_on_the_wire_and_its_documentation():
    class Moved(Struct, tag_field="type", tag="moved", rename={"to_x": "to-x", "of": "von"}):
        """Somebody has moved.

        Or has been: */
        """

        to_x: Annotated[int, Meta(description="The column.\nFrom the left.", ge=0, lt=8)]
        of: str = "somebody"

    assert told(Moved)[1] == (
        "/**\n"
        " * Somebody has moved.\n"
        " *\n"
        " * Or has been: *\\/\n"
        " */\n"
        "export interface Moved {\n"
        '  type: "moved";\n'
        "  /**\n"
        "   * The column.\n"
        "   * From the left.\n"
        "   * @asType integer\n"
        "   * @minimum 0\n"
        "   * @exclusiveMaximum 8\n"
        "   */\n"
        '  "to-x": number;\n'
        '  /** @default "somebody" */\n'
        "  von?: string;\n"
        "}\n"
    )


def test_constraints_and_formats_are_told_in_comments():
    class Event(Struct):
        a: Annotated[str, Meta(title="A", pattern="^a*/$", min_length=1, examples=["a", b"b"])]
        b: Annotated[float, Meta(gt=0, le=1.5, multiple_of=0.5)] | None
        c: Annotated[list[Annotated[str, Meta(max_length=3)]], Meta(max_length=2, min_length=1)]
        d: dict[Annotated[str, Meta(min_length=2)], bytes]
        e: Annotated[datetime.datetime, Meta(tz=True)]
        f: Annotated[datetime.datetime, Meta(tz=False)]
        g: Annotated[bytes, Meta(max_length=9)]
        h: int | str
        i: list[Annotated[str, Meta(description="unheard")]]

    lines = [line.strip(" */") for line in told(Event)[1].splitlines()[1:-1]]
    assert "\n".join(filter(None, lines)) == "\n".join(
        [
            "A",
            "@minLength 1",
            "@pattern ^a*\\/$",
            '@example "a"',
            '@example "Yg=="',
            "a: string;",
            "@exclusiveMinimum 0",
            "@maximum 1.5",
            "@multipleOf 0.5",
            "b: number | null;",
            "@minItems 1",
            "@maxItems 2",
            "Of each item: maxLength 3",
            "c: string[];",
            "Of each key: minLength 2",
            "Of each: format base64",
            "d: { [key: string]: string };",
            "@format date-time",
            "With a time zone.",
            "e: string;",
            "@format date-time",
            "Without a time zone.",
            "f: string;",
            "@format base64",
            "@maxLength 9",
            "g: string;",
            "h: number | string;",
            "i: string[];",
        ]
    )


def test_defaults_are_told_as_they_are_on_the_wire():
    class Event(Struct):
        a: int = 1
        b: list[int] = []
        c: dict[str, int] = {}
        d: Color = Color.BLUE
        e: Place = msgspec.field(default_factory=lambda: Place(1))
        f: bytes = b"\0"
        g: Any = object()
        h: str | UnsetType = UNSET

    text = told(Event)[1]
    found = [
        line.split("@default ")[1].rstrip("*/ ") for line in text.splitlines() if "@def" in line
    ]
    assert found == ["1", "[]", "{}", '"blue"', '"AA=="']
    assert text.count("?: ") == 8


class Inner(Struct):
    a: int = 0


class Outer(Struct):
    inner: list[Inner]


class Plain(Struct):
    b: str


def test_a_class_that_is_sent_and_received_may_be_two_types():
    declarations = Declarations()
    for direction in ("sent", "received"):
        for cls in (Outer, Plain):
            declarations.type_of(type_info(cls), direction)
    texts = [" ".join(text.split()) for text in declarations]
    assert texts == [
        "export interface Outer { inner: Inner[]; }",
        "export interface Inner { /** * @asType integer * @default 0 */ a?: number; }",
        "export interface Plain { b: string; }",
        "export interface OuterReceived { inner: InnerReceived[]; }",
        "export interface InnerReceived { /** @asType integer */ a: number; }",
    ]
    # Who only gets it has it under its own name.
    assert "export interface Outer {" in told(Outer, "received")[1]


def test_what_is_left_out_when_it_is_the_default_may_be_missing():
    class Event(Struct, omit_defaults=True):
        a: int
        b: str = ""

    class Unset(Struct):
        a: str | UnsetType = UNSET
        b: str = ""

    assert "b?: string;" in told(Event, "received")[1]
    assert "a: number;" in told(Event, "received")[1]
    assert "a?: string;" in told(Unset, "received")[1]
    assert "b: string;" in told(Unset, "received")[1]


def test_a_struct_that_is_an_array_is_a_tuple():
    class Pair(Struct, array_like=True):
        left: str
        right: str = ""

    class Tagged(Pair, tag="tagged"):
        pass

    assert told(Pair)[1] == "export type Pair = [left: string, right?: string];\n"
    assert told(Tagged, "received")[1] == (
        'export type Tagged = [type: "tagged", left: string, right: string];\n'
    )


class Tree(Struct):
    value: Any
    branches: list[Tree] = []


def test_a_type_may_hold_itself():
    assert told(Tree | None)[0] == "Tree | null"
    assert "  branches?: Tree[];\n" in told(Tree)[1]


def test_names_are_free_and_words_of_typescript_are_none():
    declarations = Declarations()
    first, second, third = (msgspec.defstruct("Same", ["a"]) for _ in range(3))
    odd = msgspec.defstruct("string", ["a"])
    kinds = [type_info(cls) for cls in (first, second, odd, third, first)]
    assert [declarations.type_of(kind, "sent") for kind in kinds] == [
        "Same",
        "Same2",
        "string_",
        "Same3",
        "Same",
    ]
    assert declarations.declare("key", "Same", '"a"') == "Same4"
    assert list(declarations)[-1] == 'export type Same4 = "a";\n'


def test_a_name_can_be_taken_by_what_is_declared_elsewhere():
    declarations = Declarations()
    assert [declarations.reserve(name) for name in ("Place", "Place", "any")] == [
        "Place",
        "Place2",
        "any_",
    ]
    assert declarations.type_of(type_info(Place), "sent") == "Place3"
    assert next(iter(declarations)).startswith("export interface Place3 {")


def test_parameters_have_names_that_parameters_may_have():
    taken: set[str] = set()
    names = ["a", "new", "this", "new_", "eval", "string", "größe"]
    assert [parameter(name, taken) for name in names] == [
        "a",
        "new_",
        "this_",
        "new__",
        "eval_",
        "string",
        "größe",
    ]


def test_what_is_told_of_a_parameter():
    described = Annotated[int, Meta(title="A", description="The\nstep.", ge=1)]
    assert parameter_doc(type_info(described), 3) == "A The step. integer, minimum 1, default 3"
    assert parameter_doc(type_info(str)) == ""
    assert parameter_doc(type_info(str), "") == 'default ""'
    assert parameter_doc(type_info(Any), object()) == ""


class Nested(TypedDict):
    places: list[Nested]
    at: NotRequired[datetime.date]


@pytest.mark.parametrize(
    ("annotation", "wrong"),
    [
        (dict[str, list[int | None]], None),
        (dict[int, str], None),
        (tuple[Point, Literal["a"]], None),
        (Keys | Level, None),
        (enum.StrEnum("Text", "A"), None),
        (Any, None),
        (Place, "Place"),
        (Data | None, "Data"),
        (Box[int], "BoxInt"),
        (Color, "Color"),
        (Nested, "date"),
        (list[Annotated[set[int], Meta(max_length=1)]], "set"),
        (tuple[int, uuid.UUID], "UUID"),
        (dict[str, bytes], "bytes"),
        (msgspec.Raw, "Raw"),
    ],
    ids=str,
)
def test_what_json_has_not(annotation, wrong):
    assert not_json(type_info(annotation)) == wrong


def test_a_state_has_keys_that_are_texts():
    for annotation in (dict[int, str], list[dict[float, int]]):
        wrong = not_json(type_info(annotation), only_text_keys=True)
        assert wrong == "a dict whose keys are no text"
    for fine in (dict[str, int], dict[Literal["a"], int], dict):
        assert not_json(type_info(fine), only_text_keys=True) is None
