"""HTTP to an ASGI app."""

import json
import socket

import httpx
import pytest

FAILURES = pytest.mark.log_may_hold("the app has not finished its response")


def test_the_scope(plain, party):
    response = plain.fetch(
        "/scope/caf%C3%A9/a%2Fb?x=1&x=2&y=%20", headers={"X-Twice": "1", "cookie": "a=1; b=2"}
    )
    scope = response.json()
    sent = dict(scope.pop("headers"))
    assert sent["x-twice"] == "1"
    assert sent["cookie"] == "a=1; b=2"
    host, port = party.url.removeprefix("http://").split(":")
    assert sent["host"] == f"{host}:{port}"
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/scope/café/a/b",
        "raw_path": "/scope/caf%C3%A9/a%2Fb",
        "query_string": "x=1&x=2&y=%20",
        "root_path": "",
        "client": ["127.0.0.1", 0],
        "server": [host, int(port)],
        "extensions": {},
        "state": {"started": 1},
        "env": "_EnvWrapper",
        "partyserver.request": "Request",
        "partyserver.prefix": "parties",
    }


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_method(plain, method):
    assert plain.fetch("/scope", method).json()["method"] == method


def test_a_head_request_gets_the_headers_and_no_body(plain):
    response = plain.fetch("/length", "HEAD")
    assert response.headers["content-length"] == "10"
    assert response.content == b""


@pytest.mark.parametrize("status", [200, 201, 204, 205, 304, 404, 503])
def test_the_status(plain, status):
    response = plain.fetch(f"/status/{status}")
    assert response.status_code == status
    assert response.content == (b"" if status in (204, 205, 304) else b"body?")


def test_response_headers(plain, party):
    with plain.stream("/headers") as response:
        pairs = [(name.lower(), value) for name, value in response.headers.raw]
    assert [value for name, value in pairs if name == b"set-cookie"] == [b"a=1; Path=/", b"b=2"]
    assert dict(pairs)[b"x-utf-8"] == dict(pairs)[b"x-latin"] == "ü".encode()
    assert not {b"connection", b"keep-alive", b"transfer-encoding"} & dict(pairs).keys()
    assert dict(pairs)[b"content-length"] == b"7"


def test_a_streamed_body_keeps_its_length(plain):
    with plain.stream("/length") as response:
        assert response.headers["content-length"] == "10"
        assert response.read() == b"0123456789"
    plain.sees("sent")


def test_the_client_sees_each_part_of_a_stream_before_the_next_is_made(plain):
    with plain.stream("/steps") as response:
        parts = response.iter_raw()
        assert next(parts) == b"first"
        plain.fetch("/step/first")
        assert next(parts) == b"second"
        plain.fetch("/step/second")
        assert list(parts) == []


def test_the_headers_do_not_wait_for_the_body(plain):
    with plain.stream("/early") as response:
        assert response.headers["x-early"] == "1"
        plain.fetch("/step/body")
        assert response.read() == b"late"


def test_a_request_body(plain):
    assert plain.fetch("/upload", "POST", content=b"x" * 100).json() == [[100, True], [0, False]]
    plain.sees("http.disconnect")


def test_no_request_body(plain):
    assert plain.fetch("/upload").json() == [[0, False]]
    plain.sees("http.disconnect")


def test_a_large_request_body(plain):
    sizes = plain.fetch("/upload", "POST", content=b"x" * 5_000_000).json()
    assert sum(size for size, _ in sizes) == 5_000_000
    assert len(sizes) > 2
    plain.sees("http.disconnect")


def test_a_request_body_is_read_as_it_arrives(plain, party):
    host, port = party.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(
            b"POST /meanwhile HTTP/1.1\r\nhost: x\r\nx-site: plain\r\n"
            b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        received = b""
        while b"first" not in received:
            received += client.recv(1000)
        client.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(1000)
    assert b"second" in received


def test_a_receive_that_is_cancelled_loses_nothing(plain):
    body = bytes(range(256)) * 1000
    assert plain.fetch("/cancelled", "POST", content=body).content == body


def test_a_client_that_leaves_a_stream(plain):
    with plain.stream("/forever") as response:
        next(response.iter_raw())
    plain.sees("ClientDisconnected", "http.request", "http.disconnect")


def test_a_client_that_leaves_is_noticed_by_who_listens_for_it(plain):
    # Before a response has begun, the test runtime's own front does not pass the leaving on.
    with plain.stream("/listening") as response:
        next(response.iter_raw())
    plain.sees("http.disconnect")


def test_work_goes_on_after_the_answer(plain):
    assert plain.fetch("/after").text == "answered"
    plain.sees("after the answer")


def test_an_app_that_raises(plain, party):
    response = plain.fetch("/raise")
    assert response.status_code == 500
    assert response.text.startswith("Internal error (error id ")
    log = str(party.logs)
    assert "ZeroDivisionError: a secret of the app" in log
    assert "in the app: GET /raise" in log
    assert response.text.removesuffix(")")[-8:] in log


def test_an_app_that_is_cancelled(plain, party):
    assert plain.fetch("/give_up").status_code == 500
    assert "CancelledError" in str(party.logs)


def test_an_app_that_says_nothing(plain, party):
    assert plain.fetch("/silent").status_code == 500
    assert "the app has returned without a response" in str(party.logs)


@FAILURES
def test_a_response_that_breaks_off_does_not_look_whole(plain, party):
    with pytest.raises(httpx.RemoteProtocolError), plain.stream("/unfinished") as response:
        response.read()
    assert "ZeroDivisionError: in the middle" in str(party.logs)


def test_a_response_that_breaks_off_before_its_body_is_an_error(plain, party):
    response = plain.fetch("/unstarted")
    assert response.status_code == 500
    assert "ZeroDivisionError: before the body" in str(party.logs)


def test_messages_out_of_order(plain):
    assert plain.fetch("/order").json() == [
        "expected the response's start, and 'http.response.body' came",
        "the app sent 'websocket.accept' in answer to an HTTP request",
        "a response's status is 200 to 599 on this platform, not 101",
        "the response has begun already, and 'http.response.start' came",
    ]
    plain.sees("expected nothing more, and 'http.response.body' came")


# --- FastAPI ------------------------------------------------------------------------------


@pytest.fixture
def fastapi(site):
    return site("fastapi")


def test_fastapi_routes(fastapi):
    assert fastapi.fetch("/").json() == {"starts": 1, "greeting": "hello from the lifespan"}
    assert fastapi.fetch("/sync/a%20b?q=2").json() == {"name": "a b", "q": 2}
    assert fastapi.fetch("/sync/a?q=two").status_code == 422
    assert fastapi.fetch("/nowhere").json() == {"detail": "Not Found"}
    assert fastapi.fetch("/missing").json() == {"detail": "no such thing"}
    assert fastapi.fetch("/secret").status_code == 401
    assert fastapi.fetch("/secret", headers={"authorization": "Bearer x"}).json() == "x"
    assert fastapi.fetch("/env").json() == ["_EnvWrapper", True]


def test_fastapi_models(fastapi):
    item = {"name": "tea", "price": 2.5}
    assert fastapi.fetch("/items", "POST", json=item).json() == item
    wrong = fastapi.fetch("/items", "POST", json={"name": "t"}).json()
    assert [error["loc"] for error in wrong["detail"]] == [["body", "name"], ["body", "price"]]


def test_fastapi_documents_itself(fastapi):
    assert "/items" in fastapi.fetch("/openapi.json").json()["paths"]
    assert "swagger" in fastapi.fetch("/docs").text


def test_fastapi_middleware(fastapi):
    assert fastapi.fetch("/sync/a").headers["x-stamp"] == "GET"


def test_a_body_that_the_app_compresses_is_compressed_once(fastapi):
    response = fastapi.fetch("/long", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert json.loads(response.text) == "x" * 5000


def test_fastapi_streams(fastapi):
    assert fastapi.fetch("/stream").text == "part 0\npart 1\npart 2\n"


def test_fastapi_background_tasks(fastapi):
    assert fastapi.fetch("/background").json() == "later"
    while fastapi.fetch("/done").json() != ["background"]:
        pass


def test_asking_whether_the_client_has_gone(fastapi):
    response = fastapi.fetch("/disconnected", "POST", content=b"body")
    assert response.json() == ["body", False]


def test_fastapi_errors(site, party):
    response = site("fastapi-quiet").fetch("/raise")
    assert response.status_code == 500
    assert response.text == "Internal Server Error"
    assert "ZeroDivisionError: a secret of the route" in str(party.logs)
