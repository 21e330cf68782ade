"""The state of an agent: who may set it, who hears of it, and what is there after a sleep."""

from __future__ import annotations

import pytest

from .wire import (
    IDENTITY,
    MCP_SERVERS,
    STATE,
    greeting,
    hears_nothing,
    joined,
    over_rpc,
    refusal_of,
    set_state,
    state_of,
)

INITIAL = {"count": 0, "items": [], "last": None}


@pytest.fixture
def room(party):
    return party.room("Stateful", "lobby")


@pytest.fixture
def rpc(party):
    return over_rpc(party, "Stateful")


@pytest.fixture
def blank(party):
    return party.room("Blank", "lobby"), over_rpc(party, "Blank")


# --- the greeting -----------------------------------------------------------------------


def test_a_newcomer_gets_the_identity_the_state_and_the_servers_in_this_order(room):
    for _ in range(2):
        with room.connect(id="a") as a:
            identity, state, servers = greeting(a)
            assert identity == {
                "type": IDENTITY,
                "name": "lobby",
                "agent": "stateful",
                "stateFollows": True,
            }
            assert state == {"type": STATE, "state": INITIAL}
            assert servers == {
                "type": MCP_SERVERS,
                "mcp": {"prompts": [], "resources": [], "servers": {}, "tools": []},
            }
            assert hears_nothing(a)
        room.hibernate()


def test_an_agent_may_keep_its_identity_for_itself(party):
    with party.room("Refusing", "lobby").connect(id="a") as a:
        assert [frame["type"] for frame in greeting(a)] == [STATE, MCP_SERVERS]


def test_without_a_state_there_is_no_frame_of_it(blank):
    room, rpc = blank
    with room.connect(id="a") as a:
        identity, servers = greeting(a)
        assert identity == {"type": IDENTITY, "name": "lobby", "agent": "blank"}
        assert servers["type"] == MCP_SERVERS
        assert rpc("get") == [None]
        assert rpc("put", {"a": 1}) == [{"a": 1}]
        assert state_of(a) == {"a": 1}
    room.hibernate()
    assert rpc("get") == [{"a": 1}]


def test_an_initial_state_is_stored_and_told_once_also_where_others_are_there_already(room, rpc):
    with joined(room, "a") as a:
        assert rpc("delete_all") is None
        with room.connect(id="b") as b:
            assert [frame["type"] for frame in greeting(b)] == [IDENTITY, STATE, MCP_SERVERS]
            assert state_of(a) == INITIAL
            assert hears_nothing(a, b)
    assert rpc("log") == [["changed", INITIAL, "server"]]
    assert rpc("query", "select state from _partyserver_agent_state") == [
        {"state": '{"count":0,"items":[],"last":null}'}
    ]


# --- changes ----------------------------------------------------------------------------


def test_a_client_sets_the_state_and_all_others_hear_of_it(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b, joined(room, "a") as twin:
        rpc("log")
        room.hibernate()
        set_state(a, {"count": 1})
        # The sender alone is left out, and not its twin of the same id.
        assert state_of(b) == state_of(twin) == {"count": 1}
        assert hears_nothing(a, b, twin)
        room.hibernate()
        assert rpc("get") == [{"count": 1}]
        assert rpc("log") == [["changed", {"count": 1}, "a"]]


def test_the_agent_sets_the_state_and_everybody_hears_of_it(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b:
        rpc("log")
        room.hibernate()
        assert rpc("put", {"count": 2}) == [{"count": 2}]
        assert state_of(a) == state_of(b) == {"count": 2}
        # Also who has asked for it, and before the answer.
        a.send('set {"count": 3}')
        assert state_of(a) == state_of(b) == {"count": 3}
        assert hears_nothing(a, b)
        assert rpc("log") == [
            ["changed", {"count": 2}, "server"],
            ["changed", {"count": 3}, "server"],
        ]


def test_a_refused_state_is_healed_in_the_client_that_has_sent_it(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b:
        set_state(b, {"count": 5})
        assert state_of(a) == {"count": 5}
        rpc("log")
        room.hibernate()
        set_state(a, {"count": -1})
        assert refusal_of(a) == "State update rejected"
        assert state_of(a) == {"count": 5}
        # What a ClientError says, the client is told.
        room.hibernate()
        set_state(a, [1])
        assert refusal_of(a) == "no lists, please"
        assert state_of(a) == {"count": 5}
        room.hibernate()
        set_state(a, "x" * 1_900_000)
        assert "at most 1,900,000 bytes" in refusal_of(a)
        assert state_of(a) == {"count": 5}
        assert hears_nothing(a, b)
        assert rpc("put", {"count": -1}) == "ValueError: negative"
        assert rpc("put", [1]) == "ClientError: no lists, please"
        assert hears_nothing(a, b)
        assert rpc("get") == [{"count": 5}]
        # An unexpected error is for the log, and no text of it for clients.
        assert rpc("log") == [["exception", "ValueError: negative"]]


def test_a_state_that_cannot_be_stored_is_healed_too(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b:
        set_state(b, {"count": 5})
        assert state_of(a) == {"count": 5}
        rpc("log")
        rpc(
            "query",
            "create trigger full before insert on _partyserver_agent_state "
            "begin select raise(abort, 'the disk is full'); end",
        )
        set_state(a, {"count": 6})
        assert refusal_of(a) == "State update rejected"
        assert state_of(a) == {"count": 5}
        assert hears_nothing(a, b)
        assert rpc("get") == [{"count": 5}]
        [[what, error]] = rpc("log")
        assert what == "exception"
        assert "the disk is full" in error


def test_a_failing_on_state_changed_fails_nothing_else(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b:
        rpc("log")
        set_state(a, {"count": -2})
        assert state_of(b) == {"count": -2}
        assert hears_nothing(a, b)
        assert rpc("get") == [{"count": -2}]
        assert rpc("log") == [
            ["changed", {"count": -2}, "a"],
            ["exception", "ValueError: in on_state_changed"],
        ]


def test_an_on_state_changed_may_set_the_state(room, rpc):
    with joined(room, "a") as a, joined(room, "b") as b:
        set_state(a, {"count": 1000})
        assert [state_of(b)["count"] for _ in range(4)] == [1000, 1001, 1002, 1003]
        assert [state_of(a)["count"] for _ in range(3)] == [1001, 1002, 1003]
        set_state(a, "for ever")
        assert state_of(b) == "for ever"
        for socket in (a, b):
            while state_of(socket) != "for ever, 100 times more":
                pass
            assert hears_nothing(socket)
    assert ["exception", "RecursionError: on_state_changed sets the state without end"] in rpc(
        "log"
    )


@pytest.mark.parametrize("value", [None, 0, False, ""])
def test_a_state_that_is_false_is_a_state(blank, value):
    room, rpc = blank
    with joined(room, "a") as a:
        assert rpc("put", value) == [value]
        assert state_of(a) == value
        room.hibernate()
        with room.connect(id="b") as b:
            identity, state, _ = greeting(b)
            assert identity["stateFollows"] is True
            assert state == {"type": STATE, "state": value}
        assert rpc("get") == [value]


def test_a_stored_state_that_cannot_be_read_gives_way_to_the_initial_one(party, room, rpc, blank):
    rpc("put", {"count": 1})
    rpc("query", "update _partyserver_agent_state set state = '{broken'")
    room.hibernate()
    assert rpc("get") == [INITIAL]
    room.hibernate()
    assert rpc("get") == [INITIAL]
    assert len([line for line in party.logs if "cannot be read" in line.message]) == 1

    room, rpc = blank
    rpc("put", {"count": 1})
    rpc("query", "update _partyserver_agent_state set state = '{broken'")
    room.hibernate()
    assert rpc("get") == [None]
    assert rpc("query", "select * from _partyserver_agent_state") == []


@pytest.mark.parametrize("value", ["nan", "set", "deep", "large"])
def test_what_is_no_state_changes_nothing(room, rpc, value):
    with joined(room, "a") as a:
        rpc("log")
        assert rpc("put_value", value).startswith(("ValueError: ", "TypeError: "))
        assert rpc("get") == [INITIAL]
        assert hears_nothing(a)
        assert rpc("log") == []


def test_the_state_is_a_copy(rpc):
    assert rpc("spoil") == [INITIAL, INITIAL]
    assert rpc("assign") == (
        "AttributeError: self.state is a copy, and is not assigned to: use self.set_state(...), or "
        "with self.change()"
    )


# --- change() -----------------------------------------------------------------------------


def test_change_sends_one_frame_at_its_end(room, rpc):
    with joined(room, "a") as a:
        room.hibernate()
        assert rpc("add", 3) == 3
        assert state_of(a) == INITIAL | {"count": 3}
        assert hears_nothing(a)


def test_change_stores_nothing_if_its_block_raises(room, rpc):
    with joined(room, "a") as a:
        assert rpc("add_and_fail", 3) == "ZeroDivisionError: in the block"
        assert rpc("add", -1) == "ValueError: negative"
        assert rpc("get") == [INITIAL]
        assert hears_nothing(a)


def test_change_loses_no_update_of_another_meanwhile(rpc):
    """Two add one, each with an `await` in its block: one of them is told."""
    assert rpc("interleaved") == [1, "PartyServerError"]


def test_change_is_for_what_can_be_changed(rpc, blank):
    _, of_blank = blank
    assert of_blank("change_it") == (
        "TypeError: change() changes a dict or a list, and there is none: use set_state"
    )
    rpc("put", 5)
    assert rpc("add", 1).startswith("TypeError: change() changes a dict or a list, and it is 5")


def test_a_transaction_that_is_undone_takes_the_state_with_it(room, rpc):
    with joined(room, "a") as a:
        assert rpc("undone") == [INITIAL]
        assert hears_nothing(a)
        assert rpc("done") == [{"count": 78}]
        assert [state_of(a), state_of(a)] == [{"count": 77}, {"count": 78}]
        room.hibernate()
        assert rpc("get") == [{"count": 78}]


@pytest.mark.parametrize("how", ["at once", "raises", "rolls back"])
def test_what_the_platform_undoes_is_taken_back_from_all_who_have_heard_of_it(room, rpc, how):
    with joined(room, "a") as a:
        set_state(a, {"count": 5})
        assert rpc("undone_by_the_platform", how) == [{"count": 5}]
        assert [state_of(a), state_of(a)] == [{"count": 77}, {"count": 5}]
        assert hears_nothing(a)


# --- what clients may do --------------------------------------------------------------------


def test_client_state_merge(party):
    room, rpc = party.room("Merging", "lobby"), over_rpc(party, "Merging")
    with joined(room, "a") as a, joined(room, "b") as b:
        room.hibernate()
        set_state(a, {"items": [1], "last": None, "more": {"x": 1}})
        after = {"count": 0, "items": [1], "more": {"x": 1}}
        # The sender has but the patch, and gets what has come of it.
        assert state_of(a) == state_of(b) == after
        room.hibernate()
        set_state(b, {"more": {"x": None, "y": 2}})
        after["more"] = {"y": 2}
        assert state_of(a) == state_of(b) == after
        set_state(a, {"count": -1})
        assert refusal_of(a) == "State update rejected"
        assert state_of(a) == after
        # What is no object takes the place of all, and the sender has it.
        set_state(b, "all of it")
        assert state_of(a) == "all of it"
        assert hears_nothing(a, b)
        assert rpc("get") == ["all of it"]


def test_client_state_refuse(party):
    room, rpc = party.room("Refusing", "lobby"), over_rpc(party, "Refusing")
    with joined(room, "a") as a, joined(room, "b") as b:
        room.hibernate()
        set_state(a, {"count": 1})
        assert refusal_of(a) == "State update rejected"
        assert state_of(a) == INITIAL
        assert rpc("put", {"count": 2}) == [{"count": 2}]
        assert state_of(a) == state_of(b) == {"count": 2}
        assert hears_nothing(a, b)
