import pytest
from partyserver.rules.query import Query


def test_a_query_is_a_mapping_of_the_last_values():
    query = Query("https://x/y?a=1&b=%C3%BC+%26&a=2&c#d=3")
    assert dict(query) == {"a": "2", "b": "ü &", "c": ""}
    assert list(query) == ["a", "b", "c"]
    assert len(query) == 3
    assert query.get("d") is None
    with pytest.raises(KeyError):
        query["d"]
    assert repr(query) == "Query({'a': '2', 'b': 'ü &', 'c': ''})"


def test_all_values_of_a_name_are_there():
    query = Query("/?a=1&a=&a=1")
    assert query.get_all("a") == ["1", "", "1"]
    assert query.get_all("b") == []
    query.get_all("a").append("changed")
    assert query.get_all("a") == ["1", "", "1"]


@pytest.mark.parametrize("url", [None, "", "https://x/y", "https://x/?", "https://x/#?a=1"])
def test_a_url_may_have_none(url):
    assert dict(Query(url)) == {}


@pytest.mark.parametrize("url", ["/?%", "/?%ff=%fe", "/?=&==&&", "/?a;b=1", "/?" + "a&" * 10_000])
def test_any_query_can_be_read(url):
    assert all(isinstance(value, str) for value in Query(url).values())
