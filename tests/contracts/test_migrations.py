"""Migrations: each runs once in a room's life, before `on_start`; those that fail leave nothing."""

from __future__ import annotations

import pytest
from partyserver.testing import AlarmError

from .scripted import eventually

RECORDS = "_partyserver_migrations"


@pytest.fixture
def room(party, binding):
    return party.room(binding("Deployed"), "room")


def deploy(room, version):
    """A new version of the worker's code, which the room is woken with."""
    assert room.fetch(f"/deploy/{version}").text == "done"
    room.evict()


def entries(room):
    return room.fetch("/").json()


def call(party, binding, what):
    return party.fetch(f"/migrating/{what}/{binding('Deployed')}").json()


def told(party, text, times=1):
    return eventually(lambda: str(party.logs).count(text) >= times)


def test_each_runs_once(party, binding, room):
    assert entries(room) == ["first"]
    room.evict()
    assert entries(room) == ["first"]
    deploy(room, "second")
    assert entries(room) == ["first", "second"]
    room.evict()
    assert entries(room) == ["first", "second"]


def test_white_space_is_no_change(party, room):
    assert entries(room) == ["first"]
    deploy(room, "formatted")
    assert entries(room) == ["first"]


def test_one_that_fails_half_way_leaves_nothing_and_the_next_start_tries_again(party, room):
    assert entries(room) == ["first"]
    deploy(room, "broken")
    for times in (1, 2):
        assert room.fetch("/").status_code == 500
        assert told(party, "migration 4 of Deployed has failed, and nothing of this start's", times)
        assert room.fetch("/tables").json() == [RECORDS, "entry"]
    assert "no such table: nowhere" in str(party.logs)
    deploy(room, "first")
    assert entries(room) == ["first"]
    deploy(room, "mended")
    assert entries(room) == ["first", "second", "mended"]
    assert room.fetch("/tables").json() == [RECORDS, "entry", "half"]


def test_a_new_room_whose_migrations_fail_has_nothing(party, room):
    deploy(room, "broken")
    assert room.fetch("/").status_code == 500
    assert room.fetch("/tables").json() == []
    room.evict()
    assert room.fetch("/").status_code == 500
    deploy(room, "mended")
    assert entries(room) == ["first", "second", "mended"]


def test_a_changed_one_is_an_error_that_names_it(party, room):
    assert entries(room) == ["first"]
    deploy(room, "changed")
    assert room.fetch("/").status_code == 500
    assert told(party, "migration 2 of Deployed has changed since it ran in this room")
    assert "insert into entry values ('changed')" in str(party.logs)
    deploy(room, "second")
    assert entries(room) == ["first", "second"]


@pytest.mark.parametrize("version", ["first", "none"])
def test_fewer_than_have_run_are_a_warning(party, room, version):
    deploy(room, "second")
    assert entries(room) == ["first", "second"]
    deploy(room, version)
    assert entries(room) == ["first", "second"]
    assert told(party, "Deployed:room: 3 migrations of Deployed have run, and it lists")
    deploy(room, "mended")  # its third is another one than the second version's
    assert room.fetch("/").status_code == 500


def test_a_renamed_class_is_told(party, room):
    assert entries(room) == ["first"]
    deploy(room, "renamed")
    assert entries(room) == ["first", "renamed"]
    assert told(party, "2 migrations of a class called Deployed have run")


def test_they_run_again_where_all_has_been_deleted(room):
    deploy(room, "second")
    assert entries(room) == ["first", "second"]
    assert room.fetch("/forget").text == "done"
    room.evict()
    assert entries(room) == ["first", "second"]


@pytest.mark.log_may_hold("Uncaught PythonError")  # of a call, whose caller gets the error
def test_whatever_wakes_a_room_runs_them_first(party, binding, room, mode, evict):
    with room.connect() as socket:
        assert socket.receive_json() == ["first"]
        room.fetch("/deploy/second")
        evict(room)
        socket.send("what is there?")
        woken = mode == "hibernating"
        assert socket.receive_json() == (["first", "second"] if woken else ["first"])
    deploy(room, "second")
    call(party, binding, "set_alarm")
    room.run_alarm()
    call(party, binding, "set_alarm")
    deploy(room, "broken")
    with pytest.raises(AlarmError):
        room.run_alarm()
    room.evict()
    assert "migration 3 of Deployed has changed" in str(call(party, binding, "entries"))
    deploy(room, "second")
    assert call(party, binding, "entries") == ["first", "second", "alarm"]


def test_an_object_without_a_name_runs_them_when_it_gets_one(party, binding):
    assert call(party, binding, "unnamed") == [[], ["first"]]


def test_bases_come_first_and_each_counts_its_own(party, binding):
    room = party.room(binding("Inheriting"), "x")
    for _ in range(2):
        steps, records = room.fetch("/").json()
        assert steps == ["Base 2", "Votes 1", "Inheriting 1"]
        assert records == [["Base", 1], ["Base", 2], ["Votes", 1], ["Inheriting", 1]]
        room.evict()


def test_a_room_without_any_has_no_table_of_them(party, binding):
    room = party.room(binding("Scripted"), "x")
    with room.connect(id="a") as a:
        assert a.receive_json() == ["connected", "a"]
        a.send_json(["sql", f"select name from sqlite_master where name = '{RECORDS}'"])
        assert a.receive_json() == ["rows", []]
