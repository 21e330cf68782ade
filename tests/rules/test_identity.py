import json
from types import MappingProxyType

import pytest
from partyserver.errors import RequestRefusedError
from partyserver.rules.identity import MAX_SIZE, check_identity, encode_identity


@pytest.mark.parametrize("identity", [{}, {"user": "ü"}, MappingProxyType({"a": [None, 1.0]})])
def test_an_identity_is_any_mapping_that_json_holds(identity):
    text = encode_identity(identity)
    assert json.loads(text) == dict(identity)
    assert check_identity(text) == text


def test_an_identity_has_so_many_bytes_of_json():
    assert len(encode_identity({"x": "ü" * 2044}).encode()) == MAX_SIZE
    with pytest.raises(ValueError, match="at most 4096 bytes of JSON, not 4098"):
        encode_identity({"x": "ü" * 2045})


@pytest.mark.parametrize("identity", [{"x": object()}, {"x": float("nan")}, {"x": b""}])
def test_what_json_cannot_hold_is_no_identity(identity):
    with pytest.raises((TypeError, ValueError)):
        encode_identity(identity)


def test_a_deep_identity_is_refused_where_it_is_made():
    deep = []
    for _ in range(600):
        deep = [deep]
    with pytest.raises(ValueError, match="levels deep"):
        encode_identity({"x": deep})


def test_there_may_be_none():
    assert check_identity(None) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "1", 7, b"{}", '{"x":"' + "a" * 5000 + '"}']
)
def test_what_no_router_sends_is_refused(text):
    with pytest.raises(RequestRefusedError, match="identity cannot be read") as refused:
        check_identity(text)
    assert refused.value.status == 400
