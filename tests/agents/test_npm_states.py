"""The state, as the unchanged npm clients see it: see UPSTREAM.md."""

from __future__ import annotations

import pytest

from ..chromium import browser
from .npm import UNDEFINED, CallError, both, bundle, connect, node, place, tab, version

__all__ = ["browser", "bundle", "connect", "node", "place", "tab", "version"]

INITIAL = {"count": 0, "items": [], "last": None}
MCP = {
    "type": "cf_agent_mcp_servers",
    "mcp": {"prompts": [], "resources": [], "servers": {}, "tools": []},
}


def state_frame(state):
    return {"type": "cf_agent_state", "state": state}


def states(client):
    """All that it has been sent since this was asked last, up to now."""
    client.call("get")
    return [frame["state"] for frame in client.frames() if frame["type"] == "cf_agent_state"]


@both
def test_a_newcomer_hears_who_it_is_and_the_state_once(connect, version):
    client = connect("Counts")
    about = client.ready()
    assert (about["agent"], about["name"], about["identified"]) == ("counts", "lobby", True)
    if version == "0.32.0":  # there the state is known by then
        assert about["state"] == INITIAL
    client.call("increment")
    frames = client.frames()
    assert frames.pop()["result"] == 1
    assert frames == [
        {
            "type": "cf_agent_identity",
            "name": "lobby",
            "agent": "counts",
            "stateFollows": True,
        },
        state_frame(INITIAL),
        MCP,
        state_frame({**INITIAL, "count": 1}),
    ]


@both
def test_an_agent_without_a_state_sends_none_until_it_has_one(connect):
    client, other = connect("Empty"), connect("Empty")
    about = client.ready()
    assert "state" not in about
    other.ready()
    assert client.call("get") is UNDEFINED
    assert [frame["type"] for frame in client.frames()] == [
        "cf_agent_identity",
        "cf_agent_mcp_servers",
        "rpc",
    ]
    client.set_state({"set": "by a client"})
    assert other.until("state") == ["state", {"set": "by a client"}, "server"]
    assert client.call("get") == {"set": "by a client"}


@both
def test_the_others_hear_what_a_client_sets(connect, party):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    states(client), states(other)
    party.room("Counts", "lobby").hibernate()

    new = {**client.state, "count": 5, "more": ["ü"]}
    client.set_state(new)
    assert client.until("state") == ["state", INITIAL, "server"]
    assert client.until("state") == ["state", new, "client"]
    assert client.state == new
    assert client.call("get") == new
    assert states(other) == [new]
    assert states(client) == []
    assert client.call("changes") == [[INITIAL, "server"], [new, client.id]]


@both
def test_all_hear_what_a_call_sets_its_caller_first_of_all(connect, party):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    states(client), states(other)
    party.room("Counts", "lobby").hibernate()

    assert client.call("increment", 3) == 3
    new = {**INITIAL, "count": 3}
    frame, answer = client.frames()
    assert frame == state_frame(new)
    assert answer["result"] == 3
    assert client.state == new
    assert states(other) == [new]
    assert client.call("changes")[-1] == [new, "server"]


def test_states_come_in_their_order(connect):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    states(other)
    client.call("count_up", 5)
    for count in range(6, 11):
        client.set_state({"count": count})
    client.call("get")
    assert [state["count"] for state in states(other)] == list(range(1, 11))
    assert client.state == other.state == {"count": 10}


@both
def test_a_refused_state_is_told_to_its_sender_alone_and_taken_back(connect, party):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    states(client), states(other)

    for refused, error in [
        ({"count": -1}, "State update rejected"),
        ([], "a list is no state here"),
    ]:
        client.set_state(refused)
        assert client.until("state error") == ["state error", error]
        # Upstream leaves the client with what it had wanted.
        assert client.until("state") == ["state", INITIAL, "server"]
        assert client.state == INITIAL
    assert states(other) == []
    assert client.call("get") == INITIAL
    party.logs.wait_for("negative")

    client.set_state({"count": 1})
    assert client.call("get") == {"count": 1}
    assert states(other) == [{"count": 1}]


@both
def test_a_refused_state_stays_in_its_client_where_there_is_none_to_go_back_to(connect, party):
    """A frame without a state would take it back, and fail those whose `onStateUpdate` reads it."""
    client, other = connect("Empty"), connect("Empty")
    client.ready(), other.ready()
    party.room("Empty", "lobby").hibernate()
    client.set_state({"count": -1})
    assert client.until("state error") == ["state error", "State update rejected"]
    assert states(client) == states(other) == []
    assert (client.state, other.state) == ({"count": -1}, UNDEFINED)
    assert client.call("get") is UNDEFINED
    other.call("put", {"count": 1})
    assert states(client) == [{"count": 1}]
    assert client.state == {"count": 1}


@both
def test_a_clients_state_may_be_a_patch(connect, party):
    client, other = connect("Patched"), connect("Patched")
    client.ready(), other.ready()
    states(client), states(other)
    party.room("Patched", "lobby").hibernate()
    client.set_state({"count": 5, "last": None})
    merged = {"count": 5, "items": []}
    assert states(client) == states(other) == [merged]
    assert client.state == other.state == merged


@both
def test_clients_may_be_kept_from_the_state(connect, party):
    client, other = connect("Fixed"), connect("Fixed")
    client.ready(), other.ready()
    states(other)
    party.room("Fixed", "lobby").hibernate()
    client.set_state({"count": 5})
    assert client.until("state error") == ["state error", "State update rejected"]
    assert client.until("state") == ["state", INITIAL, "server"]
    assert client.state == INITIAL
    assert client.call("increment") == 1
    assert states(other) == [{**INITIAL, "count": 1}]


def test_a_refused_state_of_the_agents_own_fails_its_call(connect):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    states(other)
    with pytest.raises(CallError, match=r"^a list is no state here$"):
        client.call("put", [])
    with pytest.raises(CallError, match="error id"):
        client.call("put", {"count": -1})
    assert client.call("get") == INITIAL
    assert states(other) == []


def test_a_failing_on_state_changed_keeps_nobody_from_the_state(connect, party):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    states(other)
    client.set_state({"count": -2})
    assert client.call("get") == {"count": -2}
    assert states(other) == [{"count": -2}]
    party.logs.wait_for("on_state_changed has failed")
    client.call("put", {"count": -2})
    assert states(other) == [{"count": -2}]


@pytest.mark.parametrize("agent", ["Counts", "Empty"])
def test_a_state_may_be_any_value_and_outlives_an_eviction(connect, party, agent):
    client = connect(agent)
    client.ready()
    for value in (None, 0, False, "", {"deep": [{"ü": [1.5, None]}]}):
        if value:
            client.set_state(value)
        else:
            client.call("put", value)
        party.room(agent, "lobby").evict()
        client.until("close")
        client.until("open")
        assert client.until("state") == ["state", value, "server"]
        assert client.ready()["state"] == value
