"""What the unchanged clients have after sleeps, evictions, restarts and kills: see UPSTREAM.md.

Of the kills, a longer run by hand:

    YJS_SEED=1 YJS_KILLS=100 make test ARGS="tests/yjs/test_lives.py -k kill"
"""

from __future__ import annotations

import os
import random
import signal
import subprocess

from .providers import PARTYSERVER, both, enter, kind, node, open, places
from .wire import sleep

__all__ = ["enter", "kind", "node", "open", "places"]

SEED = int(os.environ.get("YJS_SEED", "0"))
KILLS = int(os.environ.get("YJS_KILLS", "2"))


def test_a_document_is_there_when_nobody_has_it_any_more(party, places):
    for _, join in places:
        a = join()
        a.edit(["append", "kept"], ["set", "k", 1], ["push", 2])
        join().says("kept", m={"k": 1}, a=[2])
        a.disconnect()
    party.restart()
    for room, join in places:
        join().says("kept", m={"k": 1}, a=[2])
        room.evict()
        join().says("kept", m={"k": 1}, a=[2])


def test_two_who_are_here_go_on_after_two_restarts(party, places):
    pairs = [(join("Ada"), join("Bea")) for _, join in places]
    for a, b in pairs:
        a.edit(["append", "one "])
        b.says("one ")
    for restart in (1, 2):
        party.restart()
        for a, b in pairs:
            a.until_connections(restart + 1)
            b.until_connections(restart + 1)
            a.edit(["append", f"a{restart} "])
            b.until_same(a)
            b.edit(["append", f"b{restart} "])
            a.until_same(b)
    for (_, join), (a, _) in zip(places, pairs, strict=True):
        text = "one a1 b1 a2 b2 "
        a.says(text)
        join().says(text)
        a.until_present(["Bea"])


def test_what_was_written_while_the_runtime_was_away_comes_when_it_is_back(party, places):
    pairs = [(join(), join()) for _, join in places]
    for a, b in pairs:
        a.edit(["append", "before "])
        b.says("before ")
        a.disconnect()
        b.disconnect()
        a.edit(["append", "of a "])
        b.edit(["insert", 0, "of b "])
    party.restart()
    for (_, join), (a, b) in zip(places, pairs, strict=True):
        a.connect()
        b.connect()
        for one in (a, b, join()):
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
        a.until_same(b)
    a.says("0-1-2-")
    open().says("0-1-2-")


def test_what_another_has_seen_is_there_after_a_kill_in_the_middle_of_typing(party, places):
    """Only the room is asked: those who have it stay away, and give nothing back."""
    chance = random.Random(SEED)
    lost = 0
    for _ in range(KILLS):
        pairs = []
        for _, join in places:
            typist, reader = join(), join()
            typist.until_same(reader)
            pairs.append((typist, reader))
        began = [len(reader.content["t"]) for _, reader in pairs]
        for typist, _ in pairs:
            typist.type()
        for length, (_, reader) in zip(began, pairs, strict=True):
            reader.until_longer(length + chance.randrange(1, 300))
        kill(party)
        for (_, join), (typist, reader) in zip(places, pairs, strict=True):
            typist.until_away()
            reader.until_away()
            seen, typed = reader.content["t"], typist.content["t"]
            newcomer = join()
            stored = newcomer.content["t"]
            newcomer.disconnect()
            assert stored.startswith(seen)
            assert typed.startswith(stored)
            lost += len(typed) - len(seen)
            # And both can go on.
            reader.connect()
            typist.connect()
            reader.says(typed)
            typist.disconnect()
            reader.disconnect()
    assert lost > 0  # else nothing was on its way


def kill(party):
    """Kill workerd in the midst of its work. Miniflare, a process of its own, starts it again."""
    command = ["ps", "-A", "-o", "pid=,pgid=,comm="]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    processes = [line.split(None, 2) for line in told.splitlines()]
    group = str(party._runtime._process.pid)
    [pid] = [pid for pid, its, name in processes if its == group and name.endswith("workerd")]
    os.kill(int(pid), signal.SIGKILL)


def test_a_document_begins_with_its_seed_once(enter, party):
    rooms = [party.room(f"Seeded{mode}", "seeded") for mode in ("", "Sleepy")]
    pairs = [(enter(room, PARTYSERVER), enter(room, PARTYSERVER)) for room in rooms]
    for a, b in pairs:
        a.says("hi")
        a.edit(["append", "!"])
        b.says("hi!")
    party.restart()
    for room, pair in zip(rooms, pairs, strict=True):
        for one in pair:
            one.until_connections(2)
            one.says("hi!")
        enter(room, PARTYSERVER).says("hi!")


def test_it_is_saved_some_time_after_edits_and_when_the_last_has_left(enter, party, mode):
    saved = party.room(f"SavedLate{mode}", "saved")
    a, b = enter(saved, PARTYSERVER), enter(saved, PARTYSERVER)
    a.edit(["append", "copy"])
    b.says("copy")
    a.disconnect()
    assert saved.fetch("/log").json() == []  # it would be saved after 60 s
    b.disconnect()
    for _ in range(200):
        if log := saved.fetch("/log").json():
            break
    assert log == [["on_save", saved.fetch("/state").content.hex()]]


def test_custom_messages_and_read_only_are_as_before_after_a_restart(party, places):
    readers = [join(params={"readonly": "true"}) for _, join in places]
    party.restart()
    for (room, join), reader in zip(places, readers, strict=True):
        reader.until_connections(2)
        reader.edit(["append", "mine"])
        if room.name == PARTYSERVER:
            reader.send("hello")
            assert reader.text() == "you said hello"
        join().says("")
