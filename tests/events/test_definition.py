"""What happens to a class with `Events` when it is created: which method gets which events."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar, Union

import msgspec
import pytest
from partyserver.events import Event, Events, Meta, on
from partyserver.events.part import EVENTS
from partyserver.parts import Mark, Part, attach
from partyserver.reserved import check_callable, definition_of

from ..rules.test_definition import Life, Root

if TYPE_CHECKING:
    from partyserver import Connection
    from somewhere import Missing  # type: ignore[import-not-found]

T = TypeVar("T")


class Say(Event):
    text: str


class Move(Event):
    x: int = 0


class Box(Event, Generic[T]):
    content: T


def table(cls):
    return EVENTS.defined(cls)


def methods(cls):
    """The methods' names, by the type of their events."""
    known = table(cls)
    assert {cls.__struct_config__.tag for cls in known.methods} == set(known.received)
    return {cls.__struct_config__.tag: name for cls, name in known.methods.items()}


def room(annotation: Any, **more):
    """A class with one method whose event has this annotation."""

    def say(self, connection, event): ...

    if annotation is not None:
        say.__annotations__["event"] = annotation
    return type("Chat", (Events, Root), {"say": on(say)} | more)


def refused(annotation: Any, **more):
    with pytest.raises(TypeError) as caught:
        room(annotation, **more)
    return str(caught.value)


# --- annotations ----------------------------------------------------------------------


def test_the_annotation_of_the_second_parameter_says_which_events():
    class Chat(Events, Root):
        @on
        def first(self, connection: Connection, event: Say) -> Missing: ...

        @on
        async def second(self, connection: Missing, anything: Move, more: int = 0): ...

    assert methods(Chat) == {"say": "first", "move": "second"}


@pytest.mark.parametrize(
    ("annotation", "types"),
    [
        (Say, ["say"]),
        ("Say", ["say"]),
        ("Say | Move", ["say", "move"]),
        (Say | Move, ["say", "move"]),
        (Union[Say, "Move"], ["say", "move"]),
        (Annotated[Say, "note"], ["say"]),
        (Annotated["Say", "note"], ["say"]),
        (Box[int], ["box"]),
        ("Box[int] | Say", ["box", "say"]),
    ],
)
def test_what_an_annotation_may_be(annotation, types):
    assert methods(room(annotation)) == dict.fromkeys(types, "say")


def test_a_generic_event_is_validated_as_it_stands_in_the_annotation():
    decode = table(room(Box[int])).decode
    assert decode('{"type":"box","content":1}') == Box(1)
    with pytest.raises(
        msgspec.ValidationError, match=r"Expected `int`, got `str` - at `\$.content"
    ):
        decode('{"type":"box","content":"1"}')


def test_a_name_for_a_union_is_read_as_the_union():
    class Command:
        """As `type Command = Say | Move`, of Python 3.12."""

        __value__ = Say | Move

    assert methods(room(Command())) == {"say": "say", "move": "say"}


def test_events_may_stand_where_the_class_stands():
    class Local(Event):
        pass

    class Chat(Events, Root):
        class Inner(Event):
            pass

        @on
        def say(self, connection, event: Local | Inner): ...

        @on
        def last(self, connection, event: Last): ...

        class Last(Event):
            pass

    assert methods(Chat) == {"local": "say", "inner": "say", "last": "last"}


def test_a_name_of_the_function_around_is_known_by_its_closure():
    class Local(Event):
        pass

    def say(self, connection, event: Local):
        return Local, unset  # noqa: F821 -- which has no value

    unset = None
    del unset
    say.__annotations__["event"] = "Local"
    chat = type("Chat", (Events, Root), {"say": say})
    assert methods(chat) == {}
    marked = on(say)
    assert methods(type("Chat", (Events, Root), {"say": marked})) == {"local": "say"}


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (None, "`event` has none"),
        (str, "`event` is str"),
        ("'int'", "`event` is 'int'"),
        (Event, "`event` is Event"),
        (Say | None, "`event` is tests.events.test_definition.Say | None"),
        (Say | dict, "`event` is tests.events.test_definition.Say | dict"),
        (list[Say], "`event` is list"),
        (msgspec.Struct, "`event` is Struct"),
        (3, "`event` is 3"),
    ],
)
def test_any_other_annotation_is_refused(annotation, told):
    message = refused(annotation)
    assert message.startswith(
        "Chat.say: @on takes the event from the annotation of the second parameter, and that of "
    )
    assert told in message
    assert message.endswith("def say(self, connection: Connection, event: Say)`")


def test_a_name_that_is_not_there_is_refused():
    assert refused("Missing") == (
        "Chat.say: there is no Missing yet when the class is created, and @on needs it: define it "
        "before the class, or import it, and not under TYPE_CHECKING"
    )


@pytest.mark.parametrize("method", [Say, 3, staticmethod(lambda c, e: None), property()])
def test_on_goes_on_methods(method):
    with pytest.raises(TypeError, match="@on takes no arguments and goes on a method"):
        on(method)


def test_a_method_takes_a_connection_and_an_event():
    def few(self, event: Say): ...

    def many(self, connection, event: Say, more): ...

    def keyword(self, connection, *, event: Say): ...

    def yields(self, connection, event: Say):
        yield

    async def yields_too(self, connection, event: Say):
        yield

    told = []
    wrong: list[Any] = [few, many, keyword, yields, yields_too]
    for method in wrong:
        with pytest.raises(TypeError) as caught:
            type("Chat", (Events, Root), {"say": on(method)})
        told.append(str(caught.value))
    arity = "Chat.say must take self, a connection and an event, as in"
    assert [one.startswith(arity) for one in told] == [True] * 3 + [False] * 2
    assert told[3:] == ["Chat.say has a yield in it, and so would never run"] * 2


def test_a_hook_cannot_be_one_of_them():
    for name in ("on_message", "on_start", "fetch"):

        def hook(self, connection, event: Say): ...

        with pytest.raises(TypeError, match=rf"Chat\.{name} cannot have @on, since it is a hook"):
            type("Chat", (Events, Root), {name: on(hook)})


def test_other_decorators_may_stand_on_both_sides():
    def logged(method):
        @functools.wraps(method)
        def wrapper(*args, **kwargs):
            return method(*args, **kwargs)

        return wrapper

    class Chat(Events, Root):
        @on
        @logged
        def say(self, connection, event: Say): ...

        @logged
        @on
        def move(self, connection, event: Move): ...

    assert methods(Chat) == {"say": "say", "move": "move"}


# --- types ----------------------------------------------------------------------------


def test_one_method_gets_all_events_of_a_type():
    def again(self, connection, event: Say): ...

    def other(self, connection, event: Other): ...

    class Other(Event, tag="say"):
        pass

    other.__annotations__["event"] = Other
    for method in (again, other):
        message = refused(Say, again=on(method))
        assert message.startswith(
            "Chat.again gets events of the type 'say', and so does say: one method gets all of "
        )


@pytest.mark.parametrize(
    "options", [{"tag": 1}, {"tag": ""}, {"tag": False}, {"tag_field": "kind"}]
)
def test_the_type_of_an_event_is_a_text_in_type(options):
    with pytest.raises(TypeError, match=r"^Odd (is an object with a text|has an empty tag)"):
        room(msgspec.defstruct("Odd", [], bases=(Event,), **options))


def test_an_event_is_an_object():
    class Odd(Event, array_like=True):
        pass

    with pytest.raises(TypeError, match=r"^Odd is an object with a text for"):
        room(Odd)


def test_an_event_has_no_type_of_another_mixin_that_is_used():
    @attach(Part(name="presence", rank=500, reserves=("presence_state",)))
    class Presence: ...

    class PresenceState(Event): ...

    def state(self, connection, event: PresenceState): ...

    state.__annotations__["event"] = PresenceState
    assert methods(type("Chat", (Events, Root), {"state": on(state)})) == {
        "presence_state": "state"
    }
    told = "is of the type 'presence_state', which is that of presence: name the class otherwise"
    for bases in [(Events, Presence, Root), (Presence, Events, Root)]:
        with pytest.raises(TypeError, match=f"PresenceState {told}"):
            type("Chat", bases, {"state": on(state)})
        with pytest.raises(TypeError, match=f"^Chat.sends: PresenceState {told}"):
            type("Chat", bases, {"sends": (PresenceState,)})


def test_no_event_is_called_error():
    class Error(Event): ...

    assert refused(Error).startswith(
        "Chat.say: Error is of the type 'error', which is that of what"
    )
    assert "class Error(Event, tag='my_error')" in refused(Error)


def test_fields_have_types_that_json_has():
    class Odd(Event):
        deep: dict[str, list[Life | None]]

    class Unknown(Event):
        field: Missing

    class Ambiguous(Event):
        field: Say | dict

    class Tree(Event):
        left: Tree | None = None
        branches: list[Tree] = []

    assert refused(Odd).startswith("Chat: Odd.deep holds Life, of which there is no JSON")
    assert refused(Unknown).startswith("Chat: there is no Missing when the class is created")
    assert refused(Ambiguous).startswith(
        "Chat: Type unions may not contain more than one dict-like"
    )
    globals()["Tree"] = Tree
    assert methods(room(Tree)) == {"tree": "say"}


# --- sends ----------------------------------------------------------------------------


def test_what_a_class_and_its_bases_send_adds_up():
    class Chat(Events, Root):
        sends: ClassVar[Sequence[type[Event]]] = (Say,)

    class Mixin:
        sends: ClassVar[Sequence[type[Event]]] = [Move]

    class Sub(Mixin, Chat):
        sends = (Box[int], Say)

    assert table(Chat).sends == {"say": Say}
    assert table(Sub).sends == {"say": Say, "move": Move, "box": Box[int]}


def test_sends_lists_classes_of_events():
    class Other(Event, tag="say"):
        pass

    for sends, told in [
        (Say, r"Chat\.sends is a tuple of event classes, as in sends = \(Said,\), not <class"),
        ("say", r"Chat\.sends is a tuple"),
        ((Say(""),), r"Chat\.sends has event classes in it, and not Say\(text=''\)"),
        ((Event,), r"Chat\.sends has event classes in it, and not <class"),
        ((dict,), r"Chat\.sends has event classes in it"),
        ((Say, Other), r"Chat\.sends has two events of the type 'say'"),
    ]:
        with pytest.raises(TypeError, match=told):
            type("Chat", (Events, Root), {"sends": sends})


def test_events_that_sends_does_not_list_may_be_sent():
    class Error(Event): ...

    known = table(type("Chat", (Events, Root), {}))
    assert known.text_of(Say("a")) == '{"type":"say","text":"a"}'
    assert known.text_of(Say("b")) == '{"type":"say","text":"b"}'
    assert known.text_of(Box(1)) == '{"type":"box","content":1}'
    for event, told in [
        ({}, "emit takes an object of a class that derives from Event, not dict"),
        (Say, "emit takes an object of a class that derives from Event, not the class Say"),
        (Error(), "emit: Error is of the type 'error'"),
    ]:
        with pytest.raises(TypeError, match=told):
            known.text_of(event)


class Chain(Event):
    link: Chain | None = None


class Pair(msgspec.Struct):
    items: list[Any]


@pytest.mark.parametrize("cls", [Chain, Box])
def test_an_event_that_may_be_nested_without_end_is_looked_at_before_it_is_sent(cls):
    """What is deep enough ends the process: there is no error to catch."""
    known = table(type("Chat", (Events, Root), {}))

    def nested(levels, wrap=cls, value=None):
        for _ in range(levels - 1):
            value = wrap(value)
        return cls(value)

    assert known.text_of(nested(500)).count("{") == 500
    with pytest.raises(ValueError, match=f"{cls.__name__} is nested at most 500 levels deep, and"):
        known.text_of(nested(100_000))
    if cls is Chain:
        return
    for wrap in (
        lambda value: [value],
        lambda value: (value,),
        lambda value: {"a": value},
        lambda value: Pair([value]),
        lambda value: dataclasses.make_dataclass("Data", ["value"])(value),
    ):
        known.text_of(nested(200, wrap))
        with pytest.raises(ValueError, match="levels deep"):
            known.text_of(nested(600, wrap))
    loop: list[Any] = []
    loop.append(loop)
    twice: Any = None
    for _ in range(600):
        twice = [twice, twice]
    for value in (loop, twice):
        with pytest.raises(ValueError, match="levels deep"):
            known.text_of(Box(value))


def test_a_field_may_be_any_object():
    class Told(Event):
        value: object = None

    known = table(type("Chat", (Events, Root), {"sends": (Told,)}))
    assert known.text_of(Told([1])) == '{"type":"told","value":[1]}'
    deep: Any = None
    for _ in range(600):
        deep = [deep]
    with pytest.raises(ValueError, match="levels deep"):
        known.text_of(Told(deep))


# --- inheritance ----------------------------------------------------------------------


class Base(Events, Root):
    @on
    def say(self, connection, event: Say):
        return "base"


def test_methods_of_several_bases_add_up():
    class Moving(Events, Root):
        @on
        def move(self, connection, event: Move): ...

    class Plain:
        @on
        def box(self, connection, event: Box[str]): ...

    class Both(Plain, Base, Moving): ...

    assert methods(Both) == {"move": "move", "say": "say", "box": "box"}


def test_an_override_gets_the_same_events_or_those_of_its_own():
    class Same(Base):
        def say(self, connection, event): ...

    class Again(Base):
        @on
        def say(self, connection, event: Say): ...

    class Others(Base):
        @on
        def say(self, connection, event: Move): ...  # type: ignore[override]

    class None_(Base):
        say = None

    assert methods(Same) == methods(Again) == {"say": "say"}
    assert methods(Others) == {"move": "say"}
    assert methods(None_) == {}
    assert methods(type("Sub", (Others,), {"say": lambda self, connection, event: None})) == {
        "move": "say"
    }


def test_an_override_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"Sub\.say must take self, a connection and an event"):
        type("Sub", (Base,), {"say": lambda self: None})
    with pytest.raises(TypeError, match=r"Sub\.say is no method, and a base of the class has one"):
        type("Sub", (Base,), {"say": 3})


def test_a_method_that_hides_anothers_events_is_refused():
    class Other(Events, Root):
        @on
        def say(self, connection, event: Move): ...

    with pytest.raises(
        TypeError, match=r"^Both.say is that of Base, which hides that of Other for Move"
    ):
        type("Both", (Base, Other), {})

    class Same(Events, Root):
        @on
        def say(self, connection, event: Say): ...

    assert methods(type("Both", (Base, Same), {})) == {"say": "say"}


def test_without_events_it_is_refused():
    class Talking:
        @on
        def say(self, connection, event: Say): ...

    told = (
        r"^Chat.say has @on, which would never call it without Events: class Chat\(Events, Server\)"
    )
    with pytest.raises(TypeError, match=told):
        type("Chat", (Talking, Root), {})
    assert methods(type("Chat", (Talking, Events, Root), {})) == {"say": "say"}


def test_they_are_called_at_once_and_not_from_outside():
    """As hooks are: it is the library that calls them, when the room has started."""
    chat = Base(Life())
    assert chat.say(None, None) == "base"
    with pytest.raises(AttributeError, match=r"Base\.say cannot be called from outside"):
        check_callable(chat, "say")
    sub = type("Sub", (Base,), {"say": lambda self, connection, event: "sub"})
    assert sub(Life()).say(None, None) == "sub"
    for name in ("say", "emit"):
        with pytest.raises(AttributeError, match=rf"Sub\.{name} cannot be called from outside"):
            check_callable(sub(Life()), name)
    assert "say" not in definition_of(type("Chat", (Events, Root), {})).parts.hidden


# --- the package ----------------------------------------------------------------------


def test_without_msgspec_the_package_says_what_to_install(tmp_path):
    (tmp_path / "msgspec.py").write_text("raise ModuleNotFoundError('no', name='msgspec')")
    script = "import sys; sys.path.insert(0, sys.argv[1]); import partyserver.events"
    command = [sys.executable, "-c", script, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (
        '\nImportError: partyserver.events needs msgspec: run `uv add "partyserver[events]"`, '
        "unless pyproject.toml lists it, and `uv run pywrangler sync`" in done.stderr
    )
    (tmp_path / "msgspec.py").write_text("import no_such_module")
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.stderr.rstrip().endswith("No module named 'no_such_module'")


def test_meta_is_msgspecs():
    assert Meta is msgspec.Meta


def test_a_method_with_the_decorator_of_another_mixin_gets_no_events():
    part = Part(name="part", rank=1)
    mixin: Any = attach(part)(type("Mixin", (), {}))

    def add(self): ...

    Mark(part, "@callable", "Mixin", is_public=True).put_on(add)
    cls: Any = type("Chat", (mixin, Events, Root), {"add": add})
    assert methods(cls) == {}
