"""What the libraries return and raise in a hook is what they return and raise elsewhere."""

import pytest

# What the platform says itself when a server cannot be reached or breaks off.
LOST = pytest.mark.log_may_hold("Network connection lost")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requests_text", "grüß"),
        ("requests_json", {"query": "q=a+b%26c"}),
        ("requests_bytes", list(range(256))),
        ("requests_status", [404, False, "the body of an error"]),
        ("requests_reason", "Not Found"),
        ("requests_session", ["Basic dXNlcjpwYXNzd29yZA==", "s"]),
        ("requests_cookies", [{"a": "1", "b": "2"}, "a=1; b=2"]),
        ("requests_no_redirect", [302, "/redirect/0"]),
        ("requests_stream", True),
        ("requests_gzip", "unzipped"),
        ("requests_head", [200, ""]),
        ("urllib3_itself", [200, {"query": "a=1"}]),
        ("urllib_text", [200, "OK", "grüß"]),
        ("urllib_bytes", list(range(256))),
        ("urllib_lines", ["one\n", "two\n"]),
        ("urllib_error_body", [404, "Not Found", "the body of an error", "2"]),
        ("urllib_auth", "Basic dXNlcjpwYXNzd29yZA=="),
        ("urllib_gzip", ["unzipped", None]),
        ("urllib_head", [200, ""]),
    ],
)
def test_a_call_returns(call, name, wanted):
    assert call(name) == ["returned", wanted]


@pytest.mark.parametrize(
    ("name", "method", "body", "content_type"),
    [
        ("requests_post", "POST", '{"gr\\u00fc\\u00df": [1, null]}', "application/json"),
        ("requests_post_bytes", "PUT", bytes(range(256)).decode("latin-1"), None),
        ("requests_post_form", "POST", "a=1&b=%C3%BC", "application/x-www-form-urlencoded"),
        ("urllib_post", "POST", "a=1", "application/x-www-form-urlencoded"),
        ("urllib_post_parts", "PUT", "one two", "application/x-www-form-urlencoded"),
    ],
)
def test_a_call_sends_a_body(call, name, method, body, content_type):
    outcome, got = call(name)
    assert outcome == "returned"
    assert (got["method"], got["body"]) == (method, body)
    assert got["headers"].get("content-type") == content_type
    assert got["headers"]["content-length"] == str(len(body.encode("latin-1")))


def test_a_call_sends_files(call):
    _, got = call("requests_files")
    assert 'name="f"; filename="a.txt"\r\n\r\ncontent\r\n' in got["body"]
    assert got["headers"]["content-type"].startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize(
    ("name", "agent"), [("requests_headers", "python-requests/"), ("urllib_headers", "Python-url")]
)
def test_headers_both_ways(call, name, agent):
    _, (got, *theirs) = call(name)
    assert got["headers"]["x-ours"] == "1"
    assert got["headers"]["user-agent"].startswith(agent)
    assert theirs[0] == "2"


def test_redirects_are_followed(call, server):
    end = f"{server.url}/redirect/0"
    assert call("requests_redirect") == ["returned", [end, [302, 302], "arrived"]]
    assert call("urllib_redirect") == ["returned", [end, "arrived"]]


@pytest.mark.parametrize(
    ("name", "kinds", "message"),
    [
        ("requests_raise_for_status", ["HTTPError"], "503 Server Error: Service Unavailable"),
        ("requests_redirect_loop", ["TooManyRedirects"], "Exceeded 30 redirects"),
        ("requests_timeout", ["ReadTimeout", "Timeout"], "Read timed out. (read timeout=0.2)"),
        ("requests_timeout_int", ["ReadTimeout", "Timeout"], "Read timed out. (read timeout=1)"),
        ("requests_body_timeout", ["ConnectionError"], "Read timed out"),
        ("requests_bad_url", ["MissingSchema"], "No scheme supplied"),
        ("requests_bad_json", ["JSONDecodeError"], "Expecting value"),
        ("urllib_status", ["HTTPError", "URLError"], "HTTP Error 404: Not Found"),
        ("urllib_redirect_loop", ["HTTPError", "URLError"], "infinite loop"),
        ("urllib_timeout", ["TimeoutError"], "timed out"),
        ("urllib_body_timeout", ["TimeoutError"], "timed out"),
    ],
)
def test_a_call_raises(call, name, kinds, message):
    outcome, got, text = call(name)
    assert outcome == "raised"
    assert got[: len(kinds)] == kinds
    assert message in text


@LOST
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("requests_refused", ["ConnectionError", "RequestException", "OSError"]),
        ("requests_broken", ["ChunkedEncodingError", "RequestException", "OSError"]),
        ("urllib_refused", ["URLError", "OSError"]),
        ("urllib_broken", ["URLError", "OSError"]),
    ],
)
def test_a_server_that_cannot_be_reached_or_breaks_off(call, name, kinds):
    outcome, got, text = call(name)
    assert outcome == "raised"
    assert got == kinds
    assert "Network connection lost" in text


def test_calls_outside_of_rooms(party, server):
    """In the worker's own fetch."""
    options = {"params": {"call": "urllib_text", "url": server.url}}
    assert party.fetch("/worker", **options).json() == ["returned", [200, "OK", "grüß"]]
