"""User code is called in one way: what it does at one place, it may do at every other.

As tests/contracts/test_usercode.py, for the places that an agent adds.
"""

from __future__ import annotations

import re

import pytest
from partyserver.testing import SocketClosedError

from ..contracts.scripted import eventually
from .wire import answer_of, ask, call, greeting, over_rpc, refusal_of, set_state, state_of

FAILS = {"exit": "SystemExit", "exit_later": "SystemExit", "cancelled": "CancelledError"}
RETURNS = ["coroutine", "awaitable"]
PLACES = [
    "should_connection_be_readonly",
    "should_send_protocol_messages",
    "on_state_changed",
    "call",
    "stream",
    "queued",
    "retry",
    "should_retry",
]


def trigger(party, place, how):
    """Have it called, and look at what the client gets."""
    name = f"{place}.{how}"
    rpc = over_rpc(party, "Careless", name)
    if place == "queued":
        return rpc("later")
    if place in ("retry", "should_retry"):
        return rpc("try_again")
    with party.room("Careless", name).connect(id="a") as a:
        if place.startswith("should_") and how in FAILS:
            assert a.receive_json()["error"] == "Internal error"
            with pytest.raises(SocketClosedError) as closed:
                a.receive()
            assert closed.value.code == 1011
            return None
        greeting(a)
        if place == "on_state_changed":
            set_state(a, 1)
            assert call(a, "call") == "answered"
        elif place == "call":
            told = call(a, "call")
            assert told.startswith("Internal error") if how in FAILS else told == "answered"
        elif place == "stream":
            ask(a, "stream")
            assert answer_of(a)["done"] is False
            if how in FAILS:
                assert answer_of(a)["error"].startswith("Internal error")
    return None


def lines_with(party, *words):
    return [line for line in party.logs if all(word in line.message for word in words)]


@pytest.mark.parametrize("place", PLACES)
def test_at_each_place_of_an_agent(party, place):
    for how in [*FAILS, *RETURNS]:
        name = f"{place}.{how}"
        if place in ("retry", "should_retry") and how in FAILS:
            continue  # what is raised there is raised to who has called
        trigger(party, place, how)
        if how in FAILS:
            words = (f"Careless:{name}", FAILS[how])
            told = eventually(lambda: lines_with(party, *words))  # noqa: B023
            assert any(re.search(r"error id:? [0-9a-f]{8}", line.message) for line in told)
            expected = "began"
        else:
            expected = "done"
        assert eventually(lambda: expected in party.fetch("/notes").json().get(name, []))  # noqa: B023
    # The isolate lives, and so do the agents of others.
    with party.room("Careless", "another").connect(id="a") as a:
        greeting(a)
        assert call(a, "call") == "answered"


@pytest.mark.log_may_hold("never awaited")  # what an awaitable holds
def test_a_validation_is_plain_and_refuses_whatever_else_it_does(party):
    for how in [*FAILS, *RETURNS]:
        with party.room("Careless", f"validate_state_change.{how}").connect(id="a") as a:
            greeting(a)
            set_state(a, 1)
            assert refusal_of(a) == "State update rejected"
            assert state_of(a) == 0
            assert call(a, "call") == "answered"
    assert "takes a plain function" in str(party.logs)
