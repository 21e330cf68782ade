"""`useAgent`, by what only a component does: see UPSTREAM.md. The rest is in test_npm_*.py."""

from __future__ import annotations

import json

import pytest

from ..chromium import browser
from .npm import NEWER, OLDER, CallError, both, bundle, connect, tab, version

__all__ = ["browser", "bundle", "connect", "tab", "version"]

pytestmark = pytest.mark.once("what an agent does to its clients is seen in Node.js")

INITIAL = {"count": 0, "items": [], "last": None}
CLOSED = r"^Connection closed$"


@pytest.fixture(scope="module")
def place(tab):
    tab.kind = "useAgent"
    return tab


def has_left(witness, id):
    """When an agent of `Calls` has told somebody that a connection is gone."""
    while json.loads(witness.until("message")[1]) != ["left", id]:
        pass


# --- mounting ---------------------------------------------------------------------------


@both
def test_a_component_may_call_as_soon_as_it_is_there(connect):
    client = connect("Calls", callOnMount=["add", [1, 2]])
    assert client.until("mount") == ["mount", 3]


@both
@pytest.mark.parametrize("strict", [False, True], ids=["once", "strict"])
def test_a_component_has_one_connection_also_where_it_is_mounted_twice(connect, strict):
    client = connect("Calls", strict=strict, callOnMount=["add", [1, 2]])
    for _ in range(2 if strict else 1):
        assert client.until("mount") == ["mount", 3]
    client.ready()
    while client.call("connected") != [client.id]:  # until the other one has been closed
        pass
    assert client.call("who")["id"] == client.id


@both
def test_who_is_unmounted_leaves_and_may_come_back(connect, party):
    witness, client = connect("Calls"), connect("Calls")
    witness.call("nothing")
    left = client.ready() and client.id
    client.have("unmount")
    has_left(witness, left)
    assert witness.call("connected") == [witness.id]
    party.room("Calls", "lobby").hibernate()
    client.have("mount")
    client.until("identity"), client.until("identity")
    assert client.call("add", 1, 2) == 3
    assert sorted(witness.call("connected")) == sorted([witness.id, client.id])


@both
def test_what_was_missed_is_there_after_a_remount(connect):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    client.have("unmount")
    other.call("increment")
    client.have("mount")
    client.until("identity"), client.until("identity")
    client.ready()
    assert client.call("get") == client.state == {**INITIAL, "count": 1}


@both
def test_a_component_is_told_of_mcp_servers(connect):
    client = connect("Counts")
    assert client.until("mcp") == [
        "mcp",
        {"prompts": [], "resources": [], "servers": {}, "tools": []},
    ]


# --- the state in what is rendered ------------------------------------------------------


@both
def test_a_component_is_rendered_with_the_state(connect, party):
    client, other = connect("Counts"), connect("Counts")
    client.ready(), other.ready()
    assert client.have("text") == '{"count":0,"items":[],"last":null}'
    room = party.room("Counts", "lobby")
    room.hibernate()
    other.call("increment", 2)
    client.have("show", '"count":2')
    room.evict()
    client.until("close"), other.until("close")
    client.ready(), other.ready()
    client.set_state({"count": 3})
    assert client.have("text") == '{"count":3}'
    other.have("show", '{"count":3}')
    client.set_state({"count": -1})
    client.until("state error")
    client.have("show", '{"count":3}')


# --- other options ----------------------------------------------------------------------


@both
def test_another_name_is_another_agent(connect, party, version):
    witness, client = connect("Counts", "a"), connect("Counts", "a")
    client.ready(), witness.ready()
    client.call("put", {"count": 7})
    client.change(name="b")
    assert client.until("identity") == ["identity", "a", "counts"]
    if version == NEWER:  # an older one resolves its `ready` for the agent before
        assert client.ready()["name"] == "b"
    assert client.until("identity") == ["identity", "b", "counts"]
    assert client.call("get") == client.state == INITIAL
    assert client.have("about")["path"] == [{"agent": "Counts", "name": "b"}]
    assert client.call("increment") == 1
    assert witness.call("get") == {"count": 7}
    party.room("Counts", "a").evict()
    client.change(name="a")
    assert client.until("identity") == ["identity", "a", "counts"]
    assert client.call("get") == client.state == {"count": 7}


@both
def test_another_query_is_another_connection_for_old_references_too(connect, party):
    client = connect("Calls", query={"of": "first"})
    client.ready()
    first, stale = client.id, client.keep()
    client.change(query={"of": "second"})
    client.until_open("of=second")
    party.room("Calls", "lobby").hibernate()
    assert client.id != first
    assert stale.call("who")["query"]["of"] == "second"
    assert stale.call("add", 3, 4) == 7


@both
def test_a_call_on_its_way_is_rejected_when_the_connection_is_another(connect):
    client = connect("Calls", query={"of": "first"})
    client.ready()
    held = client.start("hold", "a", timeout=0)
    client.change(query={"of": "second"})
    with pytest.raises(CallError, match=CLOSED):
        held.result()
    client.until_open("of=second")
    assert client.call("add", 1, 2) == 3


@both
def test_dependencies_of_an_asynchronous_query_have_it_asked_anew(connect):
    client = connect("Calls", queries=[{"of": "first"}, {"of": "second"}], queryDeps=["a"])
    assert client.ready()["asked"] == 1
    client.change(queryDeps=["b"])
    client.until_open("of=second")
    assert client.call("who")["query"]["of"] == "second"
    client.change(queryDeps=["b"])
    assert client.about()["asked"] == 2


@both
def test_a_lost_connection_has_an_asynchronous_query_asked_anew(connect, party):
    client = connect("Calls", queries=[{"of": "first"}, {"of": "second"}])
    assert client.ready()["asked"] == 1
    party.room("Calls", "lobby").evict()
    client.until_open("of=second")
    assert client.call("who")["query"]["of"] == "second"
    assert client.about()["asked"] == 2


@both
def test_who_is_not_enabled_is_not_connected(connect):
    witness = connect("Calls")
    witness.call("nothing")
    client = connect("Calls", enabled=False)
    assert client.about()["identified"] is False
    assert witness.call("connected") == [witness.id]
    for _ in range(2):
        client.change(enabled=True)
        client.until("identity")
        assert sorted(client.call("connected")) == sorted([witness.id, client.id])
        client.change(enabled=False)
        client.until("close")
        has_left(witness, client.id)
        assert witness.call("connected") == [witness.id]
        assert client.about()["identified"] is False


@both
def test_calls_wait_until_their_agent_is_connected(connect):
    client = connect("Calls", enabled=False, query={"of": "first"})
    call = client.start("add", 2, 3, timeout=0)
    client.change(enabled=True, query={"of": "second"})
    assert call.result() == 5


@both
def test_calls_wait_for_no_other_agent(connect):
    client = connect("Calls", "a", enabled=False)
    call = client.start("add", 2, 3, timeout=0)
    client.change(enabled=True, name="b")
    with pytest.raises(CallError, match="agent address changed"):
        call.result()
    assert client.call("who")["name"] == "b"


@both
def test_a_call_that_waits_too_long_is_given_up(connect):
    client = connect("Calls", enabled=False, defaultCallTimeout=50)
    with pytest.raises(CallError, match=r"^RPC call to add timed out after 50ms$"):
        client.call("add", 2, 3)


# --- final ends -------------------------------------------------------------------------


@both
def test_a_final_close_asks_for_no_other_query(connect):
    client = connect("Calls", queries=[{"of": "first"}, {"of": "second"}])
    client.ready()
    client.start("close_all", 4001, "that is all")
    assert client.until("connection error") == ["connection error", 4001, "that is all"]
    for _ in range(2):  # renderings
        about = client.about()
    assert "that is all" in about["connectionError"]
    assert (about["asked"], about["shouldReconnect"], about["identified"]) == (1, False, False)


@both
def test_another_address_is_tried_after_a_final_close(connect):
    client = connect("Calls", path="sub/calls/child")
    assert client.until("connection error")[1] == 1008
    assert "no sub-agents" in client.about()["connectionError"]
    with pytest.raises(CallError, match=CLOSED):
        client.call("add", 1, 2)
    client.change(path="some/path")
    client.until("identity")
    assert client.about()["connectionError"] is None
    assert client.call("add", 1, 2) == 3


@both
def test_the_application_may_have_final_codes_of_its_own(connect, version):
    client = connect("Calls", finalCode=3002)
    client.ready()
    client.start("close_all", 3001, "come back")
    assert client.until("close") == ["close", 3001, "come back"]
    client.until("open")
    id = client.ready() and client.id
    client.change(finalCode=3001)  # it is asked at the next close, of this connection
    assert client.id == id
    client.start("close_all", 3001, "that is all")
    if version != OLDER:
        assert client.until("connection error") == ["connection error", 3001, "that is all"]
    assert client.until("close") == ["close", 3001, "that is all"]
    assert client.about()["shouldReconnect"] is False


# --- the agent over HTTP ----------------------------------------------------------------


@both
def test_a_component_knows_the_url_of_its_agent(connect, place, party):
    client = connect("OtherName", path="some/path", query={"a": "1"})
    client.ready()
    url = client.have("about")["httpUrl"]
    assert url.startswith(f"{party.url}/agents/other-name/lobby/some/path?")
    about = party.fetch(url.removeprefix(party.url)).json()
    assert (about["path"], about["name"], about["query"]["a"]) == ("some/path", "lobby", "1")
