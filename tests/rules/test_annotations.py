import functools
from typing import ForwardRef

import pytest
from partyserver.rules.annotations import annotations_of, evaluated


class Here: ...


def closed_over(is_there=True):
    """A function that knows a name around it, which is there or not yet."""

    def function():
        return Local

    if is_there:

        class Local: ...

    return function


def test_a_functions_annotations_and_those_of_nothing_else():
    def add(a: int, b: "Nowhere"): ...  # type: ignore[name-defined]  # noqa: F821

    assert list(annotations_of(add)) == ["a", "b"]
    assert annotations_of(add)["a"] is int
    for other in (functools.partial(add, 1), len, Here()):
        assert annotations_of(other) == {}


def test_a_class_has_its_own_annotations():
    class Base:
        a: int

    class Derived(Base):
        b: "Here"

    assert list(annotations_of(Derived)) == ["b"]
    assert annotations_of(Base)["a"] is int
    assert annotations_of(Here) == {}


@pytest.mark.parametrize("text", ["Here", ForwardRef("Here")])
def test_a_text_is_what_it_names_in_the_module(text):
    assert evaluated(text, closed_over()) is Here


def test_or_around_the_function_or_in_a_scope():
    function = closed_over()
    assert evaluated("Local", function) is function()
    assert evaluated("Inner", function, {"Inner": int}, {"Inner": str}) is str


def test_or_in_a_class_or_its_module():
    class Outer:
        class Inner: ...

    assert evaluated("Inner", Outer) is Outer.Inner
    assert evaluated(ForwardRef("Here"), Outer) is Here
    assert evaluated("int", type("Nameless", (), {"__module__": "not.imported"})) is int
    with pytest.raises(NameError):
        evaluated("Nowhere", Outer)


def test_what_is_no_text_is_itself():
    assert evaluated(int, closed_over()) is int
    assert evaluated(None, len) is None


def test_what_is_not_there_is_a_name_error():
    for name in ("Nowhere", "Local"):
        with pytest.raises(NameError):
            evaluated(name, closed_over(is_there=False))
