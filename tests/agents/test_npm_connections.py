"""Who is connected, where to, and for how long, by the unchanged npm clients: see UPSTREAM.md."""

from __future__ import annotations

import json

import pytest

from ..chromium import browser
from .npm import CallError, Pending, both, bundle, connect, node, place, tab, version

__all__ = ["browser", "bundle", "connect", "node", "place", "tab", "version"]

INITIAL = {"count": 0, "items": [], "last": None}
READONLY = "Connection is readonly"


def types(client):
    """Of all frames since this was asked last, up to now."""
    client.call("get")
    return [frame["type"].removeprefix("cf_agent_") for frame in client.frames()]


# --- readonly connections ---------------------------------------------------------------


@both
def test_a_readonly_connection_sees_everything_and_changes_nothing(connect, party):
    reader, writer = connect("Counts", query={"readonly": "true"}), connect("Counts")
    reader.ready(), writer.ready()
    assert writer.call("flags", reader.id)["readonly"] is True
    assert reader.call("flags", writer.id)["readonly"] is False

    for count in 1, 2:
        party.room("Counts", "lobby").hibernate()
        reader.frames()
        reader.set_state({"count": 100})
        assert reader.until("state error") == ["state error", READONLY]
        with pytest.raises(CallError, match=f"^{READONLY}$"):
            reader.call("increment")
        with pytest.raises(CallError, match=f"^{READONLY}$"):
            reader.call("put", {"count": 100})
        assert reader.call("get")["count"] == count - 1
        assert reader.state["count"] == count - 1  # upstream leaves it at 100

        assert writer.call("increment") == count
        assert reader.call("get") == {**INITIAL, "count": count}
        assert reader.state == {**INITIAL, "count": count}
    assert [state["count"] for state, _ in writer.call("changes")] == [0, 1, 2]


def test_a_connection_may_become_readonly_and_writable_again(connect, party):
    one, other = connect("Counts"), connect("Counts")
    one.ready(), other.ready()
    other.call("set_readonly", one.id, True)
    party.room("Counts", "lobby").hibernate()
    assert one.call("flags", one.id)["readonly"] is True
    with pytest.raises(CallError, match=READONLY):
        one.call("increment")
    assert other.call("increment") == 1

    one.call("set_readonly", one.id, False)
    party.room("Counts", "lobby").hibernate()
    assert other.call("flags", one.id)["readonly"] is False
    assert one.call("increment") == 2
    one.set_state({"count": 3})
    assert one.call("get") == {"count": 3}


def test_each_reconnection_is_asked_for_anew(connect):
    queries = {"readonly": "true"}, {"protocol": "false"}, {"protocol": "true"}
    client = connect("Counts", queries=queries)
    client.ready()
    assert client.call("flags") == {"readonly": True, "protocol": True, "state": None}
    client.reconnect()
    client.until_open("protocol=false")
    client.frames()
    assert client.call("flags") == {"readonly": False, "protocol": False, "state": None}
    assert types(client) == ["rpc", "rpc"]
    client.reconnect()
    client.until_open("protocol=true")
    client.ready()
    assert client.call("increment") == 1
    assert client.call("flags") == {"readonly": False, "protocol": True, "state": None}


# --- connections without the protocol's frames ------------------------------------------


@both
def test_a_connection_without_protocol_frames_hears_only_what_it_asks_for(connect, party):
    quiet, other = connect("Counts", query={"protocol": "false"}), connect("Counts")
    assert types(quiet) == ["rpc"]
    types(other)
    assert quiet.call("flags", quiet.id)["protocol"] is False
    assert quiet.call("flags", other.id)["protocol"] is True
    quiet.frames()

    party.room("Counts", "lobby").hibernate()
    assert quiet.call("increment") == 1
    assert types(quiet) == ["rpc", "rpc"]
    assert types(other) == ["state", "rpc"]
    other.set_state({"count": 2})
    quiet.set_state({"count": 3})
    assert other.call("increment") in (3, 4)
    assert types(quiet) == ["rpc"]
    assert quiet.about()["identified"] is False


def test_the_initial_state_reaches_those_who_were_there_before(connect):
    """It is stored when it is first read, here by a newcomer after all has been deleted."""
    quiet, old = connect("Counts", query={"protocol": "false"}), connect("Counts")
    old.ready()
    assert old.call("increment") == 1
    old.call("forget")
    quiet.call("flags")
    old.frames(), quiet.frames()
    newcomer = connect("Counts")
    assert newcomer.ready()["state"] == INITIAL
    assert types(newcomer) == ["identity", "state", "mcp_servers", "rpc"]
    assert types(old) == ["state", "rpc"]
    assert types(quiet) == ["rpc"]
    assert old.state == INITIAL


def test_both_flags_are_hidden_from_the_connections_own_state_and_kept(connect, party):
    query = {"readonly": "true", "protocol": "false", "remember": "kept"}
    client, other = connect("Counts", query=query), connect("Counts")
    other.ready()
    client.call("get")
    for word, by_function in ("kept", None), ("by value", False), ("by function", True):
        if by_function is not None:
            other.call("remember", client.id, word, by_function)
        party.room("Counts", "lobby").hibernate()
        flags = {"readonly": True, "protocol": False, "state": {"word": word}}
        assert client.call("flags", client.id) == flags
        with pytest.raises(CallError, match=READONLY):
            client.call("increment")
    other.call("increment")
    assert "state" not in types(client)


# --- who it is --------------------------------------------------------------------------


def test_an_agent_need_not_say_who_it_is(connect):
    client = connect("Anonymous")
    assert client.call("increment") == 1
    assert types(client) == ["state", "mcp_servers", "state", "rpc", "rpc"]
    assert client.about()["identified"] is False
    assert client.state["count"] == 1


def test_an_agent_says_its_classs_name_and_the_url_has_its_bindings(connect):
    for binding, agent in [
        ("Counts", "counts"),
        ("counts", "counts"),
        ("OtherName", "calls"),
        ("other-name", "calls"),
        ("SHOUTING_AGENT", "shouting-agent"),
        ("Snake_Cased", "snake--cased"),
    ]:
        client = connect(binding, name=None)
        about = client.ready()
        assert (about["agent"], about["name"]) == (agent, "default")
        client.close()


def test_a_name_is_taken_from_the_url_as_it_stands(connect):
    for name in "with-dash", "with_underscore", "a.b~c", "123", "a space", "ü", "user@host":
        client = connect("Calls", name)
        escaped = client.ready()["url"].partition("/agents/calls/")[2].partition("?")[0]
        assert client.about()["name"] == client.call("who")["name"] == escaped
        client.close()


def test_agents_of_other_names_and_classes_are_others(connect):
    one, other, another = connect("Counts", "a"), connect("Counts", "b"), connect("Empty", "a")
    assert one.call("increment") == 1
    assert other.call("get") == INITIAL
    another.call("put", {"count": 7})
    assert one.call("get")["count"] == 1
    assert types(other) == ["identity", "state", "mcp_servers", "rpc", "rpc"]


def test_a_query_reaches_the_agent_also_an_asynchronous_one(connect):
    client = connect("Calls", query={"a": "1 ü", "b": ""}, id="me")
    assert client.call("who") == {
        "id": "me",
        "query": {"_pk": "me", "a": "1 ü", "b": ""},
        "name": "lobby",
    }
    other = connect("Calls", queries=[{"token": "first"}, {"token": "second"}])
    assert other.call("who")["query"]["token"] == "first"
    other.reconnect()
    other.until_open("token=second")
    assert other.call("who")["query"]["token"] == "second"
    assert other.id == other.call("who")["id"]


def test_the_worker_may_decide_which_agent_it_is(connect):
    client = connect("ignored", basePath="named/alice")
    about = client.ready()
    assert (about["agent"], about["name"]) == ("counts", "alice")
    same = connect("Counts", "alice")
    assert same.call("increment") == 1
    assert client.call("get")["count"] == 1

    user = connect("ignored", basePath="user", queries=[{"as": "a"}, {"as": "b"}])
    assert user.until("identity") == ["identity", "user-a", "calls"]
    user.reconnect()
    changed = user.until("identity change")
    assert changed == ["identity change", "user-a", "user-b", "calls", "calls"]
    assert user.ready()["name"] == "user-b"


# --- HTTP -------------------------------------------------------------------------------


@both
def test_agent_fetch_reaches_on_request(place, party, version):
    def fetch(init=None, **options):
        answer = place("fetch", version, {"host": party.url, **options}, init or {})
        return answer["status"], answer["text"]

    lobby = {"agent": "OtherName", "name": "lobby"}
    for method in "GET", "POST", "PUT", "DELETE":
        init = {"method": method, **({"body": "grüße"} if method in ("POST", "PUT") else {})}
        status, text = fetch(init, **lobby, path="some/path", query={"a": "1 ü"})
        assert status == 200
        assert json.loads(text) == {
            "method": method,
            "path": "some/path",
            "query": {"a": "1 ü"},
            "body": init.get("body", ""),
            "name": "lobby",
        }
    assert fetch(agent="Counts", name="lobby") == (404, "Not implemented")
    assert fetch(agent="unknown", name="lobby")[0] == 400
    assert fetch(agent="ignored", basePath="agents/calls")[0] == 404
    assert fetch(agent="ignored", basePath="elsewhere/other-name/lobby")[0] == 404

    init = {"method": "POST", "body": "x"}
    [status, text] = fetch(init, agent="ignored", basePath="user", query={"as": "a"})
    about = json.loads(text)
    assert (status, about["method"], about["body"], about["name"]) == (200, "POST", "x", "user-a")


# --- ends and reconnections -------------------------------------------------------------


@both
def test_after_a_lost_connection_a_client_is_itself_again(connect, party):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    client.set_state({"count": 5})
    client.call("get")
    party.room("Counts", "lobby").evict()
    client.until("close"), other.until("close")
    about, again = client.ready(), client.until("identity")
    assert again == ["identity", "lobby", "counts"]
    assert (about["agent"], about["name"], about["identified"]) == ("counts", "lobby", True)
    assert client.call("increment") == 6
    other.ready()
    assert other.call("get") == other.state == {"count": 6}


@pytest.mark.once("a restart ends more than an eviction does")
def test_clients_come_back_after_a_restart_of_everything(connect, party):
    client, old = connect("Counts"), connect("Counts")
    client.ready(), old.ready()
    client.call("increment")
    party.restart()
    client.until("close"), old.until("close")
    assert client.ready()["state"] == {**INITIAL, "count": 1}
    old.ready()
    assert old.call("increment") == 2
    assert client.call("get")["count"] == client.state["count"] == 2


@both
def test_what_was_sent_before_a_lost_connection_is_rejected_and_what_waits_is_sent(connect, place):
    client = connect("Calls", callOnClose=["later", "add", [1, 2]])
    client.ready()
    sent = client.start("hold", "a", timeout=0)
    client.start("close_all", 3001, "come back")
    with pytest.raises(CallError, match=r"^Connection closed$"):
        sent.result()
    assert client.until("close") == ["close", 3001, "come back"]
    client.until("open")
    assert Pending(place, "later").result() == 3


@both
def test_a_final_close_ends_the_connection_and_all_calls(connect):
    for code in 4000, 4999:
        client = connect("Calls")
        client.ready()
        held = client.start("hold", f"until {code}", timeout=0)
        client.start("close_all", code, "that is all")
        with pytest.raises(CallError, match=r"^Connection closed$"):
            held.result()
        assert client.until("connection error") == ["connection error", code, "that is all"]
        about = client.about()
        assert about["shouldReconnect"] is False
        assert "that is all" in about["connectionError"]
        with pytest.raises(CallError, match=r"^Connection closed$"):
            client.call("add", 1, 2)


def test_its_own_close_rejects_what_a_client_has_asked_for(connect):
    client = connect("Calls")
    client.ready()
    held = client.start("hold", "a")
    client.close()
    with pytest.raises(CallError, match=r"^Connection closed$"):
        held.result()
    about = client.about()
    assert (about["identified"], about["connectionError"]) == (False, None)


# --- what is not served -----------------------------------------------------------------


def test_a_client_of_another_transport_is_told_so_once_and_for_all(connect):
    for options in {}, {"basePath": "named/lobby"}:  # past `route_agent_request`, too
        client = connect("Counts", transport="capnweb", **options)
        _, code, reason = client.until("connection error")
        assert code == 1008
        assert "Cap'n Web" in reason
        assert client.about()["shouldReconnect"] is False
        with pytest.raises(CallError, match=r"^Connection closed$"):
            client.call("get")


@both
def test_a_sub_agent_is_refused_once_and_for_all_and_is_not_its_parent(connect, party):
    client = connect("Counts", path="sub/calls/child")
    _, code, _ = client.until("connection error")
    assert code == 1008
    assert client.about()["shouldReconnect"] is False
    assert client.frames() == []
    assert party.fetch("/agents/counts/lobby/sub/calls/child").status_code == 404


def test_any_other_path_behind_the_name_is_the_agents_own(connect):
    client = connect("Counts", path="some/path")
    assert client.ready()["name"] == "lobby"
