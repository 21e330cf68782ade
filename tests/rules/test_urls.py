from unicodedata import normalize
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.urls import (
    PartyUrl,
    match_party_url,
    path_behind,
    path_of,
    prefix_length,
    query_value,
)

HOST = "https://chat.example"

# What may stand in a segment of a URL's path after the runtime has read it.
segments = st.from_regex(r"([abAB01._~!$&'()*+,;=:@|^-]|%(2F|2f|00|25)){1,12}", fullmatch=True)
segments = segments.filter(lambda segment: segment not in (".", ".."))


@pytest.mark.parametrize(
    ("url", "party", "room"),
    [
        ("/parties/chat/lobby", "chat", "lobby"),
        ("/parties/chat/lobby/", "chat", "lobby"),
        ("/parties/chat/lobby/history/1", "chat", "lobby"),
        ("/parties/chat/lobby?_pk=a", "chat", "lobby"),
        ("/parties/chat/lobby#top", "chat", "lobby"),
        ("/parties/chat/lobby?next=/parties/x/y", "chat", "lobby"),
        ("//parties//chat//lobby", "chat", "lobby"),
        ("/parties/My-Server/Lobby", "My-Server", "Lobby"),
        ("/parties/__proto__/constructor", "__proto__", "constructor"),
        ("/parties/chat/parties", "chat", "parties"),
        ("/parties/parties/parties", "parties", "parties"),
        ("/parties/chat/%2F", "chat", "%2F"),
        ("/parties/chat/a%2Fb/c", "chat", "a%2Fb"),
        ("/parties/chat/%00", "chat", "%00"),
        ("/parties/chat/%E2%82%AC", "chat", "%E2%82%AC"),
        ("/parties/chat/%e2%82%ac", "chat", "%e2%82%ac"),
        ("/parties/chat/%", "chat", "%"),
        ("/parties/chat/...", "chat", "..."),
        ("/parties/chat/" + "a" * 1000, "chat", "a" * 1000),
        ("/parties/chat/https://x.example/", "chat", "https:"),
    ],
)
def test_a_party_url_names_a_party_and_a_room(url, party, room):
    assert match_party_url(HOST + url) == PartyUrl(party, room)


@pytest.mark.parametrize(
    "url",
    [
        *["", "/", "/parties", "/parties/", "/parties/chat", "/parties/chat/", "/parties//chat/"],
        *["/Parties/chat/lobby", "/party/chat/lobby", "/partiesx/chat/lobby", "/x/parties/a/b"],
        *["/chat/lobby", "?/parties/chat/lobby", "#/parties/chat/lobby", "/%70arties/chat/lobby"],
        *["/parties?/chat/lobby", "/parties/chat#/lobby", "?x=://h/parties/chat/lobby"],
    ],
)
def test_any_other_url_is_no_party_url(url):
    assert match_party_url(HOST + url) is None


@pytest.mark.parametrize(
    ("prefix", "url", "room"),
    [
        ("party", "/party/chat/lobby", "lobby"),
        ("api/v1/rooms", "/api/v1/rooms/chat/lobby", "lobby"),
        ("/api/rooms/", "/api/rooms/chat/lobby", "lobby"),
        ("api/rooms", "/api/chat/lobby", None),
        ("api/rooms", "/api/rooms/chat", None),
        ("api/rooms", "/parties/chat/lobby", None),
        ("parties", "/parties/chat/lobby", "lobby"),
    ],
)
def test_a_prefix_may_hold_several_segments(prefix, url, room):
    match = match_party_url(HOST + url, prefix)
    assert (match and match.room) == room


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:8787", "https://[::1]", "https://u:p@x.example"]
)
def test_the_host_does_not_matter(host):
    assert match_party_url(f"{host}/parties/chat/lobby") == ("chat", "lobby")
    assert match_party_url(host) is None


@given(segments, segments)
def test_no_two_different_names_meet_in_one_room(one, other):
    rooms = {match_party_url(f"{HOST}/parties/chat/{name}").room for name in (one, other)}
    assert rooms == {one, other}


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_different_texts_meet_in_one_room(one, other):
    names = {quote(text, safe="") for text in (one, other)} - {".", ".."}
    assert {match_party_url(f"{HOST}/parties/chat/{name}").room for name in names} == names


def test_a_name_in_nfc_and_in_nfd_are_two_rooms():
    names = [quote(normalize(form, "José")) for form in ("NFC", "NFD")]
    one, other = [match_party_url(f"{HOST}/parties/chat/{name}") for name in names]
    assert one != other


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://h", ""),
        ("https://h/", "/"),
        ("https://h/a//b/", "/a//b/"),
        ("https://h/%2F?a=/b#/c", "/%2F"),
        ("https://h?/a", ""),
        ("https://h#/a", ""),
        ("https://h/a?x=http://y/z", "/a"),
        ("https://h/http://y/z", "/http://y/z"),
    ],
)
def test_a_path_keeps_its_percent_encoding(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("_pk=a", "a"),
        ("_pk=a&_pk=b", "a"),
        ("x=1&_pk=a&y=2", "a"),
        ("_pk=", ""),
        ("_pk", ""),
        ("_pk=&_pk=b", ""),
        ("_pk=a%20b+c", "a b c"),
        ("_pk=%E2%82%AC", "€"),
        ("_pk=%00", "\0"),
        ("_pk=a=b", "a=b"),
        ("_pk=a;b", "a;b"),
        ("_pk=%", "%"),
        ("_pk=%ff", "\ufffd"),
        ("_pk=a#&_pk=b", "a"),
        ("_pk=a?_pk=b", "a?_pk=b"),
        ("%5Fpk=a", "a"),
        ("_PK=a", None),
        ("x_pk=a", None),
        ("_pkx=a", None),
        ("x=_pk", None),
        ("&&&", None),
        ("", None),
    ],
)
def test_a_query_value_is_read_as_urlsearchparams_reads_it(query, value):
    assert query_value(f"{HOST}/parties/chat/lobby?{query}", "_pk") == value


def test_a_url_without_a_query_has_no_values():
    assert query_value(f"{HOST}/_pk=a", "_pk") is None
    assert query_value(f"{HOST}/#?_pk=a", "_pk") is None


@given(st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=3))
def test_every_value_arrives_as_it_was_sent(value, others):
    others = [(key, other) for key, other in others if key != "_pk"]
    assert query_value(f"{HOST}/?{urlencode([*others, ('_pk', value)])}", "_pk") == value


@pytest.mark.parametrize(
    ("url", "segments", "path"),
    [
        ("/parties/chat/lobby", 3, ""),
        ("/parties/chat/lobby/", 3, ""),
        ("/parties/chat/lobby/a/b", 3, "a/b"),
        ("//parties//chat//lobby//a//b/", 3, "a//b/"),
        ("/parties/chat/lobby/a%2Fb%20?c#d", 3, "a/b "),
        ("/parties/chat/lobby/%ff", 3, "\ufffd"),
        ("/parties/chat/lobby/a", 4, ""),
        ("/a/b", 0, "a/b"),
        ("", 3, ""),
    ],
)
def test_the_path_behind_a_room(url, segments, path):
    assert path_behind(HOST + url, segments) == path


@pytest.mark.parametrize(("prefix", "length"), [("parties", 1), ("/api/rooms/", 2), ("", 1)])
def test_a_prefix_has_segments(prefix, length):
    assert prefix_length(prefix) == length
