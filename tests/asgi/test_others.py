"""What only looks like a client that has left: the app's own mistakes, and the platform's noes."""

import socket

import httpx
import pytest
from partyserver.testing import SocketClosedError

BROKEN_OFF = pytest.mark.log_may_hold("the app has not finished its response")


@pytest.fixture
def chat(site):
    site = site("others")
    with site.connect("/chat") as ada, site.connect("/chat") as bob:
        yield ada, bob


@pytest.fixture
def bare(site):
    return site("others-bare")


def assert_it_is_explained(party, where):
    line = party.logs.wait_for("Cannot perform I/O on behalf of a different request")
    assert line.message.startswith("Traceback")
    assert "broadcast() reaches all of its connections" in line.message
    assert f"in the app: {where}" in line.message
    assert "error id: " in line.message


def is_closed_with(socket):
    with pytest.raises(SocketClosedError):
        socket.receive()
    return socket.close_code


def test_sending_to_the_socket_of_another_request_is_an_error_of_the_app(chat, party):
    ada, bob = chat
    ada.send("hello")
    assert ada.receive() == "hello"
    assert is_closed_with(ada) == 1011
    assert_it_is_explained(party, "GET /chat")
    bob.send("still here?")
    assert bob.receive() == "still here?"


def test_closing_the_socket_of_another_request_is_an_error_of_the_app(chat, party):
    ada, bob = chat
    ada.send("close")
    assert ada.receive() == "close"
    assert is_closed_with(ada) == 1011
    assert_it_is_explained(party, "GET /chat")
    bob.send("Starlette takes this socket for closed")
    assert is_closed_with(bob) == 1011


def test_writing_to_the_stream_of_another_request_is_an_error_of_the_app(bare, party):
    with bare.stream("/stream") as response:
        parts = response.iter_raw()
        assert next(parts) == b"begun,"
        assert bare.fetch("/write-to-it").status_code == 500
        assert_it_is_explained(party, "GET /write-to-it")
        bare.fetch("/end-it")
        assert b"".join(parts) == b"ended"


# The platform's word for a body that its request never reads to the end.
@pytest.mark.log_may_hold("Can't read from request stream after response has been sent")
def test_reading_the_body_of_another_request_is_an_error_of_the_app(bare, party):
    host, port = party.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(
            b"POST /upload HTTP/1.1\r\nhost: x\r\nx-site: others-bare\r\n"
            b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        received = b""
        while b"begun," not in received:
            received += client.recv(1000)
        assert bare.fetch("/read-from-it").status_code == 500
        assert_it_is_explained(party, "GET /read-from-it")
        client.sendall(b"0\r\n\r\n")
        bare.fetch("/end-it")
        while b"ended" not in received:
            received += client.recv(1000)


@BROKEN_OFF
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/too-long", "longer than its content-length of 3 bytes"),
        ("/too-short", "only 1 of the 3 bytes of its content-length"),
    ],
)
def test_a_stream_of_another_length_than_announced_is_an_error_of_the_app(bare, party, path, why):
    with pytest.raises(httpx.HTTPError):
        bare.fetch(path)
    assert "Traceback" in party.logs.wait_for(why).message
