import math
from collections import OrderedDict, defaultdict, namedtuple
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, IntEnum, StrEnum

import pytest
from hypothesis import given
from partyserver.rules import cloning
from partyserver.rules.cloning import STATE, STORED, read, size
from partyserver.rules.messages import MAX_JSON_DEPTH

from .strategies import states


class Color(str, Enum):  # noqa: UP042 -- its str() is not its value
    RED = "red"


class Shade(StrEnum):
    DARK = "dark"


class Level(IntEnum):
    HIGH = 3


class Ratio(float):
    pass


class Raw(bytes):
    pass


Point = namedtuple("Point", "x y")


def copied(value):
    """A copy, which is the same of both kinds where both take the value."""
    copy = cloning.copy(value, STORED)
    assert repr(cloning.copy(value, STATE)) == repr(copy)
    return copy


def containers(value):
    """`value` and every list and dict in it."""
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


@given(states)
def test_a_state_is_read_back_equal(state):
    assert copied(state) == state


@given(states)
def test_what_was_read_back_stays_as_it_is(state):
    copy = copied(state)
    for another in (copied(copy), read(copy)):
        assert repr(another) == repr(copy)  # so that 1, 1.0 and True stay apart


@pytest.mark.parametrize(
    ("number", "read"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9007199254740992.0"),
        (1e300, "1e+300"),
        (2**53 + 1, "9007199254740993"),
        (True, "True"),
        (Ratio(2.0), "2"),
    ],
)
def test_a_number_is_read_back_as_javascript_has_it(number, read):
    assert repr(copied(number)) == read
    assert repr(copied([{"a": number}])) == f"[{{'a': {read}}}]"


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["b", "a"], ["b", "a"]),
        (["10", "9"], ["9", "10"]),
        (["b", "2", "a", "1"], ["1", "2", "b", "a"]),
        (["0", "00", "-1", "+1", "1.5", "1e1", " 1", "1"], ["0", "1", "00", "-1", "+1", "1.5"]),
        (["4294967295", "4294967294"], ["4294967294", "4294967295"]),
        (["99999999999", "3"], ["3", "99999999999"]),
        (["\xb2", "\u0661", "1"], ["1", "\xb2", "\u0661"]),
    ],
)
def test_keys_are_read_back_in_javascripts_order(keys, order):
    copy = copied(dict.fromkeys(keys))
    assert list(copy)[: len(order)] == order
    assert set(copy) == set(keys)


def nested(depth):
    value: object = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


def test_a_state_may_be_nested_as_deeply_as_json():
    assert repr(copied(nested(MAX_JSON_DEPTH))) == repr(nested(MAX_JSON_DEPTH))


def holding_itself():
    value = []
    value.append({"a": value})
    return value


@pytest.mark.parametrize("kind", [STATE, STORED])
@pytest.mark.parametrize("value", [nested(MAX_JSON_DEPTH + 1), nested(5_000), holding_itself()])
def test_a_state_nested_deeper_is_a_value_error(value, kind):
    with pytest.raises(ValueError, match=f"^{kind.noun} is nested at most 500 levels deep$"):
        cloning.copy(value, kind)


@given(states)
def test_a_copy_shares_nothing_that_can_change(state):
    originals = {id(one) for one in containers(state)}
    assert originals.isdisjoint(id(one) for one in containers(copied(state)))


def test_a_list_that_is_in_a_state_twice_is_two_lists_in_the_copy():
    shared = []
    one, other = copied([shared, shared])
    assert one is not other


def test_numbers_that_json_has_not_are_kept():
    assert copied([math.inf, -math.inf]) == [math.inf, -math.inf]
    assert math.isnan(copied(math.nan))


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        (Color.RED, "red"),
        (Shade.DARK, "dark"),
        (Level.HIGH, 3),
        (Ratio(0.5), 0.5),
        (Raw(b"x"), b"x"),
        (OrderedDict(a=(1,)), {"a": [1]}),
        (defaultdict(list, a=[Level.HIGH]), {"a": [3]}),
        ({"a": Color.RED}, {"a": "red"}),
    ],
)
def test_a_kind_of_a_plain_value_is_kept_as_the_plain_value(value, plain):
    copy = copied(value)
    assert copy == plain
    assert type(copy) is type(plain)
    assert repr(copy) == repr(plain)


class Day(datetime):
    pass


class Words(set):
    pass


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({1.0}, {1}),  # of one item each: the order of more differs from process to process
        ({Level.HIGH}, {3}),
        (frozenset([Color.RED]), {"red"}),
        (Words(), set()),
        (bytearray(b"x"), b"x"),
        (memoryview(b"abcd")[::2], b"ac"),
        (datetime(2030, 1, 2, 3, 4, 5, 678_999), datetime(2030, 1, 2, 3, 4, 5, 678_000, UTC)),
        (Day(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
        (
            datetime(9999, 12, 31, 23, 59, 59, 999_999, timezone(timedelta(hours=2), "there")),
            datetime(9999, 12, 31, 21, 59, 59, 999_000, UTC),
        ),
    ],
)
def test_what_is_stored_may_be_richer_than_a_state(value, plain):
    for stored in (value, [value], {"a": (value,)}):
        with pytest.raises(TypeError, match=r"^a connection's state is made of "):
            cloning.copy(stored, STATE)
    copy = cloning.copy([value], STORED)
    assert copy == [plain]
    assert repr(copy) == repr([plain])
    assert repr(cloning.copy(copy, STORED)) == repr(copy)


def test_a_set_may_have_many_items():
    assert cloning.copy({1.0, "x", Level.HIGH, 0.5}, STORED) == {1, "x", 3, 0.5}


@pytest.mark.parametrize("item", [None, b"x", (1,), frozenset()])
def test_a_set_has_plain_items_only(item):
    with pytest.raises(TypeError, match=r"^a set in a stored value has str, int, float and bool"):
        cloning.copy({"a": {item, 1}}, STORED)


OTHERS = [..., 1j, len, range(3), Exception("x"), timedelta(1), date(2027, 1, 1)]


@pytest.mark.parametrize("kind", [STATE, STORED])
@pytest.mark.parametrize("value", OTHERS, ids=str)
def test_anything_else_is_a_type_error_that_names_it(value, kind):
    for state in (value, [value], {"a": [{"b": value}]}):
        with pytest.raises(TypeError, match=f"^{kind.noun} is made of ") as refused:
            cloning.copy(state, kind)
        assert f"not {type(value).__name__}: {value!r}" in str(refused.value)


@pytest.mark.parametrize("kind", [STATE, STORED])
@pytest.mark.parametrize("key", [1, None, True, b"a", ("a",)])
def test_a_key_that_is_no_str_is_a_type_error_that_names_it(key, kind):
    with pytest.raises(TypeError, match=f"^{kind.noun} has str keys only") as refused:
        cloning.copy({"ok": {key: 1}}, kind)
    assert str(refused.value).endswith(repr(key))


# --- sizes: what the platform says of these is asked in tests/contracts/test_storage.py ----


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(0, 2), (1, 2), (-64, 2), (64, 3), (-65, 3), (200, 3), (2**30 - 1, 6), (-(2**30), 6)],
        *[(2**30, 9), (2**53 - 2, 9), (2**53 - 1, 10), (2**60, 10), (-(2**70), 18), (2**600, 83)],
        *[(1.5, 9), (math.inf, 9), (None, 1), (True, 1), (False, 1)],
        *[("", 2), ("abc", 5), ("é", 3), ("x" * 128, 131), (b"", 7), (b"abc", 10)],
        *[(b"x" * 1000, 1009), ([], 5), ([1, 2, 3], 11), ({}, 3), ({"a": 1}, 8), ({1}, 5)],
        *[({"1": 1}, 7), ({"01": 1}, 9), (datetime.now(UTC), 9)],
        # Units of two bytes begin at an even place, which is after the header of two.
        *[("€", 4), ("€€", 6), ("😀", 6), ("\ud800", 4), (["€"], 9), (["a", "€"], 13)],
        ("€" * 64, 2 + 1 + 128 + 1),
    ],
)
def test_a_size_is_what_v8_serializes(value, expected):
    assert size(value) == 2 + expected


@given(states)
def test_any_copy_has_a_size(state):
    assert size(cloning.copy(state, STORED)) > 2


def test_a_moment_that_utc_has_not_is_a_value_error():
    with pytest.raises(ValueError, match="outside of the years 1 to 9999 in UTC"):
        cloning.copy(datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), STORED)
