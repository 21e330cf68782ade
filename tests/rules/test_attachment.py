import math
from collections import OrderedDict, defaultdict, namedtuple
from enum import Enum, IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.attachment import Attachment, copy_state, read_state, unpack
from partyserver.rules.messages import MAX_JSON_DEPTH


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

states = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
attachments = st.builds(
    Attachment,
    id=st.text(min_size=1),
    tags=st.lists(st.text()).map(tuple),
    uri=st.none() | st.text(),
    state=states,
    kept=st.dictionaries(st.text(), states),
    foreign=st.none(),
)


def containers(value):
    """`value` and every list and dict in it."""
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


def test_the_layout_is_npm_partyservers():
    attachment = Attachment("a", ("a", "vip"), "https://x.example/", {"n": 1})
    assert attachment.pack() == {
        "__pk": {"id": "a", "tags": ["a", "vip"], "uri": "https://x.example/"},
        "__user": {"n": 1},
    }


def test_other_tags_and_another_state_leave_the_rest_as_it_was():
    attachment = Attachment("a", ("a", "vip"), "https://x.example/", 1)
    assert attachment.with_tags(("a",)) == Attachment("a", ("a",), "https://x.example/", 1)
    assert attachment.with_state([2]) == Attachment("a", ("a", "vip"), "https://x.example/", [2])
    assert attachment == Attachment("a", ("a", "vip"), "https://x.example/", 1)


@given(attachments)
def test_what_was_packed_is_unpacked_the_same(attachment):
    assert unpack(attachment.pack()) == attachment


@pytest.mark.parametrize(
    "value",
    [
        *[None, 1, "x", [], {}, b"", {"id": "a"}, {"__user": 1}],
        *[{"__pk": value} for value in (None, "a", [], {}, {"id": None}, {"id": 1}, {"tags": []})],
    ],
)
def test_a_socket_that_is_not_this_librarys_has_no_attachment(value):
    assert unpack(value) is None


@pytest.mark.parametrize(
    ("value", "attachment"),
    [
        ({"__pk": {"id": "a"}}, Attachment("a", (), None, None)),
        ({"__pk": {"id": ""}}, Attachment("", (), None, None)),
        ({"__pk": {"id": "a", "tags": None, "uri": None}}, Attachment("a", (), None, None)),
        ({"__pk": {"id": "a", "tags": "vip", "uri": 1}}, Attachment("a", (), None, None)),
        ({"__pk": {"id": "a", "x": 1}, "__user": 0, "x": 1}, Attachment("a", (), None, 0)),
    ],
)
def test_what_an_attachment_lacks_is_taken_as_nothing(value, attachment):
    assert unpack(value) == attachment


@given(states)
def test_a_state_is_read_back_equal(state):
    assert copy_state(state) == state


@given(states)
def test_what_was_read_back_stays_as_it_is(state):
    copy = copy_state(state)
    for another in (copy_state(copy), read_state(copy)):
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
    assert repr(copy_state(number)) == read
    assert repr(copy_state([{"a": number}])) == f"[{{'a': {read}}}]"


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
    copy = copy_state(dict.fromkeys(keys))
    assert list(copy)[: len(order)] == order
    assert set(copy) == set(keys)


def nested(depth):
    value: object = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


def test_a_state_may_be_nested_as_deeply_as_json():
    assert repr(copy_state(nested(MAX_JSON_DEPTH))) == repr(nested(MAX_JSON_DEPTH))


def holding_itself():
    value = []
    value.append({"a": value})
    return value


@pytest.mark.parametrize("value", [nested(MAX_JSON_DEPTH + 1), nested(5_000), holding_itself()])
def test_a_state_nested_deeper_is_a_value_error(value):
    with pytest.raises(ValueError, match="nested at most 500 levels deep"):
        copy_state(value)


@given(states)
def test_a_copy_shares_nothing_that_can_change(state):
    originals = {id(one) for one in containers(state)}
    assert originals.isdisjoint(id(one) for one in containers(copy_state(state)))


def test_a_list_that_is_in_a_state_twice_is_two_lists_in_the_copy():
    shared = []
    one, other = copy_state([shared, shared])
    assert one is not other


def test_numbers_that_json_has_not_are_kept():
    assert copy_state([math.inf, -math.inf]) == [math.inf, -math.inf]
    assert math.isnan(copy_state(math.nan))


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
    copy = copy_state(value)
    assert copy == plain
    assert type(copy) is type(plain)
    assert repr(copy) == repr(plain)


@pytest.mark.parametrize(
    "value", [object(), {1}, 1j, bytearray(b"x"), memoryview(b"x"), len, range(3), Exception("x")]
)
def test_anything_else_is_a_type_error_that_names_it(value):
    for state in (value, [value], {"a": [{"b": value}]}):
        with pytest.raises(TypeError, match=r"^a connection's state is made of ") as refused:
            copy_state(state)
        assert f"not {type(value).__name__}: {value!r}" in str(refused.value)


@pytest.mark.parametrize("key", [1, None, True, b"a", ("a",)])
def test_a_key_that_is_no_str_is_a_type_error_that_names_it(key):
    with pytest.raises(TypeError, match=r"^a connection's state has str keys only") as refused:
        copy_state({"ok": {key: 1}})
    assert str(refused.value).endswith(repr(key))


# --- what parts and others keep -------------------------------------------------------


def test_what_parts_keep_stands_in_one_further_key():
    plain = Attachment("a", ("a",), None, {"x": 1})
    assert "__py" not in plain.pack()
    kept = plain.with_kept("presence", ["b"]).with_kept("auth", {"user": 1})
    assert kept.pack()["__py"] == {"presence": ["b"], "auth": {"user": 1}}
    assert unpack(kept.pack()) == kept
    assert kept.with_kept("presence", None).with_kept("auth", None) == plain


def test_keys_that_are_unknown_are_kept_as_they_were_found():
    packed = Attachment("a", ("a",), None, None).pack()
    found = object()
    assert unpack(packed, found).foreign is None
    foreign = unpack(packed | {"ofAnother": 1}, found)
    assert foreign.foreign is found
    # What is found is written again below ours, which may have gone since.
    assert foreign.pack()["__py"] == {}


def test_what_is_no_mapping_of_shares_is_none():
    assert unpack(Attachment("a", ("a",), None, None).pack() | {"__py": [1]}).kept == {}


def test_only_what_json_holds_is_written_as_json():
    identity = Attachment("a", ("a",), "https://x/", None)
    assert identity.is_json
    assert not identity.with_state(b"").is_json
    assert not identity.with_kept("part", 1).is_json
    assert identity.with_kept("auth", "{}").is_json
    assert not identity.with_kept("auth", 1).is_json
    assert not identity.with_kept("auth", "{}").with_kept("part", 1).is_json
    assert not identity._replace(foreign=object()).is_json


def test_shares_are_told_roughly():
    attachment = Attachment("abc", ("abc", "ü"), None, {"k": [b"12", 1.5, "x" * 100]})
    shares = attachment.with_kept("presence", "y" * 50).shares()
    assert shares == {"id, tags and URL": 18, "state": 104, "presence": 50}


def test_who_it_is_from_is_text():
    attachment = Attachment("a", ("a",), None, None)
    assert attachment.auth is None
    assert attachment.with_kept("auth", "{}").auth == "{}"
    assert attachment.with_kept("auth", 1).auth is None
