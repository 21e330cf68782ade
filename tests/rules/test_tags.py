import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.tags import MAX_TAG_SIZE, MAX_TAGS, prepare_tags, tag_size

NINE = [f"t{number}" for number in range(9)]


@pytest.mark.parametrize(
    ("user_tags", "prepared"),
    [
        ([], ("id",)),
        ((), ("id",)),
        (["a", "b"], ("id", "a", "b")),
        (("b", "a"), ("id", "b", "a")),
        (["a", "b", "a"], ("id", "a", "b")),
        (["id", "a"], ("id", "a")),
        (["a", "id"], ("id", "a")),
        ({"a": 1}, ("id", "a")),
        (NINE, ("id", *NINE)),
        ([*NINE, *NINE, "id"], ("id", *NINE)),
        (["a" * 256], ("id", "a" * 256)),
        (["\0", " ", "€" * 85, "😀" * 64], ("id", "\0", " ", "€" * 85, "😀" * 64)),
    ],
)
def test_the_id_is_the_first_tag_and_each_tag_is_there_once(user_tags, prepared):
    assert prepare_tags("id", user_tags) == prepared


def test_tags_may_come_from_a_generator():
    assert prepare_tags("id", (tag for tag in "ab")) == ("id", "a", "b")


@pytest.mark.parametrize("user_tags", ["vip", "", b"bytes"])
def test_one_string_is_not_taken_for_its_letters(user_tags):
    with pytest.raises(TypeError, match="must return a list of tags") as refused:
        prepare_tags("id", user_tags)
    assert f"write [{user_tags!r}]" in str(refused.value)


@pytest.mark.parametrize("tag", [1, None, True, b"vip", ["vip"], 1.5])
def test_a_tag_that_is_no_str_is_a_type_error_that_names_it(tag):
    with pytest.raises(TypeError, match=r"^a tag must be a str, not ") as refused:
        prepare_tags("id", ["ok", tag])
    assert type(tag).__name__ in str(refused.value)
    assert repr(tag) in str(refused.value)


def test_an_empty_tag_is_a_value_error():
    with pytest.raises(ValueError, match="a tag must not be empty: ''"):
        prepare_tags("id", ["ok", ""])


@pytest.mark.parametrize(
    ("tag", "size"), [("a" * 257, 257), ("€" * 86, 258), ("😀" * 65, 260), ("\ud800" * 86, 258)]
)
def test_a_tag_over_the_platforms_limit_is_a_value_error_that_names_it(tag, size):
    with pytest.raises(ValueError, match=f"at most 256 bytes of UTF-8, not {size}: ") as refused:
        prepare_tags("id", ["ok", tag])
    assert repr(tag) in str(refused.value)


def test_a_tenth_tag_of_the_users_is_a_value_error_that_names_it():
    with pytest.raises(ValueError, match=r"at most 10 tags .* not 11: 'tenth' is one too many"):
        prepare_tags("id", [*NINE, "tenth"])


@pytest.mark.parametrize("user_tags", [None, 1])
def test_what_cannot_be_gone_through_is_a_type_error(user_tags):
    with pytest.raises(TypeError):
        prepare_tags("id", user_tags)


@given(st.text(min_size=1, max_size=64), st.lists(st.text(min_size=1, max_size=64), max_size=9))
def test_what_comes_out_is_what_the_platform_takes(connection_id, user_tags):
    prepared = prepare_tags(connection_id, user_tags)
    assert prepared[0] == connection_id
    assert set(prepared) == {connection_id, *user_tags}
    assert len(prepared) == len(set(prepared)) <= MAX_TAGS
    assert all(0 < tag_size(tag) <= MAX_TAG_SIZE for tag in prepared)


@given(st.text(max_size=300))
def test_a_tags_size_is_counted_in_bytes(tag):
    assert tag_size(tag) == len(tag.encode())
