"""Requests, calls and messages come in by shortcuts, which change nothing for what they run."""

from __future__ import annotations

import json

import pytest

#: The platform tells of what a call raises, besides the caller.
UNCAUGHT = pytest.mark.log_may_hold("Uncaught PythonError")

PLACES = ["/calls", "/parties/calls/room", "/parties/overriding/room"]


@pytest.fixture(params=PLACES)
def look(request, party):
    """What a look from a worker's or a room's `fetch` finds: `look("now")`."""
    party.fetch("/parties/calls/room/now")  # the first request is what makes the shortcut

    def look(how):
        response = party.fetch(f"{request.param}/{how}")
        assert response.status_code == 200, response.text
        return json.loads(response.text.removeprefix("200: "))

    return look


def assert_all_there(seen):
    assert {name: seen[name] for name in ("can suspend", "loop runs", "in a task")} == {
        "can suspend": True,
        "loop runs": True,
        "in a task": True,
    }


def call(party, method, *arguments):
    return party.fetch("/".join(["/rpc/Calls/room", method, *arguments]))


def test_requests_come_in_by_the_shortcut(look):
    """Pins it: if the runtime changes so that it is not taken, this says so first."""
    seen = look("now")
    assert seen["shortcut"] == seen["enabled"]
    assert_all_there(seen)
    seen = look("later")
    assert_all_there(seen)


def test_calls_come_in_by_the_shortcut(party):
    call(party, "look", "now")
    for seen in (call(party, "look", "now").json(), call(party, "look_plainly").json()):
        assert seen["shortcut"] == seen["enabled"]
        assert_all_there(seen)


@pytest.mark.parametrize(
    ("how", "result"),
    [
        ("blocking", "blocked twice"),
        ("timing-out", "timed out"),
        ("grouping", [0, 1, 4, 9]),
        ("breaking", "closed"),
        ("leaving", []),
    ],
)
def test_asyncio_is_all_there(look, party, how, result):
    assert look(how) == result
    assert call(party, "look", how).json() == result


def test_a_generator_that_a_message_hook_has_left_is_closed(party, binding):
    with party.room(binding("Relaying"), "generators").connect() as a:
        for _ in range(5):
            a.send("breaking")
            assert a.receive() == "closed"


def test_a_generator_is_closed_where_no_coroutine_ran_before(party, binding):
    with party.room(binding("Mixed"), "forgetting").connect() as a:
        a.send("forget")
        assert a.receive() == "forget"
    with party.room(binding("Mixed"), "generators").connect() as a:
        for message in ("plain", "plain", "plain", "plain"):  # so many that they are dispatched
            a.send(message)
            assert a.receive() == message
        a.send("breaking")
        assert a.receive() == "closed"


@pytest.mark.parametrize("how", ["marking", "marking-later"])
def test_each_request_and_call_has_a_context_of_its_own(look, party, how):
    assert [look(how) for _ in range(3)] == [None] * 3
    assert [call(party, "look", how).json() for _ in range(3)] == [None] * 3
    assert [call(party, "mark").json() for _ in range(3)] == [None] * 3


def test_each_message_has_a_context_of_its_own(party, binding):
    room = party.room(binding("Marking"), "marking")
    with (
        room.connect() as a,
        room.connect() as b,
        party.room(binding("Marking"), "other").connect() as c,
    ):
        for message in ["mark", b"mark", "mark" * 5000, "mark"] * 4:
            for socket in (a, a, b, c):
                socket.send(message)
                assert socket.receive() == "nothing"
        assert room.fetch("/").text == "nothing"


@pytest.mark.parametrize("room", ["Patched", "Traced"])
def test_a_hook_that_replaces_an_async_one_has_a_context_of_its_own(party, room):
    for name in ("one", "other"):
        with party.room(room, name).connect() as a:
            for _ in range(3):
                a.send("mark")
                assert a.receive() == "nothing"


def test_a_server_that_python_constructs_is_a_server(party):
    assert call(party, "constructed").json() == [True, "room"]


def test_a_fetch_of_the_instance_is_called(party):
    assert party.room("Own", "room").fetch("/").text == "of the instance"


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("leave", "SystemExit('at once')"),
        ("leave_late", "SystemExit('late')"),
        ("interrupt", "KeyboardInterrupt()"),
    ],
)
@UNCAUGHT
def test_a_call_that_would_end_the_process_fails_alone(party, method, error):
    if not call(party, "look", "now").json()["enabled"]:
        pytest.skip("by the runtime's own way, it does")
    assert call(party, "caught", method).json()[1] == f"RuntimeError: a call raised {error}"
    assert call(party, "look", "now").status_code == 200


@pytest.mark.parametrize("name", ["length", "call"])
def test_methods_may_have_names_that_mean_something_in_javascript(party, name):
    assert call(party, name).json() == f"a method, and not a function's {name}"


@pytest.mark.parametrize(("method", "text"), [("fail", "at once"), ("fail_late", "late")])
@UNCAUGHT
def test_a_call_that_raises_raises_at_its_caller(party, method, text):
    assert call(party, "caught", method).json() == ["JsException", f"LookupError: {text}"]


@UNCAUGHT
@pytest.mark.parametrize(("path", "text"), [("fail", "in fetch"), ("fail-late", "late in fetch")])
def test_a_fetch_that_raises_is_a_500(party, path, text):
    response = party.room("Overriding", "room").fetch(f"/{path}")
    assert response.status_code == 500
    assert f"LookupError: {text}" in str(party.logs)


def test_a_fetch_may_answer_with_a_response_of_the_platforms(party):
    assert party.room("Overriding", "room").fetch("/raw").text == "of fetch"


def test_requests_under_way_do_not_meet(party):
    """Each of many that wait at the same time gets its own answer."""
    room = party.room("Answering", "busy")
    sockets = [party.room("Relaying", f"busy-{n}").connect() for n in range(5)]
    assert {room.fetch(f"/page-{n}").text for n in range(20)} == {
        f"GET /page-{n} in busy (busy)" for n in range(20)
    }
    for socket in sockets:
        socket.close()


@pytest.mark.parametrize("size", [1, 32, 100_000])
def test_binary_messages_are_sent_on_as_they_came(party, binding, evict, size):
    message = bytes(n * 7 % 251 for n in range(size))
    room = party.room(binding("Relaying"), f"binary-{size}")
    with room.connect(id="a") as a, room.connect(id="b") as b:
        for _ in range(2):
            a.send(message)
            to_sender = [message, message[:1], message, message, message + b"!"]
            assert [a.receive() for _ in to_sender] == to_sender
            assert [b.receive(), b.receive()] == [message, message + b"!"]
            evict(room)
