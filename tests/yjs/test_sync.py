"""Documents go from one client to the others, as frames."""

from __future__ import annotations

import pytest
from partyserver.yjs import frames
from partyserver.yjs.store import merge

from .vectors import ALL, DELETE, EMOJI, HI, MARK, MERGED, SET, WITH_GAP
from .wire import EMPTY, answers, edit, greeted, hears_nothing, joined, news, same, sleep, state_of


def test_a_newcomer_is_asked_for_what_the_room_lacks_and_told_what_there_is(room):
    with room.connect(id="a") as a:
        assert a.receive() == bytes.fromhex("00 00 01 00")
        sleep(room)
        a.send(bytes.fromhex("00 00 01 00"))
        # Also where there is nothing: it waits for an answer.
        assert a.receive() == bytes.fromhex("00 01 02 00 00")
        for update in ALL:
            edit(a, update)
        with room.connect(id="b") as b:
            assert greeted(b) == bytes.fromhex("01 05 04")
            assert answers(b) == [MERGED]


def test_an_edit_goes_to_the_others_as_it_has_come(room):
    with joined(room, "a") as a, joined(room, "b") as b, joined(room, "a") as twin:
        for update in ALL:
            sleep(room)
            edit(a, update)
            assert news(b) == news(twin) == update
        assert hears_nothing(a, b, twin)


def test_an_answer_to_the_rooms_question_is_an_edit_for_the_others(room):
    """As an answer they would take it for the end of what they have asked for."""
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send(frames.step_2(HI))
        assert b.receive() == frames.update(HI)


def test_what_brings_nothing_new_is_neither_sent_on_nor_stored(room):
    count = "select count(*) as n from _partyserver_yjs"
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in ALL:
            edit(a, update)
            news(b)
        rows = room.fetch("/sql", "POST", content=count).json()
        for update in (*ALL, MERGED, EMPTY):
            sleep(room)
            edit(b, update)
            b.send(frames.step_2(update))
        assert hears_nothing(a, b)
    assert room.fetch("/sql", "POST", content=count).json() == rows == [{"n": 4}]


def test_a_deletion_may_come_before_what_it_deletes(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in (DELETE, MARK, HI):
            edit(a, update)
            assert news(b) == update
    assert same(state_of(room), [HI, MARK, DELETE])


def test_what_lacks_something_is_asked_for(room):
    """A client sends what it has made from where the state vector ends."""
    with joined(room, "a") as a:
        edit(a, HI)
        edit(a, SET)
        assert greeted(a) == bytes.fromhex("01 05 02")
        assert hears_nothing(a)
        with room.connect(id="b") as b:
            assert greeted(b) == bytes.fromhex("01 05 02")
            assert answers(b) == [WITH_GAP]
            edit(b, MARK)
            assert news(a) == MARK
    assert room.fetch("/vector").content == bytes.fromhex("01 05 04")


def test_who_sends_on_from_what_was_lost_is_asked_for_it_once(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, HI)
        assert news(b) == HI
        sleep(room)
        edit(a, SET)  # and MARK was lost
        assert news(b) == SET
        assert greeted(a) == bytes.fromhex("01 05 02")
        edit(a, EMOJI)
        assert news(b) == EMOJI
        assert hears_nothing(a)
        missing = merge([MARK, SET, EMOJI])
        a.send(frames.step_2(missing))
        assert news(b) == MARK  # the others are there
        assert hears_nothing(a, b)
    assert same(state_of(room), [HI, MARK, SET, EMOJI])


@pytest.mark.log_may_hold("the disk is full")
@pytest.mark.no_party_chaos  # what was lost is known in memory
def test_a_deletion_that_could_not_be_stored_is_asked_for(room):
    full = (
        "create trigger full before insert on _partyserver_yjs "
        "begin select raise(abort, 'the disk is full'); end"
    )
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, HI)
        assert news(b) == HI
        room.fetch("/sql", "POST", content=full)
        edit(a, DELETE)
        assert hears_nothing(a, b)
        room.fetch("/sql", "POST", content="drop trigger full")
        edit(a, MARK)
        assert news(b) == MARK
        assert greeted(a) == bytes.fromhex("01 05 03")
        a.send(frames.step_2(DELETE))
        assert news(b) == DELETE
        assert hears_nothing(a)
    assert same(state_of(room), [HI, DELETE, MARK])


@pytest.mark.parametrize(
    "vector", ["01 05 01", "01 05 02", "01 05 04", "02 06 09 05 03", "01 06 01"]
)
def test_who_has_some_of_it_gets_the_rest_and_all_deletions(room, vector):
    vector = bytes.fromhex(vector)
    diff = merge(ALL) if vector.startswith(b"\1\6") else None
    with joined(room, "a") as a:
        for update in ALL:
            edit(a, update)
        sleep(room)
        theirs = answers(a, vector)
        expected = room.fetch("/diff", "POST", content=vector).content
        assert same(theirs, expected)
        assert diff is None or same(expected, diff)
        assert len(expected) < len(MERGED) or diff is not None
        assert expected.endswith(bytes.fromhex("01 05 01 01 01"))


def test_what_is_asked_for_by_somebody_who_may_not_be_told_is_refused(room):
    for vector in (b"", b"\1", b"\1\5", b"\0\0"):
        response = room.fetch("/diff", "POST", content=vector)
        assert (response.status_code, response.text[:15]) == (400, "MalformedError:")


def test_other_frames_are_ignored(room):
    with joined(room, "a") as a:
        for message in ("02 00 02 68 69", "03", "09 01 02", "ff ff 03"):
            a.send(bytes.fromhex(message))
        assert hears_nothing(a)


def test_text_is_on_message_s(room):
    with joined(room, "a") as a:
        for text in ("hello", "__YPS", "__yps:hello", "{}", ""):
            a.send(text)
            assert a.receive() == f"on_message: {text}"


def test_custom_messages(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send("__YPS:ping")
        assert a.receive() == "__YPS:you said ping"
        a.send("__YPS:")
        assert a.receive() == "__YPS:you said "
        a.send("__YPS:all __YPS:x")
        assert a.receive() == b.receive() == "__YPS:__YPS:x"
        sleep(room)
        a.send("__YPS:others é😀")
        assert b.receive() == "__YPS:é😀"
        assert hears_nothing(a, b)


def test_a_document_beside_a_rooms_own_messages(party):
    room = party.room("Mixed", "lobby")
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send("echo")
        assert a.receive() == "on_message: echo"
        a.send("__YPS:nobody defines on_custom_message")
        edit(a, HI)
        assert news(b) == HI
        assert hears_nothing(a, b)


# --- who may only read ------------------------------------------------------------------


@pytest.mark.no_party_chaos  # each life of the room tells it once
@pytest.mark.parametrize("readonly", ["true", "fails"])
def test_who_may_only_read_changes_nothing_and_is_told_so_once(room, readonly):
    with joined(room, "w") as writer, joined(room, "r", readonly=readonly) as reader:
        edit(writer, HI)
        assert news(reader) == HI
        sleep(room)
        # What is known already is no edit: a client answers the room's question with all it has.
        reader.send(frames.step_2(HI))
        assert hears_nothing(reader, writer)
        edit(reader, MARK)
        assert reader.receive() == b"\2\0\x1aThis document is read-only"
        reader.send(frames.step_2(MARK))
        assert hears_nothing(reader, writer)
        assert answers(reader) == [HI]
    assert state_of(room) == HI


@pytest.mark.no_party_chaos  # what it was told is in memory
def test_what_comes_from_who_has_been_told_is_not_even_read(room):
    """To read an update takes seconds, if it is made for that."""
    with joined(room, "r", readonly="true") as reader:
        edit(reader, HI)
        assert reader.receive() == frames.denied("This document is read-only")
        for _ in range(6):
            edit(reader, HI[:-1])
        assert hears_nothing(reader)


@pytest.mark.no_party_chaos  # what it was told is in memory
def test_a_long_answer_of_who_may_only_read_is_looked_at_once(room):
    long = b"\1\1\7\0\4\1\1t\xd0\x0f" + b"a" * 2000 + b"\0"
    with joined(room, "w") as writer, joined(room, "r", readonly="true") as reader:
        edit(writer, long)
        assert news(reader) == long
        reader.send(frames.step_2(long))
        assert hears_nothing(reader)
        reader.send(frames.step_2(long))
        assert reader.receive() == frames.denied("This document is read-only")
        assert hears_nothing(reader, writer)


def test_an_edit_of_who_may_only_read_is_never_the_documents(room):
    with joined(room, "w") as writer, joined(room, "r", readonly="true") as reader:
        edit(writer, HI)
        assert news(reader) == HI
        for update in (MARK, DELETE, SET):
            edit(reader, update)
            reader.send(frames.step_2(update))
        assert answers(writer) == [HI]
        assert hears_nothing(writer)


# --- what the room's own code does ------------------------------------------------------


def test_the_rooms_own_edits_go_to_all(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        assert room.fetch("/apply", "POST", content=HI).text == "True"
        assert news(a) == news(b) == HI
        assert room.fetch("/apply", "POST", content=HI).text == "False"
        assert hears_nothing(a, b)
    assert room.fetch("/wrong").text == (
        "an update of Yjs is bytes, not str: 'text'; a state vector is bytes, not str: 'text'"
    )
    response = room.fetch("/apply", "POST", content=HI[:-1])
    assert (response.status_code, response.text[:15]) == (400, "MalformedError:")
    assert state_of(room) == HI


@pytest.mark.parametrize("way", ["rolled-back", "raised", "rolled-back-at-once"])
def test_what_a_transaction_of_the_storages_own_undoes_nobody_hears_of(room, way):
    with joined(room, "a") as a:
        edit(a, HI)
        assert room.fetch(f"/{way}", "POST", content=MARK).text == "rolled back"
        assert hears_nothing(a)
        assert state_of(room) == HI
        assert room.fetch("/apply", "POST", content=MARK).text == "True"
        assert news(a) == MARK
    assert same(state_of(room), [HI, MARK])


@pytest.mark.parametrize("way", ["committed", "committed-at-once", "committed-in-both"])
def test_what_such_a_transaction_stores_all_hear_of_when_it_has_ended(room, way):
    with joined(room, "a") as a:
        assert room.fetch(f"/{way}", "POST", content=HI).text == "committed"
        assert a.receive() == "before the end"
        assert news(a) == HI
        edit(a, MARK)
        assert hears_nothing(a)
    assert same(state_of(room), [HI, MARK])


@pytest.mark.log_may_hold("was never awaited")
def test_a_transaction_that_nobody_awaits_is_told_of_as_well(room):
    with joined(room, "a") as a:
        assert room.fetch("/dropped", "POST", content=HI).text == "not awaited"
        assert a.receive() == "before the end"
        assert news(a) == HI
        edit(a, MARK)
        assert hears_nothing(a)
    assert same(state_of(room), [HI, MARK])


def test_what_is_undone_was_never_there(room):
    with joined(room, "a") as a:
        edit(a, HI)
        assert room.fetch("/undone", "POST", content=MARK).text == "undone"
        assert hears_nothing(a)
        assert state_of(room) == HI
        assert room.fetch("/vector").content == bytes.fromhex("01 05 02")
        edit(a, MARK)
        assert hears_nothing(a)
    assert same(state_of(room), [HI, MARK])
