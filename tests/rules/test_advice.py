import pytest
from partyserver.rules import advice

KNOWN = ["TOKEN", "Chat", "GREETING"]


def test_a_missing_name_tells_what_there_is_and_where_each_kind_goes():
    assert advice.of_missing_binding("SECRET", KNOWN) == (
        "the worker has no variable, secret or binding SECRET. It has Chat, GREETING, TOKEN. A "
        "secret goes into .dev.vars (SECRET=...) for wrangler dev and the tests, and to Cloudflare "
        "by `npx wrangler secret put SECRET`. A variable goes into [vars] of the wrangler config, "
        "and a binding into the section for its kind"
    )


@pytest.mark.parametrize("name", ["chat", "Chatt", "CHAT"])
def test_a_name_that_is_nearly_right_is_guessed(name):
    assert f"binding {name}: did you mean Chat? It has" in advice.of_missing_binding(name, KNOWN)


def test_several_may_be_meant():
    assert "mean KEY_A or KEY_B? It" in advice.of_missing_binding("KEY_", ["KEY_B", "KEY_A", "Z"])


def test_a_worker_may_have_nothing():
    assert "binding SECRET. It has none at all. A" in advice.of_missing_binding("SECRET", [])


def test_a_call_that_is_not_awaited_has_its_line():
    name = advice.of_unawaited_call("get", "/session/metadata/worker.py", 12)
    assert name == "get() at /session/metadata/worker.py:12"


def test_a_capability_is_looked_for_in_its_module():
    told = advice.of_missing_name("on", [])
    assert told == "partyserver has no on: write `from partyserver.events import on`"


def test_a_name_in_another_spelling_is_guessed():
    told = advice.of_missing_name("routePartykitRequest", ["Server", "route_partykit_request"])
    assert told == "partyserver has no routePartykitRequest: did you mean route_partykit_request?"


@pytest.mark.parametrize("name", ["server", "Room"])
def test_of_other_names_there_is_nothing_to_say(name):
    assert advice.of_missing_name(name, ["Server"]) is None


def test_a_fetch_without_a_response_is_told():
    told = advice.of_no_response("Default.fetch", None)
    assert told.startswith(
        "Default.fetch returned None, and not a Response: route_partykit_request"
    )
    told = advice.of_no_response("Default.fetch", {})
    assert told == "Default.fetch returned dict, and not a Response"
    told = advice.of_unawaited_response("Default.fetch")
    assert told.startswith(
        "Default.fetch returned a coroutine: write await before the call, as in "
    )
