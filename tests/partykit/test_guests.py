"""Who a request is from, and what clients are told, in PartyKit's terms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from partyserver.testing.socket import SocketClosedError

from ..contracts.scripted import command

ADA = {"user": "ada"}
FORGED = {
    "x-partykit-auth": json.dumps(ADA),
    "partyserver-auth": json.dumps(ADA),
    "mf-cf-blob": json.dumps({"partyserver-auth": json.dumps(ADA)}),
}


@pytest.fixture(params=["/party", "/parties/main", "/parties/main-sleepy"])
def path(request):
    """The main party has two URLs; the other one hibernates."""
    return f"{request.param}/lobby"


@pytest.fixture
def room(party, path):
    return party.room("MAIN_SLEEPY" if "sleepy" in path else "Main", "lobby")


@pytest.fixture
def evict(path):
    return lambda room: room.hibernate() if "sleepy" in path else None


def no_failure(party):
    return not [line for line in party.logs if line.level == "error"]


def test_a_hook_says_who_somebody_is(party, room, path, evict):
    for who, auth in [("ada", ADA), ("empty", {}), ("nobody", None)]:
        answer = party.fetch(f"{path}/who", params={"who": who}, headers=FORGED)
        assert answer.json() == [auth, "who", {"who": who}, None]
    query = {"who": "with ada"}
    assert party.fetch(f"{path}/who/x", params=query).json() == [ADA, "who/x", query, "by the hook"]
    query |= {"_pk": "a"}
    with party.connect(f"{path}/a%20b", query=query, headers=FORGED) as a:
        assert a.receive_json() == [ADA, "a b", query]
        assert a.receive_json() == ["connected", "a"]
        evict(room)
        assert command(a, "who") == [ADA, query]


def test_no_client_can_say_it(party, path):
    assert party.fetch(f"{path}/who", headers=FORGED).json() == [None, "who", {}, None]
    with party.connect(path, query={"_pk": "a"}, headers=FORGED) as a:
        a.receive()
        assert command(a, "who") == [None, {"_pk": "a"}]
    claims = FORGED | {"x-partykit-namespace": "x", "x-partykit-prefix-length": "0"}
    assert party.fetch("/who", headers=claims).json() == [None, "who", {}, None]


def test_a_request_between_rooms_is_from_nobody_and_has_its_own_path(party, path):
    answer = party.fetch(f"{path}/pass-on", params={"who": "ada"})
    assert answer.json() == [None, "who/a b", {"q": "1"}, None]


def test_requests_and_upgrades_are_told(party, path):
    response = party.fetch(f"{path}/x", params={"who": "told"})
    assert response.status_code == 403
    assert response.json() == {"error": "no way to lobby/x", "code": "locked"}
    response = party.fetch(f"{path}/told")
    assert (response.status_code, response.json()) == (410, {"error": "gone"})
    frames: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({"who": "told"}, {"error": "no way to lobby/", "code": "locked"}),
        ({"fail": "tags"}, {"error": "no such tag"}),
        ({"fail": "connect"}, {"error": "not here", "code": 7}),
    ]
    for query, frame in frames:
        with party.connect(path, query=query) as socket:
            assert socket.receive_json() == {"type": "error", **frame}
            is_closed(socket, frame["error"])
    assert no_failure(party)


def test_a_sender_is_told(party, room, evict):
    with room.connect() as a:
        a.receive()
        for name, frame in [
            ("tell_why", {"error": "not now", "code": "later"}),
            ("tell_in_a_transaction", {"error": "not like this"}),
        ]:
            evict(room)
            assert command(a, name) == {"type": "error", **frame}
    assert no_failure(party)


def test_who_comes_to_no_party_is_told(party):
    response = party.fetch("/told")
    assert (response.status_code, response.json()) == (404, {"error": "not here"})
    with party.connect("/told") as socket:
        frame = {"type": "error", "error": "not to the site", "code": "closed"}
        assert socket.receive_json() == frame
        is_closed(socket, "not to the site")
    with party.connect("/told-while-reading") as socket:
        socket.send("ü")
        assert socket.receive_json() == {"type": "error", "error": "ü"}
        is_closed(socket, "ü")
    with party.connect("/told-in-a-listener") as socket:
        for text in ("one", "two"):
            socket.send(text)
            assert socket.receive_json() == {"type": "error", "error": text}
    assert no_failure(party)


def test_what_a_start_tells_is_a_failure(party):
    room = party.room("Starting", "told")
    response = room.fetch("/")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "ClientError: a secret of the constructor" in str(party.logs)
    assert room.fetch("/").text == "started after 2"


def is_closed(socket, reason):
    with pytest.raises(SocketClosedError):
        socket.receive()
    assert (socket.close_code, socket.close_reason) == (1008, reason)
