"""What runs before `on_start`: an overridden `fetch`, and public methods of what has no name."""

from __future__ import annotations

import pytest

TOO_LATE = "has started, and on_start does not run again for these props"


@pytest.mark.no_party_chaos  # the room counts its starts in memory
def test_an_overridden_fetch_answers_before_the_start(party, binding):
    room = party.room(binding("Begun"), "room")
    assert room.fetch("/health").json() == ["healthy", [], 8]
    assert room.fetch("/").json() == [["room", None]]
    assert room.fetch("/health").json() == ["healthy", [["room", None]], 8]


@pytest.mark.no_party_chaos  # the room counts its starts in memory
def test_an_overridden_fetch_answers_while_on_start_fails(party, binding):
    room = party.room(binding("Begun"), "broken")
    for _ in range(2):
        assert room.fetch("/").status_code == 500
        assert room.fetch("/health").json() == ["healthy", [], 8]


@pytest.mark.no_party_chaos  # the room counts its failures in memory
def test_on_exception_may_call_methods_before_the_start(party, binding):
    room = party.room(binding("Begun"), "broken")
    assert room.fetch("/").status_code == 500
    assert room.fetch("/failures").json() == [["RuntimeError", 2]]


@pytest.mark.no_party_chaos  # the room counts its starts in memory
def test_an_overridden_fetch_lets_a_connection_in_after_the_start(party, binding, evict):
    room = party.room(binding("Begun"), "room")
    with room.connect() as socket:
        assert socket.receive_json() == [["room", None]]
        evict(room)
        socket.send("hi")
        assert socket.receive_json() == [["room", None]]


@pytest.fixture
def answers(party, binding):
    return party.fetch(f"/starting/{binding('Begun')}").json()


#: What a method raises is the platform's to tell, too.
@pytest.mark.log_may_hold("has started", "this server is named", "not JSON compliant")
def test_what_starts_when(answers):
    assert answers["without a name"] == [[], [[], 4]]
    assert answers["named by a method"] == [[], [["given", {"n": 1}]]]
    once = [["given", {"n": 1}]]
    assert answers["named again"][0] == once
    assert TOO_LATE in answers["named again"][1]
    assert answers["named again, without props"] == [once, once]
    assert answers["named otherwise"][1] == (
        "ServerNameError: this server is named 'given', and not 'other'"
    )
    one, other, [[name, props]] = answers["named twice at once"]
    outcomes = {repr({"n": 1}): one, repr("other"): other}
    assert (name, outcomes.pop(repr(props))) == ("given", "None")
    assert TOO_LATE in str(outcomes)
    assert answers["named by its fetch"] == '[["by its fetch", {"from": "fetch"}]]'
    assert answers["fetched without a name"] == [500, []]
    assert answers["a named one by set_name"] == [["by set_name", {"n": 1}]]
    assert TOO_LATE in answers["and again"]
    assert answers["and by a router"] == [["by set_name", {"n": 1}]]
    started, too_late = answers["a named one by a call"]
    assert started == [["by a call", None]]
    assert TOO_LATE in too_late
    by_set_name, by_name, binary = answers["props that are no JSON"]
    assert by_set_name.endswith("nan is not JSON compliant: it is at $.n[0]")
    assert by_name.endswith("nan is not JSON compliant: it is at $.n[0]")
    assert "bytes is not JSON serializable" in binary
