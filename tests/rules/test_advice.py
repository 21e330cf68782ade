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
