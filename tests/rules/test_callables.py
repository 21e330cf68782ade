"""What is wrong with a method that clients call."""

from __future__ import annotations

import datetime
import functools
import json
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import pytest
from partyserver.rules.callables import not_json, stream_trouble

if TYPE_CHECKING:
    from somewhere import Missing  # type: ignore[import-not-found]


class Stream:
    def send(self, chunk: Any) -> bool: ...


class Own(Stream): ...


class Sends(Protocol):
    def send(self, chunk: Any) -> bool: ...


def trouble(function, *, streams=True):
    return stream_trouble("A.forgot", function, Stream, streams=streams)


def test_the_parameter_in_the_place_of_the_stream_is_told():
    def forgot(self, n: int): ...

    assert trouble(forgot) == (
        "A.forgot streams, and its first parameter n is an int: let it be the stream, "
        "def forgot(self, stream: agents.StreamingResponse, n)"
    )

    async def later(self, words: Annotated[list[str], "some"], count=1): ...

    assert trouble(later) == (
        "A.forgot streams, and its first parameter words is a list: let it be the stream, "
        "async def forgot(self, stream: agents.StreamingResponse, words, count)"
    )

    def either(self, n: int | None): ...

    assert "its first parameter n is an int | NoneType: let" in trouble(either)

    def named(self, stream: int): ...

    assert trouble(named).endswith("def forgot(self, stream: agents.StreamingResponse)")

    @functools.wraps(forgot)
    def outer(*args): ...

    assert trouble(outer) == trouble(forgot)


def test_nothing_is_said_of_what_may_be_a_stream():
    def plain(self, stream, n: int): ...
    def known(self, stream: Stream, n: int): ...
    def own(self, stream: Own): ...
    def annotated(self, stream: Annotated[Stream, "some"]): ...
    def of_base(self, stream: object): ...
    def of_protocol(self, stream: Sends): ...
    def whatever(self, stream: Any): ...
    def optional(self, stream: Stream | None = None): ...
    def missing(self, stream: Missing): ...
    def rest(self, *stream: int): ...

    functions = (plain, known, own, annotated, of_base, of_protocol, whatever, optional, missing)
    for one in (*functions, rest):
        assert trouble(one) is None, one


def test_a_stream_where_there_is_none_is_told():
    told = "A.forgot takes a stream: say so by @agents.callable(streaming=True)"

    def first(self, stream: Stream, n: int): ...
    def second(self, n: int, stream: Annotated[Own, "some"]): ...
    def none(self, n: int, m: Missing, *rest: int): ...

    assert trouble(first, streams=False) == told
    assert trouble(second, streams=False) == told
    assert trouble(none, streams=False) is None


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (datetime.datetime(2026, 1, 1), "at returned a datetime, which JSON has not"),
        ([{"a": {1}}], "at returned a list with a set in it, which JSON has not"),
        (int, "at returned a type, which JSON has not"),
        ({(1,): 1}, "at returned a dict that is no JSON: keys must be str, int, float, bool or"),
    ],
)
def test_a_result_that_json_has_not_is_told(result, told):
    with pytest.raises(TypeError) as error:
        json.dumps(result)
    assert str(not_json("at", result, error.value)).startswith(told)
