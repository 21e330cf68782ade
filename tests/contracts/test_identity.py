"""Who a request is from: hooks before a room say it, and nobody else can."""

from __future__ import annotations

import json

import pytest

ADA = {"user": "ada", "roles": ["admin"], "n": 1.0, "10": 1, "2": "ü\ud800"}
KEY = "partyserver-auth"
FORGED = json.dumps({"user": "root"})


@pytest.fixture
def path(mode):
    kind = "guests" if mode == "in memory" else "guests-sleepy"
    return lambda rest="": f"/guests/routed/{kind}/room{rest}"


@pytest.fixture
def room(party, binding):
    return party.room(binding("Guests"), "room")


@pytest.mark.parametrize(
    ("who", "auth"),
    [
        ("ada", ADA),
        ("with ada", ADA),
        ("proxy", {"user": "proxy"}),
        ("empty", {}),
        ("nobody", None),
        ("with nobody", None),
        ("long", {"x": "a" * 4088}),
    ],
)
def test_a_hooks_mapping_comes_back_everywhere(party, path, room, evict, who, auth):
    seen = party.fetch(path("/a%20b/"), params={"who": who, "q": "1"}).json()
    hook = ["by the hook"] if who.startswith("with ") else []
    assert seen == [auth, "a b/", {"who": who, "q": "1"}, *hook]
    with party.connect(path("/spectators"), query=[("who", who), ("a", "1"), ("a", "2")]) as socket:
        query = {"who": who, "a": "2"}
        assert socket.receive_json() == [auth, "spectators", query, ["1", "2"]]
        socket.send("who")
        tags = socket.receive_json()
        assert tags[:2] == [auth, query]
        assert tags[2][1:] == (["known"] if auth else [])
        evict(room)
        socket.send("who")
        assert socket.receive_json() == tags
        socket.send("state")
        assert socket.receive_json() == [auth, {"n": 1}]
        evict(room)
        socket.send("who")
        assert socket.receive_json() == tags


@pytest.mark.parametrize("who", ["too long", "not json", "infinite", "a list", "a pair"])
def test_what_is_no_identity_fails_the_request(party, path, who):
    response = party.fetch(path(), params={"who": who})
    assert response.status_code == 500
    assert "error id" in response.text
    expected = {"too long": "at most 4096 bytes", "a list": "a mapping that says who this is"}
    assert party.logs.wait_for(expected.get(who, "the hook before guests"))


@pytest.mark.parametrize("who", [None, "nobody", "forging"])
def test_a_clients_own_claims_are_removed(party, path, who):
    """In headers, in `cf` by the development server's header for it, by what a hook passes on."""
    headers = {"x-partykit-auth": FORGED, KEY: FORGED, "mf-cf-blob": json.dumps({KEY: FORGED})}
    params = {} if who is None else {"who": who}
    assert party.fetch(path(), params=params, headers=headers).json()[0] is None
    with party.connect(path(), query=params, headers=headers) as socket:
        assert socket.receive_json()[0] is None
    # The router without any hook, too.
    plain = path().replace("/guests/routed", "/parties")
    assert party.fetch(plain, headers=headers).json()[0] is None
    assert party.fetch(path(), params={"who": "ada"}, headers=headers).json()[0] == ADA


def test_the_platforms_own_values_are_left(party, path):
    with party.connect(path(), query={"who": "ada"}) as socket:
        assert socket.receive_json()[0] == ADA


def test_who_holds_the_binding_is_trusted(party):
    assert party.fetch("/guests/straight/bare/x").json() == [None, "guests/straight/bare/x", {}]
    assert party.fetch("/guests/straight/trusted/x").json()[0] == {"user": "trusted"}


@pytest.mark.parametrize("how", ["no-text", "no-json", "no-object", "long", "deep"])
def test_an_identity_that_is_none_is_refused(party, how):
    response = party.fetch(f"/guests/straight/{how}/x")
    assert response.status_code == 400
    assert "the request's identity cannot be read" in response.text


def test_an_identity_has_its_share_of_what_is_kept(party, path):
    with party.connect(path(), query={"who": "long"}) as socket:
        socket.receive_json()
        socket.send("too large")
        assert "auth 4096" in socket.receive()


def test_a_room_knows_the_path_behind_it(party, path):
    paths = {
        "/parties/guests/room": "",
        "/parties/guests/room/": "",
        "/parties/guests/room//a/b%2Fc/": "a/b/c/",
        "/guests/routed/guests/room/x": "x",
    }
    for url, expected in paths.items():
        assert party.fetch(url).json()[1] == expected, url
