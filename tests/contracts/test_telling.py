"""`ClientError`: what a hook has to tell a client, in the client's own terms."""

from __future__ import annotations

import pytest
from partyserver.testing.socket import SocketClosedError

from .scripted import eventually


@pytest.fixture
def room(party, binding):
    return party.room(binding("Guests"), "room")


@pytest.fixture
def routed(party, mode):
    kind = "guests" if mode == "in memory" else "guests-sleepy"
    return f"/guests/routed/{kind}/room"


def assert_no_failure(party, room):
    assert room.fetch("/starts").json() == 0
    assert not [line for line in party.logs if line.level == "error"]


def test_a_request_gets_the_status_and_the_message(party, room, routed):
    response = room.fetch("/told")
    assert (response.status_code, response.json()) == (410, {"error": "gone", "code": "gone"})
    assert response.headers["content-type"] == "application/json"
    response = party.fetch(routed, params={"who": "told"})
    assert response.status_code == 403
    assert response.json() == {"error": "no way to the room", "code": "locked"}
    assert_no_failure(party, room)


@pytest.mark.parametrize(
    ("query", "before", "frame"),
    [
        ({"who": "told"}, [], {"error": "no way to the room", "code": "locked"}),
        ({"fail": "tags"}, [], {"error": "no such tag"}),
        ({"fail": "connect"}, [], {"error": "not here: " + "ü" * 100, "code": 7}),
    ],
)
def test_an_upgrade_gets_a_frame_and_is_closed(party, room, routed, query, before, frame):
    with party.connect(routed, query=query) as socket:
        assert socket.receive_json() == {"type": "error", **frame}
        with pytest.raises(SocketClosedError):
            socket.receive()
        assert socket.close_code == 1008
        assert frame["error"].startswith(socket.close_reason)
        assert socket.close_reason
    assert_no_failure(party, room)


def test_a_message_gets_a_frame(party, room, evict):
    with room.connect() as socket:
        socket.receive_json()
        for message, frame in [
            ("told", {"error": "not now", "code": "later"}),
            ("and later", {"error": "and later"}),
        ]:
            evict(room)
            for _ in range(2):
                socket.send(message)
                assert socket.receive_json() == {"type": "error", **frame}
        assert_no_failure(party, room)
        socket.send("closed and told")
        socket.wait_closed()
    assert_no_failure(party, room)


def test_what_cannot_be_told_is_a_failure(party, room, routed, evict):
    response = party.fetch(routed, params={"who": "untold"})
    assert response.status_code == 500
    assert response.text.startswith("Internal error (error id ")
    with room.connect() as socket:
        socket.receive_json()
        evict(room)
        for message in ("untold", "untold later"):
            socket.send(message)
            socket.send("told")
            assert socket.receive_json()["error"] == "not now"
    told = "AttributeError: 'Untold' object has no attribute 'message' (error id "
    assert eventually(lambda: str(party.logs).count(f"room: {told}") == 2)


@pytest.mark.log_may_hold("Uncaught")
def test_a_caller_gets_the_exception(party):
    name, text = party.fetch("/guests/straight/call").json()
    assert name == "JsException"
    assert text == "PythonError: partyserver.errors.ClientError: not by a call\n"


def test_an_overridden_fetch_may_tell_it(party, room):
    assert room.fetch("/early").json() == {"error": "not this early"}


@pytest.mark.parametrize("how", ["request", "upgrade", "message"])
def test_what_a_start_tells_is_a_failure(party, how):
    room = party.room("Unready", "room")
    if how == "upgrade":
        with room.connect() as socket:
            assert socket.receive_json()["error"] == "Internal error"
            socket.wait_closed()
            assert socket.close_code == 1011
    else:
        response = room.fetch("/")
        assert response.status_code == 500
        assert "secret" not in response.text
    assert party.logs.wait_for("on_exception: ClientError('a secret of the start')")
