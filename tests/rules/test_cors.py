from types import MappingProxyType

import pytest
from partyserver.rules.cors import cors_headers

from .npm_partyserver import call


def test_false_sets_no_headers():
    assert cors_headers(False) is None


def test_true_is_npm_partyservers_permissive_default():
    [npm] = call("resolveCorsHeaders", [True])
    assert cors_headers(True) == npm


@pytest.mark.parametrize("headers", [{"Access-Control-Allow-Origin": "https://a.example"}, {}])
def test_a_mapping_is_used_as_it_is(headers):
    assert cors_headers(headers) == headers
    assert cors_headers(MappingProxyType(headers)) == headers


@pytest.mark.parametrize("cors", [None, 0, 1, "*", ["*"], "https://a.example"])
def test_anything_else_is_a_type_error(cors):
    with pytest.raises(TypeError, match=r"^cors must be True, False or a mapping of headers, not "):
        cors_headers(cors)
