"""From a URL, or a name, to an agent; and who is turned away."""

from __future__ import annotations

import json
import re
from base64 import b64encode

import pytest
from partyserver.testing import SocketClosedError

from .wire import greeting


def identity_of(party, path):
    with party.connect(path) as socket:
        identity = greeting(socket)[0]
        return identity["agent"], identity["name"]


def test_a_url_has_the_bindings_kebab_case_and_the_identity_the_classs(party):
    assert identity_of(party, "/agents/stateful/lobby") == ("stateful", "lobby")
    assert identity_of(party, "/agents/my-callable/default/some/path?x=1") == (
        "callable",
        "default",
    )
    assert identity_of(party, "/agents/loud-agent/a%20b~c") == ("loud-agent", "a%20b~c")
    assert identity_of(party, "/api/agents/stateful/lobby") == ("stateful", "lobby")
    with party.connect("/agents/STATEFUL/another") as socket:
        assert greeting(socket)[1]["state"]["count"] == 0


def test_http_goes_there_too(party):
    asked = party.fetch("/agents/my-callable/lobby/some/path?x=1", "POST", content=b"body")
    assert asked.json() == {
        "method": "POST",
        "path": "some/path",
        "query": {"x": "1"},
        "body": "body",
        "current": [True, None, True],
    }
    unanswered = party.fetch("/agents/blank/lobby")
    assert (unanswered.status_code, unanswered.text) == (404, "Not implemented")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/agents/nobody/lobby", 400),
        ("/agents/stateful", 404),
        ("/agents", 404),
        ("/agent/stateful/lobby", 404),
        ("/agents/stateful/lobby/sub/child/name", 404),
        ("/agents/stateful/lobby/sub/x", 404),
    ],
)
def test_what_is_no_agent(party, path, status):
    assert party.fetch(path).status_code == status


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/agents/stateful/lobby/sub/child/name", "this agent has no sub-agents"),
        ("/agents/stateful/lobby?__agents_transport=capnweb", "speaks JSON, not Cap'n Web"),
    ],
)
def test_who_asks_for_what_there_is_not_is_turned_away_for_good(party, path, reason):
    """The SDK's clients take 1008 as final; with any other code they would come again for ever."""
    with party.connect(path) as socket:
        with pytest.raises(SocketClosedError) as closed:
            socket.receive()
        assert closed.value.code == 1008
        assert reason in closed.value.reason


def test_also_past_the_router(party):
    with party.connect("/custom/lobby?__agents_transport=capnweb") as socket:
        assert "Cap'n Web" in socket.receive_json()["error"]
        socket.wait_closed()
        assert socket.close_code == 1008


@pytest.mark.once("nothing of it depends on rooms")
def test_of_bindings_with_one_name_in_urls_the_log_tells(party):
    party.restart()  # it is told once in an isolate
    assert identity_of(party, "/agents/loud-agent/ann") == ("loud-agent", "ann")
    [line] = [line.message for line in party.logs if "in URLs" in line.message]
    assert re.search("LOUD_AGENT and loudAgent are both 'loud-agent'", line)


def test_a_path_of_the_workers_own(party):
    assert identity_of(party, "/custom/ann/whatever") == ("stateful", "ann")
    assert party.fetch("/custom/ann").json() == party.fetch("/agents/stateful/ann").json()


def test_props_are_the_routers_and_never_a_clients(party):
    forged = {
        "x-agents-lifecycle-props": b64encode(json.dumps({"by": "a client"}).encode()).decode(),
        "x-partykit-props": json.dumps({"by": "a client"}),
        "x-agents-other": "stays",
    }
    seen = party.fetch("/agents/my-callable/forged/headers", headers=forged).json()
    assert seen == {"props": {"by": "the router"}, "lifecycle": None, "other": "stays"}


def test_hooks_before_an_agent(party):
    assert party.fetch("/agents/stateful/forbidden").status_code == 403
    assert party.fetch("/agents/stateful/lobby").status_code == 200


def test_outside_of_an_agent_there_is_no_current_one(party):
    assert party.fetch("/nobody").json() == [None, None, None]
    assert party.fetch("/wrong-option").text == (
        "TypeError: route_agent_request has no option 'corz' (did you mean 'cors'?); those of "
        "routing are: location_hint, jurisdiction, props, cors, routing_retry, on_before_connect, "
        "on_before_request, allowed_origins"
    )
