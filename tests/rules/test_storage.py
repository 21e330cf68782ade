from enum import StrEnum

import pytest
from partyserver.rules.storage import (
    MAX_KEY_SIZE,
    MAX_SIZE,
    NAME_KEY,
    checked_key,
    checked_value,
    is_possible_key,
    is_stored_as_it_is,
    list_options,
    size_of_key,
)


class Key(StrEnum):
    TOPIC = "topic"


@pytest.mark.parametrize("key", ["a", "a\0b", "ü" * 1024, "😀", "x" * MAX_KEY_SIZE, Key.TOPIC])
def test_a_key_is_text_up_to_a_size(key):
    assert is_possible_key(key)
    assert checked_key(key) == key
    assert type(checked_key(key)) is str


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "a storage key is not empty"),
        ("x" * 2049, "is 2049 bytes, and the limit is 2048 bytes"),
        ("ü" * 1025, "is 2050 bytes, and the limit is 2048 bytes"),
        ("a\ud800", "has half a surrogate pair"),
        (NAME_KEY, "is where the room's name is kept"),
    ],
)
def test_nothing_is_stored_under_another_text(key, why):
    assert not is_possible_key(key)
    with pytest.raises(ValueError, match=why) as refused:
        checked_key(key)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("key", [None, 1, b"a", ("a",)])
def test_a_key_that_is_no_text_is_a_type_error(key):
    for ask in (size_of_key, is_possible_key, checked_key):
        with pytest.raises(TypeError, match=r"^a storage key is a str, not "):
            ask(key)


def test_the_size_of_a_key_is_that_of_its_utf_8():
    assert [size_of_key(key) for key in ("", "a", "ü", "😀", "\ud800")] == [0, 1, 2, 4, 3]


def test_a_value_is_copied_as_it_will_be_read_back():
    assert checked_value("k", {"a": (1.0, {"x"})}) == {"a": [1, {"x"}]}


@pytest.mark.parametrize("value", ["", "a text", "x" * 2**20, 0, -1, 2**53 - 1, True])
def test_a_short_text_and_a_number_are_stored_as_they_are(value):
    assert is_stored_as_it_is(value)
    assert checked_value("x" * MAX_KEY_SIZE, value) is value


@pytest.mark.parametrize(
    "value",
    ["ü", "a\ud800", "x" * (2**20 + 1), Key.TOPIC, 2**53, -(2**53), 1.0, 0.5, None, b"", [], {}],
)
def test_others_are_looked_into_before(value):
    assert not is_stored_as_it_is(value)


def test_a_value_shares_its_limit_with_the_key():
    framing = 2 + 1 + 3  # the header, the tag, the length
    assert checked_value("key", "x" * (MAX_SIZE - framing - 3))
    with pytest.raises(ValueError, match=r"^the value of 'keys' is 2097153 bytes") as refused:
        checked_value("keys", "x" * (MAX_SIZE - framing - 3))
    assert "the limit is 2097152 bytes" in str(refused.value)


def test_the_options_of_a_listing_are_the_platforms():
    assert list_options(None, None, None, None, False) == {}
    assert list_options("", "a", "b", 3, True) == {
        "prefix": "",
        "start": "a",
        "end": "b",
        "limit": 3,
        "reverse": True,
    }


def test_a_listing_may_ask_for_more_than_there_can_be():
    assert list_options(None, None, None, 10**30, False) == {"limit": 2**31}


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ((1, None, None, None), TypeError, "prefix of a listing is a str, not int"),
        ((None, b"a", None, None), TypeError, "start of a listing is a str, not bytes"),
        ((None, None, ["a"], None), TypeError, "end of a listing is a str, not list"),
        ((None, None, None, "5"), TypeError, "limit of a listing is an int, not str"),
        ((None, None, None, 1.5), TypeError, "limit of a listing is an int, not float"),
        ((None, None, None, -1), ValueError, "limit of a listing is 0 or more, not -1"),
    ],
)
def test_other_options_are_refused(options, error, why):
    prefix, start, end, limit = options
    with pytest.raises(error, match=f"^{why}$"):
        list_options(prefix, start, end, limit, False)
