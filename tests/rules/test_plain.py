"""Which values JSON keeps, and JavaScript, too."""

from __future__ import annotations

import json
from collections import OrderedDict
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.plain import MAX_LEVELS, is_plain

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_what_is_plain_is_the_same_after_json(value):
    assert is_plain(value)
    assert repr(json.loads(json.dumps(value))) == repr(value)


class Number(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


OTHERS = [
    *(2**53, -(2**53), float("nan"), float("inf"), -float("inf")),
    *(b"", bytearray(), (), {1}, object(), Number.ONE, Text("x"), OrderedDict()),
    *({1: 2}, {None: 1}, {Text("x"): 1}),
]


@pytest.mark.parametrize("value", OTHERS, ids=[str(at) for at in range(len(OTHERS))])
def test_all_else_is_not(value):
    assert not is_plain(value)
    assert not is_plain([0, value])
    assert not is_plain({"a": 0, "b": [value]})


def test_other_mappings_are_plain_where_they_are_named():
    value = {"a": [OrderedDict(b=1)]}
    assert not is_plain(value)
    assert is_plain(value, (dict, OrderedDict))


def test_what_is_nested_deeply_is_left_to_others():
    value: Any = 1
    for _ in range(MAX_LEVELS):
        value = [value]
    assert is_plain(value)
    assert not is_plain([value])


def test_what_holds_itself_is_not_plain():
    value: list[Any] = []
    value.append(value)
    assert not is_plain(value)
