"""Capabilities attach as parts: they see events before the user's hooks, which lose nothing."""

from __future__ import annotations

import pytest

from .scripted import eventually


@pytest.fixture
def room(party, binding):
    return party.room(binding("Counted"), "lobby")


@pytest.fixture
def call(party, binding):
    """Call a method of the room over RPC."""
    return lambda method: party.fetch(f"/rpc/{binding('Counted')}/lobby/{method}")


@pytest.fixture
def seen(call):
    return lambda: call("what_was_seen").json()


@pytest.mark.no_party_chaos  # what a part keeps in memory is what is looked at
def test_a_part_sees_a_connection_before_it_hears_anything_and_after_it_is_accepted(room, seen):
    with room.connect(id="a") as a:
        assert a.receive() == "welcome, 2 seen"
        with room.connect(id="b") as b:
            assert b.receive() == "welcome, 4 seen"
            assert seen() == [
                ["connecting", "a", 0],
                ["accepted", "a", 1],
                ["connecting", "b", 1],
                ["accepted", "b", 2],
            ]


@pytest.mark.no_party_chaos
def test_a_part_claims_a_message_and_leaves_others_to_the_hook(room):
    with room.connect(id="a") as a:
        a.receive()
        a.send("hello")
        assert a.receive() == "1: hello"
        a.send("how many?")
        assert a.receive_json() == {"messages": 1}
        a.send("hello again")
        assert a.receive() == "2: hello again"


@pytest.mark.no_party_chaos
def test_a_lower_rank_is_asked_first_whatever_the_order_of_the_bases(room):
    with room.connect(id="a") as a:
        a.receive()
        a.send("HELLO")
        assert a.receive() == "not so loud"
        a.send("how many?")
        assert a.receive_json() == {"messages": 0}


def test_a_part_that_fails_fails_its_message_only(party, room):
    with room.connect(id="a") as a:
        a.receive()
        a.send("fail")
        a.send("how many?")
        assert "messages" in a.receive_json()
    assert eventually(lambda: "ZeroDivisionError: of the part" in str(party.logs))


@pytest.mark.no_party_chaos
def test_a_part_sees_a_close_before_the_hook(room, seen):
    with room.connect(id="a") as a:
        a.receive()
        a.close(4001)
        a.wait_closed()
    events = eventually(lambda: (all_ := seen()) and len(all_) == 4 and all_)
    assert events[2:] == [["closed", "a", 4001], ["on_close", "a"]]


@pytest.mark.no_party_chaos
def test_a_part_sees_the_end_of_a_connection_whose_on_connect_has_failed(room, seen):
    with room.connect(id="unwelcome") as a:
        assert a.receive_json()["error"] == "Internal error"
        a.wait_closed()
    assert seen()[-1] == ["closed", "unwelcome", 1011]


@pytest.mark.no_party_chaos
def test_a_part_sees_the_end_of_a_connection_that_was_closed_before_on_connect_failed(room, seen):
    with room.connect(id="closed and failed") as a:
        a.wait_closed()
    assert eventually(lambda: seen()[-1] == ["closed", "closed and failed", 1011])


@pytest.mark.no_party_chaos
def test_a_part_may_claim_the_alarm(room, call, seen):
    for whose in ["counting", "mine"]:
        call(f"set_alarm/{whose}")
        room.run_alarm()
    assert seen() == [["alarm"], ["on_alarm"]]


def test_a_part_has_a_state_of_its_own_in_each_life(room, evict):
    with room.connect(id="a") as a:
        a.receive()
        evict(room)
        a.send("hello")
        assert a.receive() == "1: hello"


def test_what_a_part_keeps_with_a_connection_survives_a_sleep_beside_the_state(room, evict):
    with room.connect(id="a") as a:
        a.receive()
        a.send("keep this")
        a.send("state")
        evict(room)
        a.send("what is kept?")
        assert a.receive_json() == [["this", 1], {"a": 1}]
        a.send("keep that")
        evict(room)
        a.send("what is kept?")
        assert a.receive_json() == [["that", 1], {"a": 1}]


def test_what_others_have_kept_with_a_socket_survives_our_writing(party):
    """As npm partyserver's own attachment may have more keys than are known here."""
    room = party.room("CountedSleepy", "foreign")
    with room.connect(id="a") as a:
        a.receive()
        a.send("foreign")
        room.hibernate()
        a.send("keep this")
        a.send("state")
        room.hibernate()
        a.send("foreign?")
        assert a.receive_json() == [1000, ["__pk", "__user", "ofAnother", "__py"]]
        a.send("what is kept?")
        assert a.receive_json() == [["this", 1], {"a": 1}]


def test_a_state_that_is_too_large_tells_the_shares(party):
    room = party.room("CountedSleepy", "large")
    with room.connect(id="a") as a:
        a.receive()
        a.send("keep " + "x" * 17_000)
        assert eventually(lambda: "StateTooLargeError" in str(party.logs))
        assert "(about: id, tags and URL " in str(party.logs)
        assert "counting 17" in str(party.logs)
        a.send("what is kept?")
        assert a.receive_json() == [None, None]


@pytest.mark.log_may_hold("Uncaught PythonError")  # the caller gets the error
def test_a_mixins_methods_cannot_be_called_over_rpc(party, call):
    response = call("reset")
    assert response.status_code == 500
    assert eventually(lambda: "cannot be called from outside" in str(party.logs))
