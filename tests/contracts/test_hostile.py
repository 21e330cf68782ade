"""Servers that do what nobody should: their rooms live on, and the process with them."""

from __future__ import annotations

import re

import pytest

from .conftest import WORKER
from .scripted import eventually

HOW = {"cancelled": "CancelledError", "exit": "SystemExit"}


def failures_and_ids(room):
    return room.fetch("/").json()


@pytest.mark.no_party_chaos  # the room counts in memory
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("hook", ["on_start", "on_request"])
def test_a_cancelled_or_exiting_hook_fails_its_request_only(party, binding, hook, how):
    room = party.room(binding("Ending"), f"{hook}-{how}")
    assert room.fetch("/").status_code == 500
    assert failures_and_ids(room) == [[HOW[how]], []]


@pytest.mark.no_party_chaos  # the room counts in memory
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("hook", ["get_connection_tags", "on_connect"])
def test_a_cancelled_or_exiting_hook_leaves_no_connection_behind(party, binding, hook, how):
    room = party.room(binding("Ending"), f"{hook}-{how}")
    with room.connect(id="a") as a:
        assert a.receive_json()["error"] == "Internal error"
        a.wait_closed()
        assert a.close_code == 1011
    assert failures_and_ids(room) == [[HOW[how]], []]
    with room.connect(id="b") as b:
        b.send("hi")
        assert b.receive() == "hi"


@pytest.mark.no_party_chaos  # the room counts in memory
@pytest.mark.parametrize("woken", [False, True])
@pytest.mark.parametrize("how", ["exit", "exit-late"])
def test_an_exiting_message_hook_ends_neither_room_nor_connection(
    party, binding, evict, how, woken
):
    room = party.room(binding("Ending"), f"on_message-{how}")
    with room.connect(id="a") as a:
        if woken:
            evict(room)
        a.send("exit")
        a.send("hi")
        assert a.receive() == "hi"
        assert failures_and_ids(room) == [["SystemExit"], ["a"]]


@pytest.mark.log_may_hold("Task exception was never retrieved", "Unhandled exception in event loop")
@pytest.mark.parametrize("how", ["task", "promise", "later", "soon", "group", "interrupt"])
def test_an_exit_behind_a_hook_ends_nothing(party, binding, how):
    with (
        party.room(binding("Exiting"), "a").connect() as a,
        party.room(binding("Exiting"), "b").connect() as b,
    ):
        a.send(how)
        party.logs.wait_for("KeyboardInterrupt" if how == "interrupt" else "SystemExit")
        for socket in (a, b):
            socket.send("hi")
            assert socket.receive() == "hi"


@pytest.mark.parametrize("what", ["coroutine", "task", "future", "promise"])
def test_what_is_given_to_wait_until_runs(party, binding, what):
    with party.room(binding("Exiting"), "a").connect() as a:
        a.send(f"wait until {what}")
        assert a.receive() == "done"


def test_what_was_given_to_wait_until_and_fails_is_reported(party, binding):
    with party.room(binding("Exiting"), "a").connect() as a:
        a.send("wait until failure")
        assert a.receive() == "on_exception: ZeroDivisionError"
        a.send("wait until 1")
        assert a.receive() == (
            "on_exception: TypeError: ctx.waitUntil takes a coroutine, a task, a future or a "
            "JavaScript promise, not int"
        )


@pytest.mark.no_party_chaos  # the room counts in memory
def test_an_exiting_on_exception_ends_nothing(party, binding):
    room = party.room(binding("Ending"), "on_exception-exit")
    assert room.fetch("/").status_code == 500
    assert failures_and_ids(room) == [["LookupError"], []]
    assert "on_exception raised" in str(party.logs)
    assert "SystemExit" in str(party.logs)


def test_on_start_may_call_public_methods_also_after_it_was_suspended(party):
    assert party.fetch("/rpc/Helped/x/seen_so_far").json() == ["START", "LATER", "latest"]


@pytest.mark.no_party_chaos  # the room is started by a call, and asked then
def test_what_a_fetch_of_ones_own_calls_before_the_start_is_answered_at_once(party):
    room = party.room("Helped", "x")
    assert room.fetch("/secret").status_code == 403  # and no coroutine, which would count as true
    assert party.fetch("/rpc/Helped/x/whisper/HI").json() == "hi"
    assert room.fetch("/").status_code == 403
    assert room.fetch("/secret").status_code == 200


def test_on_start_may_name_its_room(party):
    assert party.fetch("/check/naming_in_on_start").json() == "chosen by itself"


def test_a_failure_of_on_exception_is_not_reported_to_it_again(party):
    room = party.room("Renaming", "chosen by itself")
    assert room.fetch("/").status_code == 500
    log = eventually(lambda: "on_exception raised" in str(party.logs) and str(party.logs))
    assert log.count("SQLError: no such table: nowhere") == 1


@pytest.mark.no_party_chaos  # the failures are counted
def test_a_query_that_fails_is_logged_with_the_users_own_lines_and_the_hook(party):
    source = (WORKER.parent / "hostile.py").read_text().splitlines()

    def line(comment):
        [number] = [n for n, text in enumerate(source, 1) if text.endswith(f"  # {comment}")]
        return number

    def logged(hook):
        mark = f"in {hook} of Querying:x"
        text = party.logs.wait_for(mark).message
        return re.findall(r'hostile\.py", line (\d+), in (\w+)', text)

    room = party.room("Querying", "x")
    assert room.fetch("/").text == "caught"
    query = (str(line("of try_query")), "try_query")
    assert logged("on_request") == [(str(line("of on_request")), "on_request"), query]
    assert logged("on_start") == [(str(line("of on_start")), "on_start"), query]
    assert party.fetch("/rpc/Querying/x/value").json()[0] == "value"
    assert logged("value") == [(str(line("of value")), "value")]


def test_a_socket_can_wake_a_room_whose_name_is_in_storage(party):
    name = "a_socket_that_wakes_a_room_before_its_name_is_known"
    assert party.fetch(f"/check/{name}").json() == "a"


def test_members_that_cannot_work_are_refused_with_the_class(party):
    yielding, reserved, fine = party.fetch("/check/own_mistakes").json()
    assert "on_message has a yield in it" in yielding
    assert "_partyserver is the one name that partyserver keeps for itself" in reserved
    assert fine == "'Chat'"


def test_a_value_that_is_nested_without_end_is_not_sent(party, binding):
    """Its encoder would end the process, and with it all rooms."""
    with party.room(binding("Guests"), "deep").connect() as socket:
        socket.receive_json()
        socket.send("deep")
        for _ in range(2):
            assert socket.receive().startswith("a value for JSON is nested at most 500 levels deep")


@pytest.mark.no_party_chaos  # the rooms have gone already
@pytest.mark.log_may_hold("Uncaught by itself", "Uncaught Application called abort()")
def test_rooms_that_abort_themselves_end_alone(party, binding):
    """Each abort that the platform made in the midst of Python took some of the process's stack."""
    with party.room(binding("Exiting"), "other").connect() as other:
        for number in range(300):
            room = party.room(binding("Aborting"), f"room-{number}")
            how = ["request", "unexplained", "plain", "async"][number % 4]
            if how in ("plain", "async"):
                with room.connect() as socket:
                    socket.send(how)
                    socket.wait_closed()
            else:
                assert room.fetch(f"/{how}").status_code == 500
        for _ in range(100):
            party.fetch("/")
        other.send("hi")
        assert other.receive() == "hi"
    assert room.fetch("/alive").text == "alive"
    assert room.fetch("/went-on").json() == []


@pytest.mark.no_party_chaos  # the room has gone already
@pytest.mark.log_may_hold("Uncaught at once", "Uncaught Application called abort()")
@pytest.mark.parametrize("how", ["plain", "async"])
def test_a_room_that_aborts_in_its_on_start_begins_no_other_start(party, binding, how):
    """Whatever else has waited for it: the platform is about to end the room."""
    kind = binding("Aborting")
    name = f"starting-{kind}-{how}"  # the starts of both are counted in one place
    assert party.room(kind, name).fetch("/").status_code == 500
    starts = party.room(kind, "other").fetch("/starts").json()
    assert starts[name] == 1
