"""What keeps an agent in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ..contracts.scripted import eventually
from .wire import over_rpc

#: In which the platform's alarm comes while a block runs: milliseconds. On a busy machine it may
#: have been set a while ago.
SOON = range(10_000, 30_001)


@pytest.fixture
def room(party):
    return party.room("Busy", "lobby")


@pytest.fixture
def rpc(party):
    return over_rpc(party, "Busy")


def beat(room):
    """Let the alarm come."""
    return room.run_due(at=datetime.now(UTC) + timedelta(seconds=31))


@pytest.mark.no_party_chaos  # the agent is held in memory
def test_an_alarm_comes_again_and_again_until_the_last_block_has_ended(room, rpc):
    assert int(rpc("work", "a", "fails")) in SOON
    for _ in range(3):
        assert beat(room) == 0  # it is no callback of the room's
        assert int(rpc("armed")) in SOON
    assert rpc("list_schedules") == []
    assert int(rpc("end_work", "a")) in SOON
    assert rpc("end_work", "fails") is None
    assert int(rpc("work", "again")) in SOON
    assert rpc("end_work", "again") is None


@pytest.mark.no_party_chaos
def test_the_rooms_own_timers_stay_as_they_are(room, rpc):
    rpc("run_in", 5)
    assert int(rpc("work", "a")) in range(6000)
    assert beat(room) == 1
    assert int(rpc("armed")) in SOON
    rpc("run_in", 3600)
    assert int(rpc("end_work", "a")) in range(3_000_000, 3_600_001)


@pytest.mark.no_party_chaos
def test_what_an_evicted_block_has_left_ends_with_its_next_alarm(room, rpc):
    rpc("work", "a")
    room.evict()
    assert int(rpc("armed")) in SOON
    room.run_alarm()
    assert eventually(lambda: rpc("armed") is None)


@pytest.mark.no_party_chaos
def test_a_block_that_follows_takes_the_alarm_over_that_another_life_has_left(room, rpc):
    rpc("work", "a")
    room.evict()
    rpc("work", "b", "c")
    assert rpc("query", "select type from _partyserver_timers") == [{"type": "own"}]
    assert rpc("end_work", "b") is not None
    assert rpc("end_work", "c") is None


@pytest.mark.no_party_chaos
def test_a_first_block_that_is_cancelled_leaves_the_others_their_alarm(rpc):
    assert int(rpc("cancel_first", "a", "b")) in SOON
    assert rpc("end_work", "b") is None


@pytest.mark.no_party_chaos
def test_a_block_that_is_cancelled_leaves_an_alarm_that_is_not_its_own(rpc):
    rpc("set_alarm_unseen", 3600)
    assert int(rpc("cancel_first", "a")) in range(3_000_000, 3_600_001)


@pytest.mark.no_party_chaos
def test_a_block_that_ends_while_the_alarm_comes_leaves_none(rpc):
    rpc("work", "a")
    assert rpc("end_in_beat", "a") is None
