"""Clients that leave: an app's end of it, and what is not logged."""

import socket
import time

import pytest

#: What an isolate says of itself before its first answer.
AT_FIRST = "partyserver: shortcuts: "

#: The generators, and the tasks of requests.
SETTLED = ("open", "requests")


class Leaving:
    """An app beside rooms, or in one."""

    def __init__(self, site, base, beside):
        self.site, self.party, self.base = site, site.party, base
        #: Asks the same interpreter, in a task that is the request's own.
        self.ask = beside.fetch

    def leave_stream(self, path):
        with self.site.stream(self.base + path) as response:
            next(response.iter_raw())

    def connect(self, path):
        return self.site.connect(self.base + path)

    def settled(self, *also):
        """Wait until nothing is left of what was begun, without the garbage collector."""
        deadline = time.monotonic() + 5
        while any((left := self.ask("/settled").json())[one] for one in SETTLED + also):
            assert time.monotonic() < deadline, left
            time.sleep(0.02)

    def is_quiet(self):
        """Whether nothing was logged until now, but for what is said at first."""
        self.ask("/log/until-here")
        self.party.logs.wait_for("until-here")
        told = [line.message for line in self.party.logs]
        return [one for one in told if not one.startswith(AT_FIRST)] == ["until-here"]


@pytest.fixture
def at(site):
    beside = site("leaving")
    beside.fetch("/settled")
    yield lambda name, base="": Leaving(site(name), base, beside)
    beside.fetch("/collect")


@pytest.fixture(params=["beside rooms", "behind middleware", "in a room"])
def app(at, request):
    return {
        "beside rooms": lambda: at("leaving"),
        "behind middleware": lambda: at("leaving-behind"),
        "in a room": lambda: at("leaving", "/parties/chat/left"),
    }[request.param]()


@pytest.fixture
def beside(at):
    return at("leaving")


@pytest.fixture
def bare(at):
    return at("leaving-bare")


@pytest.mark.parametrize("path", ["/stream/ends", "/stream/waits", "/event-source"])
def test_a_generator_ends_when_its_client_has_left(app, path):
    app.leave_stream(path)
    app.settled()
    assert app.is_quiet()


@pytest.mark.parametrize("path", ["/lets-it-pass", "/returns", "/group"])
def test_a_client_that_leaves_a_stream_is_no_error(bare, path):
    bare.leave_stream(path)
    bare.settled()
    assert bare.is_quiet()


@pytest.mark.parametrize("path", ["/stream/ends", "/event-source"])
def test_what_a_stream_held_is_freed_without_the_collector(beside, path):
    beside.leave_stream(path)
    beside.settled("held")


@pytest.mark.parametrize("path", ["/sends", "/receives", "/raises"])
def test_what_a_socket_held_is_freed_without_the_collector(beside, path):
    websocket = beside.connect(path)
    websocket.receive()
    websocket.close()
    beside.settled("held")


@pytest.mark.parametrize("path", ["/sends", "/receives", "/both"])
@pytest.mark.parametrize("leave", ["close", "drop"])
def test_a_client_that_leaves_a_socket_is_no_error(beside, path, leave):
    websocket = beside.connect(path)
    assert websocket.receive() == "ping"
    getattr(websocket, leave)()
    beside.settled()
    assert beside.is_quiet()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/error-of-its-own", "ZeroDivisionError: when the client had gone"),
        ("/error-from-it", "ZeroDivisionError: when the client had gone"),
        ("/mixed-group", "ZeroDivisionError: when the client had gone"),
        ("/another-file", "FileNotFoundError: when the client had gone"),
    ],
)
def test_an_app_that_fails_when_its_client_has_left(bare, path, error):
    bare.leave_stream(path)
    bare.settled()
    line = bare.party.logs.wait_for(error)
    assert "Traceback" in line.message
    assert f"in the app: GET {path}" in line.message


def test_an_app_that_fails_when_its_socket_has_gone(beside):
    websocket = beside.connect("/raises")
    websocket.receive()
    websocket.close()
    beside.settled()
    beside.party.logs.wait_for("ZeroDivisionError: when the socket had gone")


def test_an_error_is_answered_before_the_apps_generators_have_ended(bare):
    assert bare.site.fetch("/fails-first").status_code == 500
    assert bare.ask("/settled").json()["open"] == ["is told to"]
    bare.ask("/tell")
    bare.settled()


def test_a_client_that_leaves_its_upload_needs_no_answer(bare):
    host, port = bare.party.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(
            b"POST /upload HTTP/1.1\r\nhost: x\r\nx-site: leaving-bare\r\n"
            b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        bare.party.logs.wait_for("the upload has begun")
    bare.settled()
    assert "the app has returned without a response" not in bare.party.logs
