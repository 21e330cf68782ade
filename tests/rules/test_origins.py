import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.origins import origin_allowed, origin_of

URL = "https://chat.example/parties/chat/lobby?_pk=a"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example", ("https", "a.example", 443)),
        ("https://a.example/path?query#fragment", ("https", "a.example", 443)),
        ("HTTPS://A.Example:443/", ("https", "a.example", 443)),
        ("http://a.example", ("http", "a.example", 80)),
        ("http://a.example:8787", ("http", "a.example", 8787)),
        ("http://127.0.0.1:8787", ("http", "127.0.0.1", 8787)),
        ("http://[::1]:8787", ("http", "::1", 8787)),
        ("https://user:password@a.example", ("https", "a.example", 443)),
        ("https://a.example@b.example", ("https", "b.example", 443)),
        ("https://a.example:", ("https", "a.example", 443)),
        ("https://a.example:0", ("https", "a.example", 0)),
        ("ws://a.example", ("http", "a.example", 80)),
        ("wss://a.example", ("https", "a.example", 443)),
        ("chrome-extension://abc", ("chrome-extension", "abc", None)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        *["", "null", "a.example", "/path", "file:///etc/passwd", "https://", "data:text/html,x"],
        *["https://a.example:x", "https://a.example:65536", "https://[::1", "https://[x]"],
        *["\0", "https://:443"],
    ],
)
def test_what_has_no_host_or_a_broken_one_has_no_origin(url):
    assert origin_of(url) is None


def test_a_request_without_an_origin_does_not_come_from_a_page():
    assert origin_allowed(None, URL, [])


@pytest.mark.parametrize(
    "origin", ["https://chat.example", "https://chat.example:443", "HTTPS://CHAT.EXAMPLE"]
)
def test_a_page_of_the_same_origin_is_always_allowed(origin):
    assert origin_allowed(origin, URL, [])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://chat.example",
        "https://chat.example:8443",
        "https://chat.example:0",
        "https://chat.example.evil.example",
        "https://evil.example/https://chat.example",
        "https://chat.example@evil.example",
        "https://sub.chat.example",
        "https://xchat.example",
        "null",
        "",
        "*",
        "https://[",
    ],
)
def test_any_other_page_is_refused(origin):
    assert not origin_allowed(origin, URL, [])
    assert not origin_allowed(origin, URL, ["https://other.example", "not an origin", ""[:0] + "x"])


@pytest.mark.parametrize(
    ("origin", "allowed", "verdict"),
    [
        ("https://a.example", ["https://a.example"], True),
        ("https://a.example", ["https://b.example", "https://a.example"], True),
        ("https://a.example", ["https://a.example/"], True),
        ("https://a.example", ["https://a.example:443"], True),
        ("https://a.example", ["https://A.EXAMPLE"], True),
        ("https://a.example", {"https://a.example"}, True),
        ("https://a.example", ("https://b.example",), False),
        ("https://a.example", ["http://a.example"], False),
        ("https://a.example", ["a.example"], False),
        ("https://a.example", ["https://*.example"], False),
        ("http://localhost:5173", ["http://localhost:5173"], True),
        ("http://localhost:5173", ["http://localhost"], False),
        ("null", ["null"], True),
        ("null", ["https://a.example"], False),
        ("null", ["*"], True),
        ("https://a.example", ["*"], True),
        ("https://a.example", ["https://b.example", "*"], True),
    ],
)
def test_the_listed_origins_are_allowed(origin, allowed, verdict):
    assert origin_allowed(origin, URL, allowed) is verdict


def test_the_list_may_be_a_generator():
    assert origin_allowed("https://a.example", URL, (one for one in ["https://a.example"]))


@pytest.mark.parametrize(
    ("origin", "allowed", "verdict"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "https://*.example", False),
        ("https://a.example", "*", True),
    ],
)
def test_one_string_is_one_origin_and_not_its_letters(origin, allowed, verdict):
    assert origin_allowed(origin, URL, allowed) is verdict


@given(st.text() | st.text().map("https://{}".format), st.text())
def test_no_header_crashes_the_check(origin, allowed):
    assert origin_allowed(origin, URL, [allowed]) in (True, False)
