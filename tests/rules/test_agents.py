"""The frames of the Agents SDK, and what becomes of a state."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.errors import ClientError
from partyserver.rules import agents
from partyserver.rules.agents import CallFrame, StateFrame, merged, parse_frame, state_json

from .strategies import json_values

CALL = {"type": "rpc", "id": "1", "method": "add", "args": [1, {"a": None}]}


def test_a_call():
    assert parse_frame(json.dumps(CALL)) == CallFrame("1", "add", [1, {"a": None}])
    assert parse_frame(json.dumps(CALL | {"more": 1})) == CallFrame("1", "add", [1, {"a": None}])


@pytest.mark.parametrize("state", [None, 0, False, "", {}, [1], {"a": {"b": 1}}])
def test_a_state(state):
    text = json.dumps({"type": "cf_agent_state", "state": state})
    assert parse_frame(text) == StateFrame(state)


def test_a_type_may_be_escaped():
    escaped = json.dumps(CALL).replace("rpc", "\\u0072pc")
    assert parse_frame(escaped) == parse_frame(json.dumps(CALL))


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "rpc",
        "null",
        "[]",
        "{}",
        '"rpc"',
        '["rpc"]',
        '{"type": "rpc"',
        json.dumps(CALL | {"args": None}),
        json.dumps(CALL | {"args": {}}),
        json.dumps(CALL | {"id": 1}),
        json.dumps(CALL | {"method": None}),
        json.dumps(CALL | {"type": "rpcs"}),
        json.dumps({key: value for key, value in CALL.items() if key != "args"}),
        '{"type": "cf_agent_state"}',
        '{"type": "cf_agent_identity", "state": 1}',
        '{"type": "cf_agent_state", "state": NaN}',
        '{"type": "cf_agent_state", "state": ' + "[" * 600 + "]" * 600 + "}",
        json.dumps(CALL).encode(),
        b"\x00",
    ],
)
def test_all_else_is_the_users(message):
    assert parse_frame(message) is None


@given(json_values | st.text() | st.binary())
def test_nothing_that_is_sent_is_an_error(value):
    for message in [value] if isinstance(value, bytes) else [json.dumps(value), f"rpc {value}"]:
        assert parse_frame(message) is None


def test_what_clients_get():
    assert json.loads(agents.identity_frame("ann", "my-agent", state_follows=False)) == {
        "type": "cf_agent_identity",
        "name": "ann",
        "agent": "my-agent",
    }
    follows = json.loads(agents.identity_frame("ann", "my-agent", state_follows=True))
    assert follows["stateFollows"] is True
    assert json.loads(agents.state_frame('{"a":1}')) == {
        "type": "cf_agent_state",
        "state": {"a": 1},
    }
    assert json.loads(agents.state_error_frame("no")) == {
        "type": "cf_agent_state_error",
        "error": "no",
    }
    assert json.loads(agents.MCP_FRAME) == {
        "type": "cf_agent_mcp_servers",
        "mcp": {"prompts": [], "resources": [], "servers": {}, "tools": []},
    }


def test_answers():
    answer = {"type": "rpc", "id": "1", "success": True, "done": True}
    assert json.loads(agents.result_frame("1", 3)) == answer | {"result": 3}
    assert json.loads(agents.result_frame("1", None)) == answer
    assert json.loads(agents.result_frame("1", False)) == answer | {"result": False}
    chunk = answer | {"done": False, "result": None}
    assert json.loads(agents.chunk_frame(agents.chunk_head("1"), None)) == chunk
    assert json.loads(agents.error_frame("1", "no")) == {
        "type": "rpc",
        "id": "1",
        "success": False,
        "error": "no",
    }


class Number(int):
    """Not exactly an `int`."""

    def __repr__(self):
        return "a number"

    def __format__(self, spec):
        return "a number"


def _chunk_frame(id, chunk):
    return agents.chunk_frame(agents.chunk_head(id), chunk)


@pytest.mark.parametrize("frame", [agents.result_frame, _chunk_frame])
def test_what_json_cannot_hold_is_no_answer(frame):
    with pytest.raises(TypeError, match=r"^(what a callable returns|a chunk of a stream) is a"):
        frame("1", {1, 2})
    with pytest.raises(ValueError, match=r"not JSON compliant: it is at \$\.result"):
        frame("1", float("nan"))


@pytest.mark.parametrize("frame", [agents.result_frame, _chunk_frame])
@pytest.mark.parametrize(
    "value",
    [
        *("", "how ", 'a "quote"\n\\', "\x7f\0", "é 🦊", "half \ud83e", True, False, 0, -7, 2**70),
        *(1.5, [], [1, [2]], {"a": {"b": None}}, {"é": 1}, Number(3)),
    ],
)
def test_any_value_is_an_answer_as_json_has_it(frame, value):
    for id in ("0b6f0c8e-6f5c-4a1e-9d0b-2f6f7a1c8e55", 'a "quote"', "é 🦊", "half \ud83e"):
        text = frame(id, value)
        found = json.loads(text)
        assert (found["id"], found["result"]) == (id, value)
        assert type(found["result"]) is not bool or value is found["result"]
        text.encode()  # which half a surrogate pair would not let


def test_a_method_that_cannot_be_called_is_named_but_not_at_any_length():
    assert agents.no_such_method("x") == "Method x does not exist"
    assert agents.not_callable("x") == "Method x is not callable"
    assert len(agents.no_such_method("x" * 10_000)) < 200


def test_what_a_client_is_told_of_a_failure():
    class Silent(ClientError):
        def __init__(self):
            self.message = None

    class Mute(ClientError):
        def __init__(self): ...

    class NotOurs(Exception):
        message = "secret"

    assert agents.told_by(ClientError("no", code="x")) == "no"
    assert agents.told_by(Silent()) is agents.told_by(Mute()) is None
    assert agents.told_by(NotOurs()) is agents.told_by(SystemExit("secret")) is None


def test_what_is_called_with_the_number_of_the_attempt():
    assert agents.needs_attempt(lambda attempt: attempt)
    assert agents.needs_attempt(partial(lambda a, b: (a, b), 1))
    assert not agents.needs_attempt(lambda: None)
    assert not agents.needs_attempt(lambda url="u": url)
    assert not agents.needs_attempt(lambda *args: args)
    assert not agents.needs_attempt(partial(lambda a, b=2: (a, b), 1))
    assert not agents.needs_attempt(dict)  # whose parameters cannot be had


def test_what_cannot_be_called_with_it():
    with pytest.raises(TypeError, match="must take the payload, or nothing"):
        agents.needs_attempt(lambda a, b: None)


# --- URLs -------------------------------------------------------------------------------


def test_who_asks_for_capnweb():
    assert agents.asks_for_capnweb("https://a/agents/b/c?_pk=1&__agents_transport=capnweb")
    assert not agents.asks_for_capnweb("https://a/agents/b/c?__agents_transport=json")
    assert not agents.asks_for_capnweb("https://a/agents/b/capnweb")


@pytest.mark.parametrize(
    ("path", "asks"),
    [
        ("/agents/b/c", False),
        ("/agents/b/sub", False),
        ("/agents/b/c/sub", False),
        ("/agents/b/c/sub/", False),
        ("/agents/b/c/submit/x", False),
        ("/agents/b/c/x/sub/y", False),
        ("/agents/b/c/sub/child", True),
        ("/agents/b/c/sub/child/name?x=1", True),
        ("//agents/b//c/sub/child/name/more", True),
    ],
)
def test_who_asks_for_a_sub_agent(path, asks):
    assert agents.asks_for_sub_agent(f"https://host{path}", "agents") is asks
    assert agents.asks_for_sub_agent(f"https://host/api{path}", "/api/agents/") is asks


# --- states -----------------------------------------------------------------------------


@given(json_values)
def test_a_state_is_kept_as_json(value):
    assert json.loads(state_json(value)) == value
    assert state_json(value, was_json=True) == state_json(value)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({1, 2}, TypeError),
        (b"", TypeError),
        (float("inf"), ValueError),
        (10**400, ValueError),
        ("x" * agents.MAX_STATE, ValueError),
        ("é" * (agents.MAX_STATE // 2), ValueError),
    ],
)
def test_what_is_no_state(state, error):
    with pytest.raises(error):
        state_json(state)


@pytest.mark.parametrize("state", [{5: 1}, {"a": [{None: 1}]}, [({"b": {1.5: 1}},)]])
def test_keys_that_would_come_back_as_texts_are_refused(state):
    with pytest.raises(TypeError, match=r"^a state's dicts have str keys only, not (5|None|1\.5)$"):
        state_json(state)


def test_a_state_that_just_fits():
    assert len(state_json("x" * (agents.MAX_STATE - 2))) == agents.MAX_STATE


@pytest.mark.parametrize(
    ("state", "patch", "result"),
    [  # those of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch(state, patch, result):
    before = json.dumps(state)
    assert merged(state, patch) == result
    assert json.dumps(state) == before


@given(json_values, json_values)
def test_a_patch_that_is_no_object_takes_the_place_of_all(state, patch):
    result = merged(state, patch)
    if not isinstance(patch, dict):
        assert result == patch
