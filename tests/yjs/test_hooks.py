"""What a room's class says of its document: how it begins, where it is copied to."""

from __future__ import annotations

import pytest

from ..contracts.scripted import eventually
from .vectors import HI, MARK, SET
from .wire import answers, edit, hears_nothing, joined, same, state_of


def log(room):
    return room.fetch("/log").json()


def saved(room):
    return [bytes.fromhex(what) for how, what in log(room) if how == "on_save"]


def copies_of(room, updates):
    """The copies, once the last one is of all these."""
    copies = saved(room)
    return copies if copies and same(copies[-1], updates) else []


# --- on_load ----------------------------------------------------------------------------


def test_a_document_begins_with_what_on_load_returns_once(party, mode):
    room = party.room(f"Seeded{mode}", "one")
    with joined(room, "a") as a:
        assert answers(a) == [HI]
        edit(a, MARK)
    for _ in range(2):
        room.evict()
        assert same(state_of(room), [HI, MARK])
    assert log(room) == [["on_load"]]


def test_it_is_there_before_the_rooms_first_event(party, mode):
    assert state_of(party.room(f"Seeded{mode}", "one")) == HI


def test_it_may_be_several_updates_in_any_order(party, mode):
    assert same(state_of(party.room(f"Seeded{mode}", "list")), [HI, MARK])


@pytest.mark.log_may_hold("MalformedError")
def test_it_is_all_of_what_on_load_returns_or_nothing(party, mode):
    room = party.room(f"Seeded{mode}", "half")
    assert room.fetch("/state").status_code == 500
    assert eventually(lambda: room.fetch("/state").content == HI)


@pytest.mark.no_party_chaos  # how often the room starts is counted
def test_without_anything_it_is_asked_again(party, mode):
    room = party.room(f"Seeded{mode}", "none")
    assert state_of(room) == b"\0\0"
    room.evict()
    assert state_of(room) == b"\0\0"
    assert log(room) == [["on_load"]] * 2


@pytest.mark.no_party_chaos  # how often the room starts is counted
@pytest.mark.log_may_hold("ValueError: not yet")
def test_a_room_whose_on_load_fails_has_not_started(party, mode):
    room = party.room(f"Seeded{mode}", "fails")
    assert room.fetch("/state").status_code == 500
    assert eventually(lambda: (response := room.fetch("/state")).is_success and response.content)
    assert state_of(room) == HI
    assert ["exception", "ValueError: not yet"] in log(room)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("text", "TypeError: on_load returns an update of Yjs as bytes, a list of them, or None"),
        ("malformed", "MalformedError: the bytes end too early"),
    ],
)
@pytest.mark.log_may_hold("on_load returns an update", "MalformedError")
def test_what_is_no_update_is_an_error_of_the_start(party, mode, name, error):
    room = party.room(f"Seeded{mode}", name)
    assert room.fetch("/state").status_code == 500
    assert error in str(party.logs)


# --- on_save ----------------------------------------------------------------------------


def test_a_document_is_saved_when_nobody_has_edited_for_a_while(party, mode):
    room = party.room(f"Saved{mode}", "lobby")
    with joined(room, "a") as a:
        for update in (HI, MARK):
            edit(a, update)
        assert hears_nothing(a)
        copies = eventually(lambda: copies_of(room, [HI, MARK]))
        assert len(copies) <= 2
        a.send(b"\0\2\2\0\0")  # no edit
        edit(a, SET)
        assert eventually(lambda: copies_of(room, [HI, MARK, SET]))


@pytest.mark.no_party_chaos  # edits that nobody has saved are in memory
def test_it_is_saved_when_the_last_one_has_left(party, mode):
    room = party.room(f"SavedLate{mode}", "lobby")
    with joined(room, "b"):
        with joined(room, "a") as a:
            edit(a, HI)
            assert hears_nothing(a)
        assert saved(room) == []
    assert eventually(lambda: saved(room) == [HI])


def test_what_was_not_saved_is_saved_by_the_rooms_next_life(party, mode):
    room = party.room(f"SavedLate{mode}", "lobby")
    with joined(room, "a") as a:
        edit(a, HI)
        assert hears_nothing(a)
        room.evict()
    with joined(room, "a"):
        pass
    assert eventually(lambda: saved(room)[-1:] == [HI])


@pytest.mark.log_may_hold("ValueError: not yet")
def test_a_save_that_fails_is_made_up_for_with_the_next_edit(party, mode):
    room = party.room(f"Saved{mode}", "fails")
    with joined(room, "a") as a:
        edit(a, HI)
        assert eventually(lambda: ["exception", "ValueError: not yet"] in log(room))
        edit(a, MARK)
        assert eventually(lambda: copies_of(room, [HI, MARK]))


@pytest.mark.no_party_chaos  # an event that wakes the room saves, too
@pytest.mark.log_may_hold("ValueError: not yet")
@pytest.mark.parametrize("kind", ["Saved", "SavedSleepy", "SavedTimed"])
def test_a_save_that_fails_is_tried_again_by_an_alarm(party, kind):
    """Nobody has to come, and the room may have left memory."""
    room = party.room(kind, "fails")
    with joined(room, "a") as a:
        edit(a, HI)
        assert eventually(lambda: ["exception", "ValueError: not yet"] in log(room))
        table = "alarm" if kind == "SavedTimed" else "yjs_retry"
        query = f"select time from _partyserver_{table} where time > 0"
        assert eventually(lambda: '[{"time"' in room.fetch("/sql", "POST", content=query).text)
        room.evict()
    # The room is not asked: that would wake it.
    assert eventually(lambda: [kind, HI.hex()] in party.fetch("/saved").json())
    # It is not the room's own, and that is as it was.
    assert room.fetch("/alarm").text == "None"
    assert ["on_alarm"] not in log(room)
    assert room.fetch("/set-alarm", "POST", content=b"1").text
    assert eventually(lambda: ["on_alarm"] in log(room))
    assert log(room).count(["on_alarm"]) == 1


@pytest.mark.no_party_chaos  # an event that wakes the room saves, too
@pytest.mark.log_may_hold("ValueError: not yet", "LookupError: the room starts late")
def test_an_alarm_whose_room_failed_to_start_is_still_not_the_rooms_own(party, mode):
    room = party.room(f"Saved{mode}", "fails-to-start")
    update = b"\1\1\x4d" + HI[3:]  # what no other room has saved
    with joined(room, "a") as a:
        edit(a, update)
        assert eventually(lambda: ["exception", "ValueError: not yet"] in log(room))
        query = "select time from _partyserver_yjs_retry where time > 0"
        assert eventually(lambda: '[{"time"' in room.fetch("/sql", "POST", content=query).text)
        room.evict()
    # The room is not asked: that would wake it.
    assert eventually(lambda: [f"Saved{mode}", update.hex()] in party.fetch("/saved").json())
    assert ["late"] in log(room)
    assert ["on_alarm"] not in log(room)


def fail_to_save(room):
    """Have a room of `SavedLate` wait a minute before it tries again."""
    with joined(room, "a") as a:
        edit(a, HI)
        assert hears_nothing(a)
    query = "select time from _partyserver_yjs_retry where time > 0"
    assert eventually(lambda: '[{"time"' in room.fetch("/sql", "POST", content=query).text)


@pytest.mark.no_party_chaos  # an event that wakes the room saves, too
@pytest.mark.log_may_hold("ValueError: not yet")
def test_other_alarms_do_not_shorten_the_pause(party, mode):
    room = party.room(f"SavedLate{mode}", "fails")
    fail_to_save(room)
    assert room.fetch("/set-alarm", "POST", content=b"1").text
    assert eventually(lambda: ["on_alarm"] in log(room))
    for _ in range(3):
        assert [entry[0] for entry in log(room)].count("on_save") == 1


@pytest.mark.no_party_chaos  # an event that wakes the room saves, too
@pytest.mark.log_may_hold("ValueError: not yet")
def test_an_alarm_that_a_transaction_has_set_is_the_rooms_own(party, mode):
    room = party.room(f"SavedLate{mode}", "fails")
    fail_to_save(room)
    later = 4_000_000_000_000
    body = b"%d" % later
    told = room.fetch("/alarm-of-a-transaction", "POST", content=body).json()
    assert told == [later, None]


def test_what_a_transaction_stores_is_marked_as_unsaved_in_it(party, mode):
    """Else the room could end behind it, and the save would be forgotten."""
    room = party.room(f"SavedLate{mode}", "lobby")
    assert room.fetch("/marked", "POST", content=HI).text == "1"


@pytest.mark.no_party_chaos
def test_saves_come_one_after_the_other_and_none_is_forgotten(party, mode):
    room = party.room(f"Slow{mode}", "lobby")
    with joined(room, "a") as a:
        edit(a, HI)
        assert eventually(lambda: ["begins", HI.hex()] in log(room))
        edit(a, MARK)
        assert hears_nothing(a)
        assert eventually(lambda: len(log(room)) == 4)
        begun = [what for how, what in log(room) if how == "begins"]
        assert [how for how, _ in log(room)] == ["begins", "ends", "begins", "ends"]
        assert same(bytes.fromhex(begun[-1]), [HI, MARK])


@pytest.mark.no_party_chaos
def test_what_was_being_saved_when_the_room_ended_is_saved_by_its_next_life(party, mode):
    room = party.room(f"Slow{mode}", "stuck")
    with joined(room, "a") as a:
        edit(a, HI)
        assert eventually(lambda: ["begins", HI.hex()] in log(room))
    party.restart()
    with joined(room, "a"):
        assert eventually(lambda: log(room).count(["begins", HI.hex()]) == 2)


@pytest.mark.log_may_hold("the disk is full")
def test_an_edit_that_could_not_be_marked_is_saved_with_the_next(party, mode):
    room = party.room(f"Saved{mode}", "lobby")
    full = (
        "create trigger full before insert on _partyserver_yjs_index "
        "begin select raise(abort, 'the disk is full'); end"
    )
    with joined(room, "a") as a:
        edit(a, HI)
        assert eventually(lambda: copies_of(room, [HI]))
        room.fetch("/sql", "POST", content=full)
        edit(a, MARK)
        assert hears_nothing(a)
        room.fetch("/sql", "POST", content="drop trigger full")
        edit(a, SET)
        assert eventually(lambda: copies_of(room, [HI, MARK, SET]))


@pytest.mark.no_party_chaos
def test_what_has_been_deleted_is_not_saved(party, mode):
    room = party.room(f"SavedLate{mode}", "lobby")
    with joined(room, "a") as a:
        edit(a, HI)
        assert hears_nothing(a)
        room.fetch("/delete")
    with joined(room, "a") as a:
        assert hears_nothing(a)
    assert log(room) == []


# --- definitions ------------------------------------------------------------------------


def test_a_class_that_would_not_do_what_its_author_expects_is_a_type_error(party):
    told = party.fetch("/definitions").json()
    for error, expected in zip(
        told,
        [
            "Wrong.is_read_only is asked for each edit",
            "Wrong.options['debounce_wait'] must be 0 to 60 seconds, not 2000",
            "Wrong.options['debounce_max_wait'] must be 0 to 60 seconds, not '2'",
            "Wrong.options['collect_garbage'] must be True or False, not None",
            "Wrong.onLoad is never looked at; name it on_load",
            "Plain.options['debounce_wait'] is an option of partyserver.yjs.YMixin",
        ],
        strict=True,
    ):
        assert error is not None
        assert error.startswith(expected), error
