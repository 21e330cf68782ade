"""What the unchanged clients have after sleeps, evictions and restarts: see UPSTREAM.md."""

from __future__ import annotations

from .providers import PARTYSERVER, both, kind, node, open
from .wire import sleep

__all__ = ["kind", "node", "open"]


@both
def test_a_document_is_there_when_nobody_has_it_any_more(open, party, room):
    a = open()
    a.edit(["append", "kept"], ["set", "k", 1], ["push", 2])
    open().says("kept", m={"k": 1}, a=[2])
    a.disconnect()
    party.restart()
    open().says("kept", m={"k": 1}, a=[2])
    room.evict()
    open().says("kept", m={"k": 1}, a=[2])


@both
def test_two_who_are_here_go_on_after_two_restarts(open, party):
    a, b = open("Ada"), open("Bea")
    a.edit(["append", "one "])
    b.says("one ")
    for restart in (1, 2):
        party.restart()
        a.until_connections(restart + 1)
        b.until_connections(restart + 1)
        a.edit(["append", f"a{restart} "])
        b.until_same(a)
        b.edit(["append", f"b{restart} "])
        a.until_same(b)
    text = "one a1 b1 a2 b2 "
    a.says(text)
    open().says(text)
    a.until_present(["Bea"])


@both
def test_what_was_written_while_the_runtime_was_away_comes_when_it_is_back(open, party):
    a, b = open(), open()
    a.edit(["append", "before "])
    b.says("before ")
    a.disconnect()
    b.disconnect()
    a.edit(["append", "of a "])
    b.edit(["insert", 0, "of b "])
    party.restart()
    a.connect()
    b.connect()
    for one in (a, b, open()):
        one.says("of b before of a ")


@both
def test_a_sleep_between_any_two_edits_changes_nothing(open, room):
    a, b = open(), open()
    for number in range(5):
        sleep(room)
        a.edit(["append", f"{number}"])
        b.says("".join(map(str, range(number + 1))))
        sleep(room)
        b.edit(["delete", 0, 1], ["insert", 0, "0"])
        a.until_same(b)
    sleep(room)
    open().says("01234")
    assert a.connections() == b.connections() == 1


@both
def test_an_eviction_between_edits_changes_nothing(open, room):
    a, b = open(), open()
    for number in range(3):
        a.edit(["append", f"{number}"])
        b.until_same(a)
        room.evict()
        b.edit(["append", "-"])
    a.says("0-1-2-")
    open().says("0-1-2-")


def test_what_another_has_seen_is_there_after_a_kill_in_the_middle_of_typing(open, party):
    """Only the room is asked: those who have it stay away, and give nothing back."""
    for _ in range(3):
        typist, reader = open(), open()
        typist.until_same(reader)
        length = len(reader.content["t"])
        typist.type()
        reader.until_longer(length + 50)
        party.restart()  # which kills it
        typist.until_away()
        reader.until_away()
        seen = reader.content["t"]
        text = _newest(open)
        assert text.startswith(seen)
        assert typist.content["t"].startswith(text)


def _newest(open):
    newcomer = open()
    text = newcomer.content["t"]
    newcomer.disconnect()
    return text


def test_a_document_begins_with_its_seed_once(open, party, mode):
    where = {"party": f"seeded{'-sleepy' if mode else ''}", "room": "seeded"}
    a = open(**where)
    a.says("hi")
    a.edit(["append", "!"])
    b = open(**where)
    b.says("hi!")
    for restart in (2, 3):
        party.restart()
        for one in (a, b):
            one.until_connections(restart)
            one.says("hi!")
    open(**where).says("hi!")


def test_it_is_saved_some_time_after_edits_and_when_the_last_has_left(open, party, mode):
    saved = party.room(f"SavedLate{mode}", "saved")
    where = {"party": saved.url.split("/")[-2], "room": "saved"}
    a, b = open(**where), open(**where)
    a.edit(["append", "copy"])
    b.says("copy")
    a.disconnect()
    assert saved.fetch("/log").json() == []  # it would be saved after 60 s
    b.disconnect()
    for _ in range(200):
        if log := saved.fetch("/log").json():
            break
    assert log == [["on_save", saved.fetch("/state").content.hex()]]


@both
def test_custom_messages_and_read_only_are_as_before_after_a_restart(open, party, kind):
    a = open(params={"readonly": "true"})
    party.restart()
    a.until_connections(2)
    a.edit(["append", "mine"])
    if kind == PARTYSERVER:
        a.send("hello")
        assert a.text() == "you said hello"
    open().says("")
