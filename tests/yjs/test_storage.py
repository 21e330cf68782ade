"""A document stays: after a sleep, an eviction, a restart, and any number of edits."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from partyserver.yjs import frames
from partyserver.yjs.coding import integer
from partyserver.yjs.store import Store, merge

from .vectors import ALL, HI, MARK, MERGED, SET
from .wire import EMPTY, answers, edit, greeted, hears_nothing, joined, news, same, sleep, state_of

LEVELS = "select level, count(*) as n from _partyserver_yjs group by level order by level"


def typing(count, client=7, seed=1):
    """Somebody types, and takes some of it back."""
    chance = random.Random(seed)
    clock = 0
    for number in range(count):
        if number % 5 == 4:
            yield b"\0\1" + integer(client) + b"\1" + integer(chance.randrange(clock)) + b"\1"
        elif clock:
            at = integer(client) + integer(clock)
            behind = integer(client) + integer(clock - 1)
            yield b"\1\1" + at + b"\x84" + behind + b"\3abc\0"
            clock += 3
        else:
            yield b"\1\1" + integer(client) + b"\0\4\1\1t\3abc\0"
            clock = 3


def large(client, size):
    """An update with one text."""
    text = bytes(random.Random(size).choices(b"abc", k=size))
    return b"\1\1" + integer(client) + b"\0\4\1\1t" + integer(size) + text + b"\0"


def plain(client, size):
    return b"\1\1" + integer(client) + b"\0\4\1\1t" + integer(size) + b"a" * size + b"\0"


def sql(room, query):
    return room.fetch("/sql", "POST", content=query).json()


def test_it_is_there_after_a_sleep_an_eviction_and_a_restart(party, room):
    with joined(room, "a") as a:
        for update in ALL:
            sleep(room)
            edit(a, update)
        assert hears_nothing(a)
    for end in (room.evict, party.restart):
        end()
        assert room.fetch("/vector").content == bytes.fromhex("01 05 04")
        with joined(room, "b") as b:
            assert answers(b) == [MERGED]
        assert state_of(room) == MERGED


def test_an_edit_is_stored_before_anybody_hears_of_it(party, mode):
    room = party.room(f"Notes{mode}", "lobby")
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in ALL:
            edit(a, update)
            news(b)
            assert same(state_of(room), ALL[: ALL.index(update) + 1])


def test_many_edits_become_few_rows_and_nobody_lacks_any(room):
    updates = list(typing(1000))
    whole = Store()
    with joined(room, "a") as a, joined(room, "b") as b:
        moments = []
        for number, update in enumerate(updates):
            edit(a, update)
            if whole.add(update):
                assert news(b) == update
            if number % 300 == 150:
                sleep(room)
                moments.append((whole.vector(), whole.encode()))
        rows = {row["level"]: row["n"] for row in sql(room, LEVELS)}
        assert rows.keys() == {0, 1}
        assert rows[0] <= 200
        assert rows[1] <= 5
        for vector, state in moments:
            assert same([state, *answers(b, vector)], updates)
        with room.connect(id="c") as c:
            assert greeted(c) == whole.vector()
            assert same(answers(c), updates)
    for end in (room.evict, lambda: sleep(room)):
        end()
        with room.connect(id="d") as d:
            assert greeted(d) == whole.vector()
            assert same(answers(d), updates)
            assert answers(d, whole.vector()) == [diff_of(updates, whole.vector())]
        assert same(state_of(room), updates)


def diff_of(updates, vector):
    store = Store()
    for update in updates:
        store.add(update)
    return store.encode(vector)


def test_when_they_have_grown_all_is_written_anew_without_what_is_deleted(room):
    size = "select sum(length(data)) as n from _partyserver_yjs"
    with joined(room, "a") as a, joined(room, "b") as b:
        updates = [large(3, 20_000), *typing(210)]
        for update in updates:
            edit(a, update)
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [0, 2]
        assert sql(room, size)[0]["n"] > 20_000
        moment = Store()
        for update in updates:
            moment.add(update)
        more = [b"\0\1\3\1\0" + integer(19_000), large(4, 17_000), *typing(210, client=8)]
        for update in more:
            edit(a, update)
        updates += more
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [0, 2]
        assert sql(room, size)[0]["n"] < 20_000
        # Also for somebody who has what was deleted, or has all, or nothing.
        assert same([moment.encode(), *answers(b, moment.vector())], updates)
        vector = room.fetch("/vector").content
        assert same([merge(updates), *answers(b, vector)], updates)
        assert same(answers(b), updates)
    room.evict()
    with joined(room, "c") as c:
        assert same(answers(c), updates)
        edit(c, HI)
        edit(c, MARK)
        assert hears_nothing(c)
    assert same(state_of(room), [*updates, HI, MARK])


def test_an_edit_of_a_room_that_slept_does_not_load_the_document(party):
    room = party.room("NotesSleepy", "lobby")
    with joined(room, "a") as a:
        for update in [large(3, 20_000), *typing(210)]:
            edit(a, update)
        assert hears_nothing(a)
        with joined(room, "b") as b:
            # Nobody could read it now; and what is new is told from what is not without it.
            assert sql(room, "update _partyserver_yjs set data = x'ff' where level = 2") == []
            room.hibernate()
            old, new = large(3, 20_000), large(4, 10)
            edit(a, old)
            edit(a, new)
            assert news(b) == new
    assert "cannot be read" in room.fetch("/state").text


def test_what_was_deleted_stays_where_the_class_says_so(party):
    room = party.room("Kept", "lobby")
    with joined(room, "a") as a:
        edit(a, large(3, 20_000))
        edit(a, b"\0\1\3\1\0" + integer(19_000))
        for update in typing(250):
            edit(a, update)
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [0, 2]
    assert len(state_of(room)) > 20_000


@pytest.mark.parametrize("size", [999_990, 1_000_001, 2_500_000])
def test_an_update_may_be_larger_than_a_row(room, size):
    update = large(9, size)
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, HI)
        news(b)
        edit(a, update)
        assert news(b) == update
        edit(a, MARK)
        news(b)
        sleep(room)
        with joined(room, "c") as c:
            assert same(answers(c), [HI, update, MARK])
        for one in typing(250):
            edit(a, one)
        assert hears_nothing(a)
    room.evict()
    assert same(state_of(room), [HI, update, MARK, *typing(250)])
    with joined(room, "c") as c:
        assert same(answers(c), [HI, update, MARK, *typing(250)])


@pytest.mark.log_may_hold("the disk is full")
@pytest.mark.parametrize("level", [1, 2])
def test_rows_that_cannot_become_fewer_stay_as_they_are(room, level):
    """And whoever has sent the last of them has done nothing wrong."""
    whole = Store()
    news_of = filter(whole.add, [large(3, 20_000 if level == 2 else 10), *typing(400)])
    updates = list(islice(news_of, 198))  # and with one more they become one
    more = [HI, MARK]
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in updates:
            edit(a, update)
            assert news(b) == update
        sql(
            room,
            "create trigger full before insert on _partyserver_yjs when new.level > 0 "
            "begin select raise(abort, 'the disk is full'); end",
        )
        for update in more:
            edit(a, update)
            assert news(b) == update
        assert hears_nothing(a)
        assert "the disk is full" in str(room.fetch("/log").json())
        assert [row["level"] for row in sql(room, LEVELS)] == [0]
        sql(room, "drop trigger full")
        room.evict()
    assert same(state_of(room), [*updates, *more])
    with joined(room, "a") as a:
        edit(a, SET)
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [level]
    assert same(state_of(room), [*updates, *more, SET])


@pytest.mark.log_may_hold("the disk is full")
def test_an_update_of_several_rows_is_stored_whole_or_not_at_all(room):
    update = large(9, 1_500_000)
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, HI)
        assert news(b) == HI
        sql(
            room,
            "create trigger full before insert on _partyserver_yjs when new.more = 0 "
            "begin select raise(abort, 'the disk is full'); end",
        )
        edit(a, update)
        assert hears_nothing(a, b)
        sql(room, "drop trigger full")
        assert answers(a) == [HI]
        edit(a, update)
        assert news(b) == update
    room.evict()
    assert same(state_of(room), [HI, update])


@pytest.mark.no_party_chaos  # each life of the room tells it once
@pytest.mark.log_may_hold("the document would take")
def test_a_document_is_no_larger_than_it_can_be_loaded_again(room):
    one, other, third = (plain(client, 4_500_000) for client in (1, 2, 3))
    deletion = b"\0\1\1\1\0" + integer(4_400_000)
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in (one, other):
            edit(a, update)
            assert news(b) == update
        for _ in range(2):
            edit(a, third)
            a.send(frames.step_2(third))
        assert a.receive() == frames.denied("This document is full")
        assert hears_nothing(a, b)
        told = room.fetch("/apply", "POST", content=third)
        assert told.text.startswith("DocumentFullError: the document would take 54,")
        assert str(room.fetch("/log").json()).count("DocumentFullError") == 1
        # What is known is no edit; what only deletes is taken, and makes room.
        edit(a, one)
        assert hears_nothing(a)
        sleep(room)
        edit(b, deletion)
        assert news(a) == deletion
        edit(a, third)
        assert news(b) == third
    room.evict()
    assert same(state_of(room), [one, other, deletion, third])


@pytest.mark.no_party_chaos  # each life of the room tells it once
@pytest.mark.log_may_hold("the document would take")
def test_clients_are_no_more_than_can_be_loaded_again(room):
    one, other = clients(0, 30_000), clients(30_000, 10_000)
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, one)
        assert news(b) == one
        edit(a, other)
        assert a.receive() == frames.denied("This document is full")
        sleep(room)
        vector = room.fetch("/vector").content
        assert len(vector) > 180_000
        assert answers(b, vector) == [EMPTY]
    room.evict()
    assert state_of(room)


def clients(first, count):
    ids = [integer(2**31 + number) for number in range(first + count - 1, first - 1, -1)]
    return integer(count) + b"".join(b"\1" + one + b"\0\0\1" for one in ids) + b"\0"


def test_only_what_is_new_is_stored_and_told(room):
    """A client sends all deletions that it knows with each answer."""
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in ALL:
            edit(a, update)
            news(b)
        more = bytes.fromhex("01 01 06 00 04 01 01 74 01 61")
        known, new = bytes.fromhex("01 05 01 01 01"), bytes.fromhex("01 06 01 00 01")
        both = bytes.fromhex("02 06 01 00 01 05 01 01 01")
        a.send(frames.step_2(more + known))
        assert news(b) == more + b"\0"
        edit(a, more + both)
        assert news(b) == b"\0" + new
        assert room.fetch("/apply", "POST", content=MERGED[:-5] + both).text == "False"
        text = bytes.fromhex("01 01 08 00 04 01 01 74 01 61")
        assert room.fetch("/apply", "POST", content=text + both).text == "True"
        assert news(a) == news(b) == text + b"\0"
        size = "select sum(length(data)) as n from _partyserver_yjs"
        rows = [*ALL, more + b"\0", b"\0" + new, text + b"\0"]
        assert sql(room, size) == [{"n": sum(map(len, rows))}]
    room.evict()
    assert same(state_of(room), rows)


def test_who_has_all_up_to_a_gap_lacks_little(room):
    behind, whole = b"\1\1\7\5\4\1\1t\1b\0", plain(1, 300_000)
    with joined(room, "a") as a:
        edit(a, behind)
        greeted(a)  # it is asked for what was before
        edit(a, whole)
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [2, 3]
        vector = room.fetch("/vector").content
        for _ in range(30):  # as often as one likes
            assert answers(a, vector) == [behind, EMPTY, EMPTY]
        sleep(room)
        assert answers(a, vector) == [behind, EMPTY, EMPTY]
        edit(a, HI)
        edit(a, b"\1\1\7\0\4\1\1t\5aaaaa\0")
        assert same([whole, *answers(a, vector)], state_of(room))
        assert same(answers(a), state_of(room))
    sql(room, "delete from _partyserver_yjs_index where name = 'coverage'")
    room.evict()
    with joined(room, "a") as a:
        assert sum(map(len, answers(a, vector))) < 200


@pytest.mark.no_party_chaos  # what was refused is known in memory
@pytest.mark.log_may_hold("the document would take")
def test_what_goes_on_from_a_refused_edit_is_not_taken_before_that_one_is(room):
    """Nobody would see it: it has no place without what it goes on from."""
    one, other, third = (plain(client, 4_500_000) for client in (1, 2, 3))
    deletion = b"\0\1\1\1\0" + integer(4_400_000)
    end = b"\3" + integer(4_500_000)
    typed = b"\1\1" + end + b"\x84\3" + integer(4_499_999) + b"\1x\0"
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in (one, other):
            edit(a, update)
            assert news(b) == update
        edit(a, third)
        assert a.receive() == frames.denied("This document is full")
        edit(a, typed)
        vector = greeted(a)  # it is asked for what was refused, and not for each key
        edit(a, typed)
        assert hears_nothing(a, b)
        assert room.fetch("/vector").content == vector
        # What others type is taken, and what has come to fit.
        edit(b, HI)
        assert news(a) == HI
        edit(b, deletion)
        assert news(a) == deletion
        edit(a, typed)
        assert hears_nothing(a, b)
        missing = merge([third, typed])
        a.send(frames.step_2(missing))
        assert news(b) == missing
        more = b"\1\1\3" + integer(4_500_002) + b"\x84" + end + b"\1x\0"
        edit(a, more)
        assert news(b) == more  # as of anybody


@pytest.mark.no_party_chaos  # what is counted is in memory
def test_one_connection_is_told_so_many_bytes_for_the_asking(room):
    base, folded = plain(1, 3_000_000), plain(2, 1_000_000)
    with joined(room, "a") as a, joined(room, "b") as b:
        for update in (base, folded):
            edit(a, update)
            assert news(b) == update
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [1, 2]
        vector = b"\1\1" + integer(3_000_000)
        for _ in range(60):
            b.send(frames.step_1(vector))
        assert 3 * 12 <= answered(b) <= 3 * 30  # of three frames each
        assert same(answers(a, vector), folded)


@pytest.mark.no_party_chaos  # what is counted is in memory
def test_one_connection_asks_for_all_so_often_and_for_what_it_lacks_as_often_as_it_likes(room):
    whole = plain(1, 300_000)
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, whole)
        assert news(b) == whole
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [2]
        for _ in range(100):
            b.send(frames.step_1(b"\0"))
        assert 40 <= answered(b) < 120  # of two frames each
        assert answers(a) == [whole, EMPTY]
        vector = room.fetch("/vector").content
        for _ in range(100):
            b.send(frames.step_1(vector))
        assert answered(b) == 100


def answered(socket):
    """How many frames come before the room answers."""
    socket.send("echo")
    count = 0
    while socket.receive() != "on_message: echo":
        count += 1
    return count


@pytest.mark.no_party_chaos  # what is in memory is counted
def test_what_is_in_memory_is_compacted_from_time_to_time(room):
    with joined(room, "a") as a:
        assert room.fetch("/structs").text == "0"
        for clock in range(1500):
            place = b"\x84\5" + integer(clock - 1) if clock else b"\4\1\1t"
            edit(a, b"\1\1\5" + integer(clock) + place + b"\1a\0")
        assert hears_nothing(a)
        assert int(room.fetch("/structs").text) < 700
        assert same(state_of(room), b"\1\1\5\0\4\1\1t" + integer(1500) + b"a" * 1500 + b"\0")


@pytest.mark.no_party_chaos  # what is in memory is looked at
def test_what_nobody_reads_any_more_is_not_in_memory(room):
    with joined(room, "a") as a:
        for number, update in enumerate(typing(1600)):
            if number in (100, 900):
                assert room.fetch("/state").content
            if number in (150, 1000):
                assert room.fetch("/held").text == "True"
            edit(a, update)
        assert hears_nothing(a)
        assert room.fetch("/held").text == "True"
        for update in typing(1200, client=9):
            edit(a, update)
        assert hears_nothing(a)
        assert room.fetch("/held").text == "False"


def test_large_updates_become_one_without_being_many(room):
    with joined(room, "a") as a:
        for client in range(1, 4):
            edit(a, large(client, 100_000))
        assert hears_nothing(a)
        assert [row["level"] for row in sql(room, LEVELS)] == [2]
        assert same(answers(a), [large(client, 100_000) for client in range(1, 4)])


def test_what_has_been_folded_often_becomes_one(party):
    """A newcomer gets a frame for each."""
    room = party.room("NotesSleepy", "lobby")
    updates = [large(3, 300_000), *typing(200 * 24)]
    with joined(room, "a") as a:
        for update in updates:
            edit(a, update)
        assert hears_nothing(a)
        rows = {row["level"]: row["n"] for row in sql(room, LEVELS)}
        assert rows[1] < 10
        assert same(answers(a), updates)
    room.evict()
    assert same(state_of(room), updates)


def test_what_is_known_of_it_can_be_lost(room):
    """It is made again from the document."""
    updates = [large(3, 20_000), *typing(450)]
    with joined(room, "a") as a:
        for update in updates:
            edit(a, update)
        assert hears_nothing(a)
    vector = room.fetch("/vector").content
    sql(room, "delete from _partyserver_yjs_index")
    room.evict()
    assert room.fetch("/vector").content == vector
    with joined(room, "a") as a:
        edit(a, HI)
        assert same(answers(a), [*updates, HI])
        assert answers(a, vector)[-1].startswith(b"\0")


@pytest.mark.log_may_hold("what is stored of the document cannot be read")
def test_what_cannot_be_read_any_more_is_no_fault_of_who_edits(party):
    room = party.room("NotesSleepy", "lobby")
    updates = list(islice(filter(Store().add, typing(400)), 200))
    with joined(room, "a") as a:
        for update in updates:
            edit(a, update)
        assert hears_nothing(a)
        sql(room, "update _partyserver_yjs_index set data = x'ff'")
        sleep(room)
        for update in (HI, MARK, SET) * 2:
            edit(a, update)
        assert hears_nothing(a)
        assert "cannot be read" in str(room.fetch("/log").json())


def test_a_room_that_has_deleted_all_has_a_new_document(room):
    with joined(room, "a") as a:
        edit(a, HI)
        assert answers(a) == [HI]
        assert room.fetch("/delete").text == "deleted"
        assert answers(a) == [EMPTY]
        edit(a, MARK)
        assert answers(a) == [MARK]


def test_documents_of_other_rooms_are_others(party, mode):
    one, other = (party.room(f"Notes{mode}", name) for name in ("one", "other"))
    with joined(one, "a") as a, joined(other, "b") as b:
        edit(a, HI)
        assert answers(a) == [HI]
        assert answers(b) == [EMPTY]
        assert hears_nothing(b)


def test_an_answer_comes_with_a_step_2_at_its_end_however_long_it_is(room):
    with joined(room, "a") as a:
        for update in typing(450):
            edit(a, update)
        a.send(frames.step_1(b"\0"))
        kinds = []
        while frames.STEP_2 not in kinds:
            kinds.append(frames.parse(a.receive()).kind)
        assert kinds == [frames.UPDATE] * 2 + [frames.STEP_2]
