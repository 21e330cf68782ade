"""The unchanged clients see each other, through sleeps and reconnections: see UPSTREAM.md."""

from __future__ import annotations

from .providers import both, enter, kind, node, open, places
from .wire import sleep

__all__ = ["enter", "kind", "node", "open", "places"]


@both
def test_they_see_each_other_come_move_and_leave(open):
    a, b = open("Ada"), open("Bea")
    a.until_present(["Bea"])
    b.until_present(["Ada"])
    a.point({"name": "Ada moved"})
    b.until_present(["Ada moved"])
    b.disconnect()
    a.until_present([])


@both
def test_who_is_killed_leaves(open):
    """It has no time to say that it goes."""
    a, b, c = open("Ada"), open("Bea"), open("Cy")
    for one, others in ((a, ["Bea", "Cy"]), (b, ["Ada", "Cy"]), (c, ["Ada", "Bea"])):
        one.until_present(others)
    a.vanish()
    b.until_present(["Cy"])
    c.until_present(["Bea"])
    b.vanish()
    c.until_present([])
    newcomer = open()
    newcomer.until_present(["Cy"])


@both
def test_after_a_sleep_a_newcomer_sees_who_is_here_and_who_leaves_leaves(open, room):
    a, b = open("Ada"), open("Bea")
    a.until_present(["Bea"])
    b.until_present(["Ada"])
    sleep(room)
    c = open("Cy")
    c.until_present(["Ada", "Bea"])
    sleep(room)
    a.vanish()
    b.until_present(["Cy"])
    c.until_present(["Bea"])
    open().until_present(["Bea", "Cy"])


@both
def test_who_is_back_before_its_old_socket_has_closed_stays(open, room):
    a, b = open("Ada"), open("Bea")
    b.until_present(["Ada"])
    a.lose()
    a.until_connections(2)
    a.until_present(["Bea"])
    sleep(room)
    a.release()
    a.point({"name": "Ada is back"})
    b.until_present(["Ada is back"])
    open().until_present(["Ada is back", "Bea"])
    sleep(room)
    a.vanish()
    b.until_present([])


def test_who_has_reconnected_leaves_when_it_leaves(open):
    a, b = open("Ada"), open("Bea")
    b.until_present(["Ada"])
    for connections in (2, 3):
        a.drop()
        b.until_present([])
        b.until_present(["Ada"])
        a.until_connections(connections)
        a.until_present(["Bea"])
    a.vanish()
    b.until_present([])


def test_all_see_each_other_again_after_a_restart_and_nobody_else(party, places):
    pairs = [(join("Ada"), join("Bea")) for _, join in places]
    for a, _ in pairs:
        a.until_present(["Bea"])
    party.restart()
    for a, b in pairs:
        a.until_connections(2)
        b.until_connections(2)
        a.until_present(["Bea"])
        b.until_present(["Ada"])
        a.point({"name": "Ada moved"})
        b.until_present(["Ada moved"])
        b.vanish()
        a.until_present([])
