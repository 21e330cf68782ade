import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.errors import RequestRefusedError
from partyserver.rules.props import HEADER, decode_props, encode_props

from .npm_partyserver import call

EXAMPLES = [
    None,
    True,
    0,
    -1.5,
    1e300,
    "",
    "lobby",
    "Usuário",
    "€😀",
    "\0\n\r",
    [],
    {},
    [1, [2, [None]]],
    {"user": {"id": 1, "name": "José", "tags": ["a", "b"]}, "": None, "__proto__": 1},
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    # Half surrogate pairs too, but not both halves side by side: those are one character.
    | st.text() | st.sampled_from(["\ud800", "a\udfff"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


@given(json_values)
def test_any_json_value_arrives_as_it_was_sent(props):
    assert decode_props(encode_props(props)) == props


@given(json_values)
def test_the_header_is_ascii_on_one_line(props):
    header = encode_props(props)
    assert header.isascii()
    assert header.isprintable()


def test_npm_partyserver_reads_what_is_written_here():
    headers = [encode_props(props) for props in EXAMPLES]
    assert call("decodeProps", headers) == EXAMPLES


def test_what_npm_partyserver_writes_is_read_here():
    headers = call("encodeProps", EXAMPLES)
    assert [decode_props(header) for header in headers] == EXAMPLES


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", " \t{}", "[] ", '{"name": "José"}'])
def test_the_plain_json_of_older_routers_is_read(text):
    assert decode_props(text) == json.loads(text)


def test_spaces_around_the_header_do_not_count():
    assert decode_props(f"  {encode_props([1])} ") == [1]


def test_tuples_arrive_as_lists():
    assert decode_props(encode_props((1, (2,)))) == [1, [2]]


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "!",
        "not base64",
        "e30",  # no padding
        "e3 0=",
        "é",
        "€",
        "\ud800",
        "{",
        "[1,",
        "{'a': 1}",
        '"lobby"',  # plain JSON is an object or a list, or it could be base64
        "null",
        "[" * 100_000,
        base64("{"),
        base64("[1] [2]"),
        base64("[" * 100_000),
        base64("1" * 10_000),
        b64encode(b"\xff\xfe").decode(),
        b64encode(b'"\xed\xa0\x80"').decode(),  # half a surrogate pair in UTF-8
        base64("\ufeff{}"),
    ],
    ids=lambda header: repr(header[:20]),
)
def test_a_malformed_header_is_answered_with_400(header):
    with pytest.raises(RequestRefusedError, match=f"the {HEADER} header cannot be read") as refused:
        decode_props(header)
    assert refused.value.status == 400


@given(st.text())
def test_no_header_fails_in_another_way(header):
    with suppress(RequestRefusedError):
        decode_props(header)


@pytest.mark.parametrize("props", [float("nan"), float("inf"), [float("-inf")]])
def test_numbers_that_json_has_not_are_a_value_error_of_the_router(props):
    with pytest.raises(ValueError, match=r"not JSON compliant: it is at \$"):
        encode_props(props)


@pytest.mark.parametrize("props", [b"bytes", {1, 2}, ..., {"a": b""}, {(1, 2): 3}])
def test_what_is_no_json_value_is_a_type_error_of_the_router(props):
    with pytest.raises(TypeError):
        encode_props(props)
