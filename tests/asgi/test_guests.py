"""Who a request is from, and what clients are told: beside an app, and in one."""

from __future__ import annotations

import json

import pytest
from partyserver.testing.socket import SocketClosedError

from ..contracts.scripted import eventually

ROOM = "/parties/guests/lobby"
ADA = {"user": "ada"}
TOLD = {"error": "gone, ü\ud800"}

#: As clients may try: in headers, and in the development server's own for `cf`.
FORGED = {
    "x-partykit-auth": json.dumps(ADA),
    "partyserver-auth": json.dumps(ADA),
    "mf-cf-blob": json.dumps({"partyserver-auth": json.dumps(ADA)}),
}


@pytest.fixture(params=["guests", "guests-inside"])
def site(site, request):
    """The rooms are beside the app, or in its middleware."""
    return site(request.param)


def no_failure(party):
    return not [line for line in party.logs if line.level == "error"]


# --- who ------------------------------------------------------------------------------


def test_a_rooms_app_knows_who_a_request_is_from(site):
    for who, auth in [("ada", ADA), ("empty", {}), ("nobody", None)]:
        answer = site.fetch(f"{ROOM}/who", params={"who": who, "q": "ü"}, headers=FORGED).json()
        assert answer == [auth, "who", {"who": who, "q": "ü"}, None, ""]
    # With another request, and a body, which a middleware of the app may have read.
    answer = site.fetch(f"{ROOM}/who", "POST", params={"who": "with ada"}, content=b"body").json()
    assert answer == [ADA, "who", {"who": "with ada"}, "by the hook", "body"]
    assert site.fetch(f"{ROOM}/members", params={"who": "ada"}).json() == "hello, member"


def test_a_connection_knows_who_it_is_from(party, site):
    with site.connect(f"{ROOM}/a%20b", query={"who": "with ada"}, headers=FORGED) as socket:
        assert socket.receive_json() == [ADA, "a b", {"who": "with ada"}]
        party.room("Guests", "lobby").hibernate()
        socket.send("who?")
        assert socket.receive_json() == ADA
    with site.connect(ROOM, headers=FORGED) as socket:
        assert socket.receive_json() == [None, "", {}]


def test_a_site_takes_no_clients_word_for_it(site):
    claims = FORGED | {"x-partykit-namespace": "x", "x-partykit-prefix-length": "0"}
    assert site.fetch("/who?q=1", headers=claims).json() == [None, "who", {"q": "1"}, None, ""]
    assert site.fetch("/members", headers=claims).status_code == 401


# --- what clients are told ------------------------------------------------------------


def test_hooks_tell_clients(party, site):
    response = site.fetch(f"{ROOM}/x", params={"who": "told"})
    assert response.status_code == 403
    assert response.json() == {"error": "no way to x", "code": "locked"}
    with site.connect(ROOM, query={"who": "told"}) as socket:
        frame = {"type": "error", "error": "no way to the room", "code": "locked"}
        assert socket.receive_json() == frame
        closed(socket, 1008, "no way to the room")
    assert no_failure(party)


@pytest.mark.parametrize("prefix", ["", ROOM], ids=["the site", "a room"])
def test_an_app_tells_clients(party, site, prefix):
    for path in ("/told/at once", "/told/later"):
        response = site.fetch(prefix + path)
        assert (response.status_code, response.json()) == (410, TOLD)
        assert response.headers["content-type"] == "application/json"
    response = site.fetch(f"{prefix}/members")
    assert response.status_code == 401
    assert response.json() == {"error": "members only", "code": "who"}
    assert no_failure(party)


def test_an_app_tells_clients_on_its_sockets(party, site):
    for when in ("first", "open", "closed"):
        with site.connect(f"/told/{when}") as socket:
            if when != "first":
                assert socket.receive() == when
                socket.send("go on")
            if when == "closed":
                closed(socket, 4000, "")
            else:
                frame = socket.receive_json()
                assert frame == {"type": "error", "error": "not here: " + "ü" * 100, "code": 7}
                closed(socket, 1008, "not here: " + "ü" * 56)
    with site.connect("/told/left") as socket:
        socket.receive()
    assert no_failure(party)


def closed(socket, code, reason):
    with pytest.raises(SocketClosedError):
        socket.receive()
    assert (socket.close_code, socket.close_reason) == (code, reason)


def test_what_is_told_too_late_is_a_failure(party, site):
    assert site.fetch("/told-behind").json() == "answered"
    assert site.fetch("/told/while streaming").text == "the first part"
    assert eventually(lambda: str(party.logs).count("ClientError: too late") >= 2)
