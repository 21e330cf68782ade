"""Who is here, and where they point: awareness, as frames."""

from __future__ import annotations

import pytest

from .vectors import HI
from .wire import answers, edit, greeted, hears_nothing, joined, news, pointers, points, sleep

ONE = (1, 1, '{"name":"Ada"}')
TWO = (2, 3, '{"name":"Bea"}')


def test_what_a_client_says_goes_to_all_and_back_to_it(room):
    """One that hears nothing for 30 seconds would connect anew."""
    with joined(room, "a") as a, joined(room, "b") as b:
        for clock in (1, 2, 2, 3):
            sleep(room)
            said = points((1, clock, '{"x":1}'))
            a.send(said)
            assert a.receive() == b.receive() == said


def test_a_newcomer_hears_of_all_who_are_here_also_after_a_sleep(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send(points(ONE))
        b.send(points(TWO))
        for _ in range(2):
            a.receive(), b.receive()
        sleep(room)
        with room.connect(id="c") as c:
            greeted(c)
            assert pointers(c.receive()) == [ONE, TWO]
            assert answers(c)


def test_who_leaves_leaves_also_after_a_sleep(room):
    with joined(room, "a") as a, joined(room, "b") as b, joined(room, "c") as c:
        for one, said in ((a, ONE), (b, TWO)):
            one.send(points(said))
            for socket in (a, b, c):
                socket.receive()
        sleep(room)
        a.close()
        # The clock that was seen last: with another one, it would not be let in again.
        assert pointers(b.receive()) == pointers(c.receive()) == [(1, 1, None)]
        sleep(room)
        b.drop()
        assert pointers(c.receive()) == [(2, 3, None)]
        assert hears_nothing(c)
    with room.connect(id="d") as d:
        greeted(d)
        assert answers(d)
        assert hears_nothing(d)


def test_who_has_taken_its_state_back_has_gone(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send(points(ONE))
        a.send(points((1, 2, None)))
        assert [pointers(b.receive()) for _ in range(2)] == [[ONE], [(1, 2, None)]]
        sleep(room)
        a.close()
        assert hears_nothing(b)


def test_who_is_back_before_its_old_connection_has_ended_stays(room):
    with joined(room, "b") as b:
        old = joined(room, "a")
        old.send(points(ONE))
        b.receive()
        sleep(room)
        with room.connect(id="a") as new:
            new.send(points((1, 2, '{"name":"Ada"}')))
            b.receive()
            sleep(room)
            old.close()
            assert hears_nothing(b)
        assert pointers(b.receive()) == [(1, 2, None)]


@pytest.mark.parametrize("size", [0, 3000, 15_000])
def test_what_finds_no_room_beside_a_connections_state_is_forgotten_in_a_sleep(room, mode, size):
    """But not that it was there: who leaves leaves in any case."""
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send(f"state {size}")
        assert a.receive()
        said = (1, 1, '{"text":"%s"}' % ("é" * 7000))
        a.send(points(said))
        assert pointers(a.receive()) == pointers(b.receive()) == [said]
        sleep(room)
        with room.connect(id="c") as c:
            greeted(c)
            c.send(points((3, 1, "{}")))
            told = pointers(c.receive())
        is_known = size == 0 or not mode
        assert told == ([said] if is_known else [(3, 1, "{}")])
        assert pointers(b.receive()) == [(3, 1, "{}")]
        assert pointers(b.receive()) == [(3, 1, None)]
        a.close()
        assert pointers(b.receive()) == [(1, 1, None)]


def test_who_may_only_read_may_point(room):
    with joined(room, "a") as a, joined(room, "r", readonly="true") as reader:
        reader.send(points(ONE))
        assert pointers(a.receive()) == [ONE]
        edit(a, HI)
        assert reader.receive() == points(ONE)
        assert news(reader) == HI


def test_nobody_uses_up_the_clocks_of_somebody_else(room):
    """A clock above 2**53 - 1 no client could read, and its own would be closed for it."""
    with joined(room, "a") as a, joined(room, "b") as b:
        a.send(points(ONE))
        assert pointers(a.receive()) == pointers(b.receive()) == [ONE]
        for clock in (2**53 - 1, 2**31, 200_000):
            b.send(points((1, clock, None)))
            b.send(points((1, clock, "{}"), (9, 2**53 - 1, "{}")))
        assert hears_nothing(a, b)
        sleep(room)
        for clock in range(2, 9):
            a.send(points((1, clock, "{}")))
            assert pointers(a.receive()) == pointers(b.receive()) == [(1, clock, "{}")]


def long(letter, size=60_000):
    return '{"text":"%s"}' % (letter * size)


@pytest.mark.no_party_chaos  # what does not fit beside a socket is in memory
def test_one_connection_has_room_for_few_long_states(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        said = [(client, 1, long("x")) for client in range(1, 31)]
        a.send(points(*said))
        assert pointers(a.receive()) == pointers(b.receive()) == said[:2]
        a.send(points(*said))  # nothing of it is new
        assert hears_nothing(a, b)
        short = [(1, 2, "{}"), (3, 2, long("y"))]
        a.send(points(*short))
        assert pointers(a.receive()) == pointers(b.receive()) == short
        b.send(points((50, 1, long("z"))))
        assert a.receive() == b.receive() == points((50, 1, long("z")))
        with room.connect(id="c") as c:
            greeted(c)
            states = [*pointers(c.receive()), *pointers(c.receive())]
            assert sorted(client for client, *_ in states) == [1, 2, 3, 50]
