import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.attachment import (
    IDENTITY_KEYS,
    Attachment,
    copy_state,
    identity_in,
    read_state,
    unpack,
)

from .strategies import states

attachments = st.builds(
    Attachment,
    id=st.text(min_size=1),
    tags=st.lists(st.text()).map(tuple),
    uri=st.none() | st.text(),
    state=states,
    kept=st.dictionaries(st.text(), states),
    foreign=st.none(),
)


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
    copy = copy_state(state)
    assert copy == state
    for another in (copy_state(copy), read_state(copy)):
        assert repr(another) == repr(copy)  # so that 1, 1.0 and True stay apart


def test_a_state_is_json_like():
    """Of what cloning knows, see test_cloning.py: it has to fit into other languages' states."""
    assert copy_state(({"10": 1.0, "9": b"x"},)) == [{"9": b"x", "10": 1}]
    for value in ({1}, datetime.now(UTC), bytearray(b"x")):
        with pytest.raises(TypeError, match=r"^a connection's state is made of "):
            copy_state(value)


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


def test_only_what_json_keeps_is_written_as_json():
    identity = Attachment("a", ("a",), "https://x/", None)
    for kept in (
        identity,
        identity.with_state({"10": [1.5, "\ud800", None]}),
        identity.with_kept("auth", "{}").with_kept("part", 1),
    ):
        assert kept.json is not None
        assert json.loads(kept.json) == kept.pack()
    # It would be slower than other ways.
    assert identity.with_state("x" * 1025).json is None
    assert identity.with_state({"a": 1, "b": "x" * 1025}).json is None
    assert identity.with_state({"a": ["x" * 1024]}).json is not None
    for state in (b"", float("nan"), 2**53, [{"a": -(2**53)}], {1: 1}):
        assert identity.with_state(state).json is None
        assert identity.with_kept("part", state).json is None
    assert identity._replace(foreign=object()).json is None
    assert unpack({"__pk": {"id": "a", "tags": [2**53]}}).json is None  # somebody else's


@given(attachments)
def test_json_of_any_attachment_is_what_is_packed(attachment):
    if attachment.json is not None:
        assert attachment.json.isascii()
        assert json.loads(attachment.json) == attachment.pack()


@given(attachments)
def test_an_identity_is_in_an_attachment_and_in_its_keys_alone(attachment):
    packed = attachment.pack()
    part = {"__pk": {key: packed["__pk"][key] for key in ("id", "tags")}}
    assert identity_in(packed) == identity_in(part) == (attachment.id, attachment.tags)
    assert {*part, *part["__pk"]} == set(IDENTITY_KEYS)


def test_shares_are_told_roughly():
    attachment = Attachment("abc", ("abc", "ü"), None, {"k": [b"12", 1.5, "x" * 100]})
    shares = attachment.with_kept("presence", "y" * 50).shares()
    assert shares == {"id, tags and URL": 18, "state": 104, "presence": 50}


def test_who_it_is_from_is_text():
    attachment = Attachment("a", ("a",), None, None)
    assert attachment.auth is None
    assert attachment.with_kept("auth", "{}").auth == "{}"
    assert attachment.with_kept("auth", 1).auth is None
