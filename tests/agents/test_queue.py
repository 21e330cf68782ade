"""What an agent does later, again, or never more."""

from __future__ import annotations

import pytest

from ..contracts.scripted import eventually
from .wire import call, greeting, over_rpc


@pytest.fixture
def room(party):
    return party.room("Busy", "lobby")


@pytest.fixture
def rpc(party):
    return over_rpc(party, "Busy")


def wait_for(rpc, *entry):
    """The log, once it has this entry."""
    return eventually(lambda: (log := rpc("log")) and list(entry) in log and log)


def test_what_is_queued_runs_one_after_the_other(rpc):
    rpc("several", 1, {"a": [2]}, 3)
    assert wait_for(rpc, "ends", 3) == [
        [what, payload] for payload in (1, {"a": [2]}, 3) for what in ("begins", "ends")
    ]
    assert rpc("waiting") == []


def test_a_callback_may_take_nothing_and_is_the_agents(rpc):
    rpc("later", "plain")
    assert wait_for(rpc, "plain", True, None, None)


def test_one_that_fails_is_tried_again_and_then_told_and_holds_up_no_other(rpc):
    rpc("later", "fail", "x", 3)
    rpc("later", "ends_the_process", None, 1)
    rpc("later", "note", 1)
    assert wait_for(rpc, "ends", 1) == [
        *[["fail", "x"]] * 3,
        ["exception", "ValueError: failed x"],
        ["exception", "SystemExit: not at all"],
        ["begins", 1],
        ["ends", 1],
    ]


@pytest.mark.no_party_chaos  # the agent is held in memory
def test_what_waits_can_be_seen_and_removed(rpc):
    ids = rpc("held")
    assert rpc("waiting") == ids
    assert rpc("waiting", ids[2]) == [ids[2], "note", 2, 3]
    assert rpc("waiting", "1") is None
    assert rpc("dequeue", ids[1]) is True
    assert rpc("dequeue", ids[1]) is False
    assert rpc("dequeue_all", "note") == 1
    assert rpc("waiting") == [ids[0], ids[3]]
    rpc("let_go")
    assert wait_for(rpc, "plain", True, None, None) == [["plain", True, None, None]]

    rpc("held")
    assert rpc("dequeue_all") == 4
    rpc("let_go")
    rpc("later", "note", 5)
    assert wait_for(rpc, "ends", 5)[1:] == [["begins", 5], ["ends", 5]]


def test_one_that_has_removed_itself_is_not_tried_again(rpc):
    rpc("later", "remove_itself", 7, 3)
    rpc("later", "note", 1)
    log = wait_for(rpc, "ends", 1)
    assert [entry[0] for entry in log] == ["removes", "begins", "ends"]


def test_the_queue_goes_on_after_an_eviction(room, rpc):
    """Also where the timers know nothing of it, or it was begun before."""
    insert = "insert into _partyserver_agent_queue values ({}, '{}', '{}', null, {})"
    rpc("later", "note", 0)
    wait_for(rpc, "ends", 0)
    rpc("query", insert.format(1, "note", 1, 1))
    rpc("query", insert.format(2, "note", 2, 3))
    rpc("query", insert.format(3, "gone", 3, 0))
    rpc("query", insert.format(4, "note", 4, 0))
    room.evict()
    assert room.fetch("/").text == "here"
    log = wait_for(rpc, "ends", 4)
    assert log[2:4] == [["begins", 1], ["ends", 1]]
    assert log[4][0] == "exception"
    assert "was begun 3 times and never ended" in log[4][1]
    assert log[5:] == [["begins", 4], ["ends", 4]]
    assert rpc("waiting") == []


@pytest.mark.once("a restart ends more than an eviction does")
def test_the_queue_goes_on_after_a_restart(party, rpc):
    rpc("held")
    party.restart()
    assert wait_for(rpc, "ends", 2)
    assert ["exception", "AttributeError: 'Busy' object has no attribute 'gate'"] in rpc("log")


def test_nothing_is_left_behind_by_a_run_that_another_one_has_waited_for(rpc):
    """So it is where the timers take a long run as hung, and call the queue again."""
    rpc("later", "note", 0)
    wait_for(rpc, "ends", 0)
    assert rpc("overtaken") == [["ends", 0], ["ends", 1], ["ends", 2]]


def test_the_queue_is_no_timer_of_the_rooms(rpc):
    rpc("held")
    assert rpc("list_schedules") == []
    rpc("let_go")


@pytest.mark.parametrize("callback", ["nowhere", "state", "fetch", 5])
def test_what_cannot_be_queued(rpc, callback):
    assert rpc("later", callback).startswith(("ValueError: ", "TypeError: "))
    assert rpc("waiting") == []


# --- retry ------------------------------------------------------------------------------


def test_retry(rpc):
    assert rpc("try_it", 1) == ["succeeded", [1]]
    assert rpc("try_it", 3) == [
        "succeeded",
        [1, "failed 1, 2 next", 2, "failed 2, 3 next", 3],
    ]
    assert rpc("try_it", 9) == ["failed 3", [1, "failed 1, 2 next", 2, "failed 2, 3 next", 3]]
    assert rpc("try_it", 9, 9)[0] == "failed 3"  # `should_retry` says so
    assert rpc("try_it", 3, 2)[0] == "failed 2"
    assert rpc("try_plain") == ["tried"] * 3
    assert rpc("try_optional") == ["u", [1, 2]]


def test_the_class_says_how_often_what_fails_is_tried(party):
    rpc = over_rpc(party, "Patient")
    assert rpc("try_it", 9)[0] == "failed 2"
    assert rpc("try_it", 9, 3)[0] == "failed 3"

    rpc("later", "fail", "x")
    rpc("later", "fail", "y", 1)
    failed = ["exception", "ValueError: failed y"]
    assert wait_for(rpc, *failed) == [
        *[["fail", "x"]] * 2,
        ["exception", "ValueError: failed x"],
        ["fail", "y"],
        failed,
    ]
    assert rpc("defaults") == [2, 2]


# --- destroy ----------------------------------------------------------------------------


@pytest.mark.no_party_chaos  # the agent ends by itself
@pytest.mark.log_may_hold("Uncaught the agent was destroyed")
def test_a_destroyed_agent_begins_anew(party, room, rpc):
    rpc("later", "note", 1)
    wait_for(rpc, "ends", 1)
    with room.connect(id="a") as a:
        greeting(a)
        assert call(a, "end") == "ended"  # its caller is told, before its socket breaks off
        a.wait_closed()
        assert a.close_code == 1006
    with pytest.raises(LookupError):
        room.run_alarm()
    assert rpc("log") == []  # nor what was written after `destroy`
    tables = rpc("query", "select name from sqlite_master where name like '_partyserver%'")
    assert tables == []
    with room.connect(id="b") as b:
        greeting(b)
        assert rpc("end") == "ended"
        b.wait_closed()  # what comes before would reach the old one
    # It works as any new one.
    rpc("later", "note", 2)
    assert wait_for(rpc, "ends", 2) == [["begins", 2], ["ends", 2]]
