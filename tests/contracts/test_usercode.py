"""User code is called in one way: what it does at one place, it may do at every other.

A table of places by a table of what code does there. Whatever fails, fails its own event, and is
told in the log with an error id; whatever is returned is awaited until there is nothing to await.
"""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from partyserver.testing import AlarmError

from .scripted import eventually

FAILS = {"exit": "SystemExit", "exit_later": "SystemExit", "cancelled": "CancelledError"}
RETURNS = ["coroutine", "awaitable"]

#: The place, and what has it called.
HOOKS = {
    "fetch": "request",
    "on_start": "request",
    "on_request": "request",
    "get_connection_tags": "connection",
    "on_connect": "connection",
    "on_message": "message",
    "on_rate_limited": "message",
    "on_exception": "message",
    "on_close": "close",
    "on_error": "error",
    "on_alarm": "alarm",
    "call": "call",
}
PARTS = {
    "connecting": "connection",
    "accepted": "connection",
    "message": "message",
    "closed": "close",
    "alarm": "alarm",
    "on_join": "connection",
    "on_leave": "close",
}
ROUTING = ["on_before_connect", "on_before_request", "on_retry"]


def without_chaos(place):
    """An eviction forgets what was sent, and then nothing is over the rate."""
    marks = [pytest.mark.no_party_chaos] if place == "on_rate_limited" else []
    return pytest.param(place, marks=marks)


def told(party, error):
    """The error is in the log, once, with its id."""
    entries = eventually(lambda: [line for line in party.logs if f"{error}" in line.message])
    ids = [re.findall(r"error id: ([0-9a-f]{8})", line.message) for line in entries]
    assert {one for found in ids for one in found}, entries
    return True


def notes(party, name):
    return party.fetch("/acting/notes/x").json().get(name, [])


def call(party, binding, name, method):
    return party.fetch(f"/rpc/{binding}/{name}/{method}")


def trigger(party, binding, name, event):
    """Have an event of this kind happen in the room."""
    room = party.room(binding, name)
    match event:
        case "request":
            room.fetch("/")
        case "call":
            call(party, binding, name, "call")
        case "alarm":
            call(party, binding, name, "set_alarm")
            with suppress(AlarmError):
                room.run_alarm()
        case "error":
            with room.connect(id="a") as socket:
                call(party, binding, name, "fail")
                socket.drop()  # the room takes it for lost, and answers no close
        case _:
            with room.connect(id="a") as socket:
                if event == "message":
                    socket.send("hello")
                    socket.send("hello again")


@pytest.mark.log_may_hold("Uncaught PythonError")  # of a call, whose caller gets the error
@pytest.mark.parametrize("how", [*FAILS, *RETURNS])
@pytest.mark.parametrize("place", [*map(without_chaos, HOOKS), *PARTS])
def test_at_each_place_of_a_room(party, binding, place, how):
    if (place, how) == ("call", "coroutine"):
        pytest.skip("the SDK awaits what a method returns, once")
    if place == "accepted" and how != "exit":
        pytest.skip("it is plain, and so is what it does")
    cls = binding("Acting" if place in HOOKS else "ActingInParts")
    name = f"{place}.{how}"
    trigger(party, cls, name, (HOOKS | PARTS)[place])
    if place == "call" and how in FAILS:  # its caller is told, without an id
        assert eventually(lambda: FAILS[how] in str(party.logs))
    elif how in FAILS:
        assert told(party, FAILS[how])
    else:
        assert eventually(lambda: "done" in notes(party, name))
        assert "Traceback" not in str(party.logs) or place == "on_exception"
    # The isolate lives with all that it has noted, and so do the rooms of others.
    assert notes(party, name)[0] == "began"
    assert party.room(binding("Acting"), "another").fetch("/").text == "answered"


@pytest.mark.parametrize("place", ["on_start", "on_connect", "on_message", "on_close", "on_alarm"])
def test_an_awaitable_that_gives_itself_is_awaited_once(party, binding, place):
    trigger(party, binding("Acting"), f"{place}.itself", HOOKS[place])
    assert eventually(lambda: "done" in notes(party, f"{place}.itself"))
    assert party.room(binding("Acting"), "another").fetch("/").text == "answered"
    noted = notes(party, f"{place}.itself")
    assert noted.count("done") == noted.count("began")


@pytest.mark.parametrize("how", ["exit_later", "cancelled", *RETURNS])
def test_what_wait_until_is_given(party, binding, how):
    room = party.room(binding("Acting"), f"waitUntil.{how}")
    assert room.fetch("/").text == "answered"
    if how in FAILS:
        assert told(party, FAILS[how])
    else:
        eventually(lambda: "done" in notes(party, room.name))
    assert room.fetch("/").text == "answered"


def test_a_function_that_a_hook_gives_to_set_state(party, binding):
    """It is plain: what it returns is the state."""
    room = party.room(binding("Acting"), "set_state.exit")
    with room.connect(id="a") as socket:
        socket.send("hello")
        assert told(party, "SystemExit")
        assert socket.is_open
    assert room.fetch("/").text == "answered"


@pytest.mark.parametrize("how", [*FAILS, *RETURNS])
@pytest.mark.parametrize("place", ROUTING)
def test_at_each_place_before_a_room(party, place, how):
    name = f"{place}.{how}"
    path = f"/acting/{place}/{how}/parties/acting/plain"
    if place == "on_retry":
        assert party.fetch(path).text == "3"
    elif how in RETURNS:
        if place == "on_before_connect":
            with party.connect(path) as socket:
                assert socket.is_open
        else:
            assert party.fetch(path).text == "answered"
    else:
        headers = {"upgrade": "websocket"} if place == "on_before_connect" else {}
        assert party.fetch(path, headers=headers).status_code == 500
    if how in FAILS:
        assert eventually(lambda: FAILS[how] in str(party.logs))
    else:
        assert "done" in notes(party, name)
    assert party.room("Acting", "another").fetch("/").text == "answered"


@pytest.mark.parametrize("how", RETURNS)
def test_the_value_is_what_comes_at_last(party, binding, how):
    room = party.room(binding("Acting"), f"get_connection_tags.{how}")
    with room.connect(id="a"):
        pass
    assert party.room(binding("Acting"), f"on_request.{how}").fetch("/").text == "answered"
    assert party.room(binding("Acting"), f"fetch.{how}").fetch("/").text == "answered"
    response = party.fetch(f"/rpc/{binding('Acting')}/call.awaitable/call")
    assert response.json() == "answered"
