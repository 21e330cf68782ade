"""Methods that clients call: which, with what, and what they are told."""

from __future__ import annotations

import re

import pytest

from ..contracts.scripted import eventually
from .wire import answer_of, ask, call, joined, over_rpc, state_of

ERROR_ID = r"Internal error \(error id [0-9a-f]{8}\)"


@pytest.fixture
def room(party):
    return party.room("MyCallable", "lobby")


@pytest.fixture
def rpc(party):
    return over_rpc(party, "MyCallable")


@pytest.fixture
def a(room):
    with joined(room, "a") as socket:
        yield socket


# --- calls ------------------------------------------------------------------------------


def test_a_call_gets_what_its_method_returns(room, a):
    assert call(a, "add", 1, 2) == 3
    room.hibernate()
    assert call(a, "add", 1) == 1
    assert call(a, "slow", 1) == 1
    assert call(a, "inherited") == "inherited"
    assert call(a, "overridden") == "the nearest"
    values = [None, False, 0, "", [1.5, {"a": None}], "é\U0001f389"]
    assert call(a, "echo", *values) == values


def test_no_result_has_no_key(a):
    ask(a, "nothing")
    assert answer_of(a) == {"success": True, "done": True}


def test_what_is_not_decorated_cannot_be_called(a):
    for name in ("private", "hidden", "broadcast", "set_state", "on_message", "__init__"):
        assert call(a, name) == f"Method {name} is not callable"
    for name in ("state", "replaced", "name", "kv", "nowhere", "_partyserver", ""):
        assert call(a, name) == f"Method {name} does not exist"


def test_texts_of_client_errors_go_out_and_of_others_an_id(party, room, rpc, a):
    assert call(a, "refuse", "you may not") == "you may not"
    for method in ("fail", "fail_later"):
        room.hibernate()
        told = call(a, method, "secret")
        assert re.fullmatch(ERROR_ID, told)
        assert told[-9:-1] in str(party.logs)  # the id
    assert rpc("failures") == ["ValueError: secret", "ValueError: secret"]
    assert re.fullmatch(ERROR_ID, call(a, "no_json"))
    [failure] = rpc("failures")
    assert failure == "TypeError: no_json returned a set, which JSON has not"


def test_with_debug_the_client_gets_it_all(party):
    with joined(party.room("Debugged", "lobby"), "a") as a:
        told = call(a, "fail")
    assert "Traceback" in told
    assert "ValueError: in detail" in told


def test_arguments_are_checked_and_the_wrong_one_is_named(rpc, a):
    assert call(a, "add") == "a: missing"
    assert call(a, "add", 1, 2, 3) == "expected at most 2 arguments, got 3"
    assert call(a, "add", 1, "2") == "b: Expected `int`, got `str`"
    assert call(a, "take", {"name": "eggs", "count": 6}) == "6 eggs"
    assert call(a, "take", {"name": "eggs", "count": 0}) == "item.count: Expected `int` >= 1"
    assert call(a, "take", {}) == "item.name: missing"
    assert rpc("failures") == []


@pytest.mark.no_party_chaos  # what they wait for is in the agent's memory
def test_calls_run_beside_each_other(room, a):
    with joined(room, "b") as b:
        for id in ("first", "second"):
            ask(a, "wait_for", id, id=id)
        assert call(a, "add", 1, 1) == call(b, "add", 1, 1) == 2
        for id in ("second", "first"):
            assert call(b, "let_go", id) is None
            assert answer_of(a, id)["result"] == id


def test_a_caller_gets_the_new_state_before_its_answer(room, a):
    with joined(room, "b") as b:
        ask(a, "count", 5)
        assert state_of(a) == state_of(b) == {"count": 5}
        assert answer_of(a)["result"] == 5


def test_an_answer_to_a_closed_socket_is_dropped(party, rpc, a):
    ask(a, "close_and_answer")
    a.wait_closed()
    assert (a.close_code, a.close_reason) == (4001, "enough")
    assert rpc("failures") == []
    assert not [line for line in party.logs if line.level == "error"]


def test_what_is_no_frame_of_the_agents_is_the_hooks(a):
    for message in (
        "hello",
        "",
        "null",
        "{}",
        '{"type": "rpc", "id": "1", "method": "add", "args": null}',
        '{"type": "rpc", "id": "1", "method": "add"}',
        '{"type": "cf_agent_chat_clear"}',
        '{"type": "cf_agent_state"}',
        b"\x00",
    ):
        a.send(message)
        assert a.receive() == f"hook: {message!r}"
    a.send_json({"type": "rpc", "id": "1", "method": "add", "args": [1], "timeout": 5})
    assert answer_of(a)["result"] == 1


def test_json_that_would_end_the_process_is_no_frame(a):
    for deep in ("[" * 100_000, '{"type":"rpc","args":' * 10_000):
        a.send('{"type": "rpc", "id": "1", "method": "echo", "args": ' + deep)
        assert a.receive().startswith("hook: ")
    assert call(a, "add", 1, 1) == 2


def test_the_current_agent(room, rpc, a):
    assert call(a, "who") == [True, "a"]
    for _ in range(2):  # also of the message that wakes it
        room.hibernate()
        a.send("who?")
        assert a.receive_json() == [True, "a", None]
    with joined(room, "b", who="") as b:
        assert b.receive_json() == [True, "b", True]
    assert rpc("who") == [True, None]


def test_an_agent_may_have_typed_messages_and_other_text_is_the_hooks(party):
    with joined(party.room("Typed", "lobby"), "a") as a:
        ask(a, "add", 1)
        assert state_of(a) == 1
        assert answer_of(a)["result"] == 1
        a.send_json({"type": "say", "text": "hello"})
        assert a.receive_json() == {"type": "said", "text": "hello"}
        for message in ("hello", '{"type": "whisper"}'):
            a.send(message)
            assert a.receive() == f"hook: {message!r}"
        a.send_json({"type": "say", "text": 1})
        assert a.receive_json()["event"] == "say"


def test_which_methods_there_are(rpc):
    methods = rpc("methods")
    assert methods["count_to"] == [True, None]
    assert methods["echo"] == [False, "again what it is given"]
    assert methods["inherited"] == methods["add"] == [False, None]
    assert not methods.keys() & {"hidden", "replaced", "private", "state"}


def test_a_callable_is_a_method_as_any_other(rpc):
    assert rpc("add", 1, 2) == rpc("direct.add", 1, 2) == 3


@pytest.mark.log_may_hold("Callable.count_to cannot be called from outside")
def test_a_stream_is_for_clients_alone(rpc):
    assert "Callable.count_to cannot be called from outside" in rpc("direct.count_to", 1)


# --- streams ----------------------------------------------------------------------------


def chunks_of(socket, id="1"):
    """The chunks of a stream, and its last answer."""
    chunks = []
    while True:
        answer = answer_of(socket, id)
        if answer.pop("done", True):
            return chunks, answer
        assert answer.pop("success") is True
        chunks.append(answer.pop("result"))
        assert answer == {}


def test_a_stream_ends_when_its_method_says_so(room, a):
    ask(a, "count_to", 3)
    assert chunks_of(a) == ([0, 1, 2], {"success": True, "result": "done"})
    room.hibernate()
    ask(a, "stream_at_once", None, False, {"a": 1})
    assert chunks_of(a) == ([None, False, {"a": 1}], {"success": True})


def test_what_a_stream_returns_ends_it(rpc, a):
    for result in (False, [1]):
        ask(a, "stream_returns", result, False)
        assert chunks_of(a) == ([1], {"success": True, "result": result})
    ask(a, "stream_returns", 2, True)
    assert chunks_of(a) == ([1], {"success": True, "result": "ended"})
    assert call(a, "add", 1, 1) == 2  # nothing more was sent
    assert rpc("failures") == []


def test_streams_run_beside_each_other(a):
    ask(a, "stream_open", id="open")
    assert answer_of(a, "open") == {"success": True, "done": False, "result": "open"}
    ask(a, "count_to", 2, id="2")
    assert chunks_of(a, "2")[0] == [0, 1]


@pytest.mark.no_party_chaos  # the open stream is in the agent's memory
def test_a_stream_may_be_open_after_its_method_has_returned(a):
    ask(a, "stream_open", id="open")
    assert answer_of(a, "open")["done"] is False
    ask(a, "end_streams", id="2")
    assert answer_of(a, "open") == {"success": True, "done": True, "result": "ended"}
    assert answer_of(a, "2")["result"] == [True]


def test_a_stream_that_fails_tells_as_much_as_a_call(rpc, a):
    ask(a, "stream_error")
    assert chunks_of(a) == ([1], {"success": False, "error": "graceful"})
    assert rpc("failures") == ["ValueError: after its end"]
    ask(a, "stream_fails", "told")
    assert chunks_of(a) == ([1], {"success": False, "error": "told"})
    assert rpc("failures") == []
    for kind in ("secret", "set"):
        ask(a, "stream_fails", kind)
        chunks, answer = chunks_of(a)
        assert chunks == [1]
        assert re.fullmatch(ERROR_ID, answer["error"])
    ask(a, "count_to", "many")
    assert chunks_of(a) == ([], {"success": False, "error": "n: Expected `int`, got `str`"})


def test_a_stream_to_a_closed_socket_is_dropped(rpc, a):
    ask(a, "stream_to_nobody")
    a.wait_closed()
    assert eventually(lambda: rpc("failures")) == ["[False, True, False]"]
