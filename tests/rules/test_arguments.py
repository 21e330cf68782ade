"""The arguments that clients give, against a method's signature and annotations."""

import decimal
import functools
from typing import TYPE_CHECKING, Annotated, Any, ForwardRef

import msgspec
import pytest
from partyserver.errors import ClientError
from partyserver.rules import arguments
from partyserver.rules.arguments import Arguments, converter

if TYPE_CHECKING:
    from somewhere import Missing  # type: ignore[import-not-found]


class Point(msgspec.Struct):
    x: int
    y: int = 0


CONVERT = converter()


def checked(function, *args, given=1, convert=CONVERT):
    return Arguments(function, given).checked(args, convert)


def refused(function, *args, **options):
    with pytest.raises(ClientError) as error:
        checked(function, *args, **options)
    return error.value.message


def add(self, a: int, b: int = 0): ...


def test_what_fits_goes_through():
    assert checked(add, 1, 2) == [1, 2]
    assert checked(add, 1) == [1]
    assert checked(add, 1, convert=None) == [1]


def test_the_argument_that_is_missing_is_named():
    assert refused(add) == "a: missing"
    assert refused(add, convert=None) == "a: missing"


def test_too_many_arguments_are_counted():
    assert refused(add, 1, 2, 3) == "expected at most 2 arguments, got 3"

    def nothing(self): ...

    assert refused(nothing, 1) == "expected 0 arguments, got 1"


def test_the_argument_that_is_wrong_is_named():
    assert refused(add, "1") == "a: Expected `int`, got `str`"
    assert refused(add, 1, None) == "b: Expected `int`, got `null`"


def test_where_in_the_argument_it_is_wrong():
    def move(self, to: Point): ...

    assert checked(move, {"x": 1}) == [Point(1)]
    assert refused(move, {"x": "1"}) == "to.x: Expected `int`, got `str`"
    assert refused(move, {}) == "to.x: missing"

    def constrained(self, n: Annotated[int, msgspec.Meta(ge=1)]): ...

    assert refused(constrained, 0) == "n: Expected `int` >= 1"


def test_keys_are_texts_as_in_json():
    def take(self, names: dict[int, str], points: dict[float, Point]): ...

    assert checked(take, {"1": "a"}, {"0.5": {"x": 1}}) == [{1: "a"}, {0.5: Point(1)}]
    assert refused(take, {"a": "a"}, {}) == "a key of names: Expected `int`, got `str`"


def test_without_msgspec_nothing_is_compared():
    assert checked(add, "1", convert=None) == ["1"]


def test_the_rest():
    def total(self, first: int, *rest: int): ...

    def anything(self, *rest): ...

    assert checked(total, 1, 2, 3) == [1, 2, 3]
    assert refused(total, 1, 2, "3") == "argument 3: Expected `int`, got `str`"
    assert refused(total) == "first: missing"
    assert checked(anything, 1, "2") == [1, "2"]


def test_a_stream_is_not_the_clients():
    def count(self, stream: int, n: int): ...

    assert checked(count, 1, given=2) == [1]
    assert refused(count, "1", given=2) == "n: Expected `int`, got `str`"


def test_annotations_that_say_nothing():
    def bare(self, a, b: Any, c: "Missing", d: "list[Missing]", e: "int"): ...

    values = [object()] * 4
    assert checked(bare, *values, 1) == [*values, 1]
    assert refused(bare, *values, "1") == "e: Expected `int`, got `str`"


def test_an_annotation_that_names_what_comes_later_is_read_when_it_is_there():
    def later(self, a, b): ...

    later.__annotations__.update(a=ForwardRef("Later"), b=ForwardRef("int"))
    assert checked(later, "x", 1) == ["x", 1]
    assert refused(later, "x", "1") == "b: Expected `int`, got `str`"


def test_an_annotation_that_is_no_type_is_left_to_the_method():
    def odd(self, a: 5, b: int, *rest: 6): ...  # type: ignore[valid-type]

    arguments = Arguments(odd, 1)
    for _ in range(2):
        assert arguments.checked(["x", 1, "y"], CONVERT) == ["x", 1, "y"]


def test_a_value_that_breaks_the_conversion_leaves_the_check_on():
    class Picky(msgspec.Struct):
        n: int

        def __post_init__(self):
            raise ClientError("never these") if self.n else KeyError(self.n)

    def take(self, tags: set, picky: Picky | None, n: int = 0, *rest: Picky): ...

    arguments = Arguments(take, 1)
    for _ in range(2):
        with pytest.raises(TypeError, match="unhashable"):
            arguments.checked([[[]], None], CONVERT)
        for args in ([[], {"n": 1}], [[], None, 0, {"n": 1}]):
            with pytest.raises(ClientError, match="never these"):
                arguments.checked(args, CONVERT)
        with pytest.raises(KeyError):
            arguments.checked([[], {"n": 0}], CONVERT)
    with pytest.raises(ClientError, match="tags: Expected `array`, got `int`"):
        arguments.checked([1, None], CONVERT)
    with pytest.raises(ClientError, match=r"picky\.n: Expected `int`, got `str`"):
        arguments.checked([[], {"n": "1"}], CONVERT)


def test_a_decorated_method_is_the_one_below():
    @functools.wraps(add)
    def outer(*args, **kwargs): ...

    assert refused(outer, "1") == "a: Expected `int`, got `str`"


def test_an_annotation_of_a_type_of_ones_own():
    class Own: ...

    def take(self, own: Own): ...

    assert refused(take, 1) == "own: Expected `Own`, got `int`"


def test_an_annotation_as_text_may_name_what_is_around_the_method():
    class Own: ...

    def take(self, own: "Own"):
        return Own

    assert refused(take, 1) == "own: Expected `Own`, got `int`"


def test_what_is_told_of_arguments_is_what_they_are_compared_with():
    def move(self, a, to: "Point", c: "Missing", n: int = 3, *rest: str, loud=False) -> "Point": ...

    assert CONVERT is not None
    arguments = Arguments(move, 2)
    told = arguments.described(CONVERT)
    assert [(one.name, one.type, one.is_needed, one.is_rest) for one in told] == [
        ("to", Point, True, False),
        ("c", Any, True, False),
        ("n", int, False, False),
        ("rest", str, False, True),
    ]
    assert told[2].default == 3
    assert arguments.result(CONVERT) is Point

    def bare(self): ...

    def odd(self) -> 5: ...  # type: ignore[valid-type]

    assert Arguments(bare, 1).described(CONVERT) == []
    assert Arguments(bare, 1).result(CONVERT) is Any
    assert Arguments(odd, 1).result(CONVERT) is Any


def test_what_is_no_function_has_no_annotations():
    assert checked(functools.partial(add, None), "1", given=0) == ["1"]


def test_methods_that_cannot_be_called_with_a_list():
    def named(self, *, a): ...

    def fine(self, *, a=1): ...

    def no_stream(self): ...

    def open(*all): ...

    with pytest.raises(TypeError, match="as a has to be"):
        Arguments(named, 1)
    with pytest.raises(TypeError, match="too few arguments: it is given 2"):
        Arguments(no_stream, 2)
    assert checked(fine) == []
    assert checked(open, 1, given=2) == [1]


def test_msgspec_need_not_be_there(monkeypatch):
    def missing(name):
        raise ImportError(name)

    convert = converter()
    assert convert is not None
    assert convert("1.5", decimal.Decimal) == decimal.Decimal("1.5")
    monkeypatch.setattr(arguments, "import_module", missing)
    assert converter() is None
