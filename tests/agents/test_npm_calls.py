"""Calls, streams and messages of the unchanged npm clients: see UPSTREAM.md."""

from __future__ import annotations

import json
import re

import pytest

from ..chromium import browser
from .npm import UNDEFINED, CallError, both, bundle, connect, node, place, tab, version

__all__ = ["browser", "bundle", "connect", "node", "place", "tab", "version"]


def heard(client):
    """The next message that an agent's own code has sent."""
    _, text = client.until("message")
    return json.loads(text)


@both
def test_a_call_gives_what_the_method_returns(connect):
    client = connect("Calls")
    assert client.call("add", 1, 2) == 3
    assert client.stub("later", "in time") == "in time"
    value = {"a": [1, None, {"ü": "😀"}], "b": 1.5, "c": True}
    assert client.call("echo", value, "x") == [value, "x"]
    assert client.call("echo") == []
    for falsy in 0, False, "", []:
        assert client.call("same", falsy) == falsy


@both
def test_a_method_without_a_result_gives_undefined(connect):
    client = connect("Calls")
    client.call("add", 1, 2)
    client.frames()
    assert client.call("nothing") is UNDEFINED
    [frame] = client.frames()
    assert frame.pop("id")
    assert frame == {"type": "rpc", "success": True, "done": True}


@both
def test_a_client_error_is_told_to_the_caller_as_it_is(connect):
    client = connect("Calls")
    for method in "throw", "throw_later":
        with pytest.raises(CallError, match=r"^not today: ü$"):
            client.call(method, "not today: ü")
    assert client.call("add", 1, 2) == 3


@both
def test_what_else_is_raised_stays_in_the_log(connect, party):
    client = connect("Calls")
    with pytest.raises(CallError) as caught:
        client.call("fail", "a secret")
    told = str(caught.value)
    assert "secret" not in told
    [id] = re.findall(r"error id:? (\w{8})", told)
    party.logs.wait_for(id)
    assert "a secret" in party.logs

    with pytest.raises(CallError, match="error id"):
        client.call("no_json")
    assert client.call("add", 1, 2) == 3


@both
def test_only_callables_can_be_called(connect):
    client = connect("Calls")
    for method, why in [
        ("missing", "does not exist"),
        ("state", "does not exist"),  # a property, which is not evaluated
        ("private", "not callable"),
        ("set_state", "not callable"),
        ("on_message", "not callable"),
    ]:
        with pytest.raises(CallError, match=f"{method}.*{why}"):
            client.call(method)


def test_what_a_subclass_hides_is_not_callable(connect):
    client = connect("SHOUTING_AGENT")
    assert client.call("shout", "hello") == "HELLO"
    assert client.call("add", 1, 2) == 3
    with pytest.raises(CallError, match="not callable"):
        client.call("echo", 1)
    methods = client.call("methods")
    assert methods["shout"] == [None, False]
    assert methods["add"] == ["The sum of two numbers", False]
    assert methods["slowly"] == ["One chunk after the other", True]
    assert not {"echo", "private", "set_state", "on_message"} & methods.keys()


def test_calls_run_at_the_same_time(connect):
    one, other = connect("Calls"), connect("Calls")
    first, second = one.start("hold", "a"), one.start("hold", "b")
    assert one.call("add", 1, 1) == 2
    other.call("release", "b", "of b")
    assert second.result() == "of b"
    one.call("release", "a", "of a")
    assert first.result() == "of a"


def test_each_of_many_calls_has_its_own_answer(connect):
    one, other = connect("Calls"), connect("Calls")
    calls = [(client.start("later", [n]), [n]) for n in range(20) for client in (one, other)]
    assert all(call.result() == value for call, value in calls)


def test_the_stub_asks_the_agent_for_no_name_of_javascripts_own(connect):
    client = connect("Calls")
    client.call("nothing")
    client.frames()
    assert client.probe() == ["{}", "true", "undefined"]
    assert client.call("add", 1, 2) == 3
    assert len(client.frames()) == 1


@both
def test_a_stream_gives_its_chunks_and_its_end(connect):
    client = connect("Calls")
    chunks = [["chunk", 0], ["chunk", 1], ["chunk", 2]]
    whole = [*chunks, ["done", 3]], ["result", 3]
    assert client.stream("numbers", 3) == whole
    assert client.stream("numbers", 3, legacy=True) == whole
    assert client.stream("numbers", 0) == ([["done", 0]], ["result", 0])
    values = [{"a": 1}, None, "ü"]
    told, end = client.stream("slowly", values)
    assert told == [*(["chunk", value] for value in values), ["done"]]
    assert end == ["undefined"]


@both
def test_a_stream_that_fails_ends_with_the_error(connect):
    client = connect("Calls")
    for method, chunks, error in [
        ("stream_throws", [], "at once"),
        ("stream_throws_later", [["chunk", "a chunk"]], "in the middle"),
        ("stream_error", [["chunk", "a chunk"]], "said by the stream"),
    ]:
        assert client.stream(method) == ([*chunks, ["error", error]], ["error", error])
    assert client.call("add", 1, 2) == 3


def test_what_a_stream_raises_stays_in_the_log(connect, party):
    [chunk, [_, told]], end = connect("Calls").stream("stream_fails", "a secret")
    assert chunk == ["chunk", "a chunk"]
    assert end == ["error", told]
    assert "secret" not in told
    party.logs.wait_for("a secret")


@both
def test_after_its_end_a_stream_sends_nothing(connect):
    client = connect("Calls")
    assert client.stream("stream_ends_twice") == (
        [["chunk", "a chunk"], ["done", "first"]],
        ["result", "first"],
    )
    assert client.call("told") == [False, True, True, True, False, False, False]


def test_a_stream_outlives_its_method(connect):
    client = connect("Calls")
    open_stream = client.start("left_open", "a", stream={})
    client.call("release", "a", "at last")
    assert open_stream.result() == "at last"


@both
def test_a_call_that_takes_too_long_is_given_up(connect, place):
    client = connect("Calls", defaultCallTimeout=100)
    patient = client.start("hold", "a", timeout=0)
    stream = client.start("left_open", "b", stream={})
    with pytest.raises(CallError, match=r"^RPC call to hold timed out after 100ms$"):
        client.call("hold", "c")
    with pytest.raises(CallError, match=r"^RPC call to hold timed out after 50ms$"):
        client.call("hold", "d", timeout=50)

    # Those without a limit were begun before, and their answers still come.
    client.call("release", "a", "of a", timeout=0)
    client.call("release", "b", "of b", timeout=0)
    assert (patient.result(), stream.result()) == ("of a", "of b")

    # The answer to what was given up does no harm.
    place.warnings()
    client.call("release", "c", "of c", timeout=0)
    client.call("nothing", timeout=0)
    assert [warning for warning in place.warnings() if "Discarded an RPC response" in warning]


def test_the_answer_to_a_client_that_has_gone_is_dropped(connect, party):
    gone, other = connect("Calls"), connect("Calls")
    other.call("nothing")
    held = gone.start("hold", "a")
    gone.call("nothing")
    gone.close()
    with pytest.raises(CallError, match=r"^Connection closed$"):
        held.result()
    assert heard(other) == ["left", gone.id]

    other.call("release", "a")
    assert other.call("add", 1, 2) == 3
    assert "Traceback" not in party.logs


def test_what_is_no_frame_of_the_sdk_is_a_message(connect):
    client = connect("Calls")
    for message in [
        "",
        "no json",
        "null",
        "{}",
        '{"type":"rpc"}',
        '{"type":"rpc","id":"a","method":"add"}',
        '{"type":"rpc","id":"a","method":"add","args":null}',
        '{"type":"rpc","id":"a","args":[1,2]}',
        '{"type":"rpc","method":"add","args":[1,2]}',
        '{"type":"rpc","id":7,"method":"add","args":[1,2]}',
        '{"type":"cf_agent_state"}',
        '{"type":"cf_agent_unknown","state":1}',
        [0, 255],
    ]:
        client.send(message)
        assert heard(client) == ["heard", message]
    assert client.call("add", 1, 2) == 3
    assert not [frame for frame in client.frames() if type(frame) is dict and "error" in frame]


def test_a_call_may_have_fields_that_nobody_knows(connect):
    client = connect("Calls")
    call = {"type": "rpc", "id": "a", "method": "add", "args": [1, 2], "more": True}
    client.send(json.dumps(call))
    client.call("nothing")
    assert {
        "type": "rpc",
        "id": "a",
        "success": True,
        "done": True,
        "result": 3,
    } in client.frames()


def test_no_message_is_heard_before_on_connect_has_ended(connect):
    client = connect("Ordered")
    for text in "first", "second":
        client.send(text)
    assert heard(client) == ["connecting", "connected", "first"]
    assert heard(client) == ["connecting", "connected", "first", "second"]
