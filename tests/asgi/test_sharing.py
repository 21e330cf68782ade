"""Requests that wait for one another by asyncio's objects of a module: each goes on as itself."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from ..contracts.scripted import eventually


@pytest.fixture
def app(site):
    return site("others")


def held(app):
    """How many tasks the library holds, this request's own among them."""
    return app.fetch("/held").json()


def test_requests_take_turns_with_a_lock(app):
    before = held(app)
    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: app.fetch("/wait/lock").json(), range(4)))
        assert answers == ["had it"] * 4
    eventually(lambda: held(app) == before)


def test_a_client_that_leaves_the_line_keeps_no_lock(app):
    before = held(app)

    def line():
        return app.fetch("/line").json()

    with ThreadPoolExecutor(4) as pool:
        holds = pool.submit(app.fetch, "/hold/lock")
        eventually(lambda: line() == [0, True])
        address = urlsplit(app.party.url)
        with socket.create_connection((address.hostname, address.port)) as leaver:
            leaver.sendall(b"GET /wait/lock HTTP/1.1\r\nhost: x\r\nx-site: others\r\n\r\n")
            eventually(lambda: line() == [1, True])
        stays = pool.submit(app.fetch, "/wait/lock")
        eventually(lambda: line()[0] >= 1)
        app.fetch("/set/event")
        assert holds.result().json() == stays.result().json() == "had it"
    eventually(lambda: line() == [0, False])
    eventually(lambda: held(app) == before)


def test_a_request_waits_for_an_event_that_another_one_sets(app):
    before = held(app)
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(app.fetch, "/wait/event")
        eventually(lambda: held(app) > before)
        assert app.fetch("/set/event").status_code == 200
        assert waits.result().json() == "was set"
    eventually(lambda: held(app) == before)


def test_a_socket_waits_for_what_a_request_puts_into_a_queue(app):
    with app.connect("/wait/queue") as socket:
        assert socket.receive() == "waiting"
        assert app.fetch("/put/something").status_code == 200
        assert socket.receive() == "something"


def test_a_stream_waits_for_what_requests_put_into_a_queue(app):
    with app.stream("/lines") as response:
        lines = response.iter_lines()
        assert next(lines) == "waiting"
        for item in ("one", "two"):
            assert httpx.get(f"{app.party.url}/put/{item}", headers=app.headers).status_code == 200
            assert next(lines) == item


DEEP = "[" * 20_000 + "]" * 20_000


@pytest.mark.parametrize(("path", "status"), [("/items", 422), ("/form", 500)])
def test_deep_json_in_a_body_is_an_error_of_that_request(app, path, status):
    with app.connect("/wait/queue") as bystander:
        assert bystander.receive() == "waiting"
        body = f'{{"a": {DEEP}}}'
        headers = {"content-type": "application/json"}
        assert app.fetch(path, "POST", content=body, headers=headers).status_code == status
        assert app.fetch("/put/here").status_code == 200
        assert bystander.receive() == "here"


def test_deep_json_on_a_socket_is_a_value_error(app):
    with app.connect("/json") as socket:
        socket.send(DEEP)
        assert "JSON nested more than 500 levels deep" in socket.receive()
        socket.send("[1]")
        assert socket.receive() == "[1]"
