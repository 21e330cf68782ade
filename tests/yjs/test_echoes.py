"""Providers tell the server again what they have got from it about others: that changes nothing."""

from __future__ import annotations

import pytest
from partyserver.yjs import frames
from partyserver.yjs.awareness import MAX_CLIENTS, Awareness, Entry, decode
from partyserver.yjs.coding import MalformedError

from .wire import answers, greeted, hears_nothing, joined, pointers, points, sleep

A, B, C = "a", "b", "c"
HERE, GONE = Entry(1, 2, "{}"), Entry(1, 2, None)
ONE = (1, 2, '{"name":"Ada"}')


@pytest.fixture
def awareness():
    return Awareness()


def test_an_echo_takes_nobody_from_its_connection(awareness):
    awareness.take(A, [HERE])
    assert awareness.take(B, [HERE], may_be_echo=True).changed == set()
    assert awareness.leave(B) == []
    assert awareness.leave(A) == [GONE]


def test_an_echo_that_comes_after_its_client_has_gone_brings_nobody_back(awareness):
    awareness.take(A, [HERE, Entry(9, 1, "{}")])
    awareness.leave(A)
    assert awareness.take(B, [HERE], may_be_echo=True).changed == set()
    assert awareness.take(B, [GONE], may_be_echo=True).changed == set()
    awareness.take(B, [Entry(5, 1, "{}")])
    awareness.take(B, [Entry(5, 3, None)])
    assert awareness.take(C, [Entry(5, 3, "{}")], may_be_echo=True).changed == set()
    assert awareness.present() == []


def test_who_is_back_comes_with_the_clock_that_it_had_or_a_newer_one(awareness):
    awareness.take(A, [HERE])
    awareness.leave(A)
    assert awareness.take(B, [HERE]).changed == {B}
    awareness.leave(B)
    assert awareness.take(C, [Entry(1, 3, "{}")], may_be_echo=True).changed == {C}
    assert awareness.present() == [Entry(1, 3, "{}")]


def test_a_removal_of_somebody_else_is_taken_with_the_same_clock(awareness):
    awareness.take(A, [HERE])
    assert awareness.take(B, [GONE], may_be_echo=True).changed == {A}
    assert awareness.present() == []


def test_the_clocks_of_some_who_have_gone_are_remembered_and_not_of_all(awareness):
    for client in range(3000):
        awareness.take(A, [Entry(client, 1, "{}")])
        awareness.leave(A)
    assert awareness.take(B, [Entry(2999, 1, "{}")], may_be_echo=True).changed == set()
    assert awareness.take(B, [Entry(1, 1, "{}")], may_be_echo=False).changed == {B}
    assert len(awareness._gone) == 1000


def test_an_echo_of_many_is_no_speaking_for_many(awareness):
    many = [Entry(number, 1, "{}") for number in range(1, 3 * MAX_CLIENTS)]
    for entry in many:
        awareness.take(f"connection {entry.client}", [entry])
    assert awareness.take(B, many, may_be_echo=True).changed == set()
    with pytest.raises(MalformedError, match="more than"):
        awareness.take(B, [Entry(client, 2, state) for client, _, state in many])
    body = frames.parse(points(*many)).body
    assert decode(body, len(many)) == many


def test_echoes_go_to_nobody(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        for one in (a, b):
            one.send(bytes.fromhex("00 01 02 00 00"))
        a.send(points(ONE))
        assert pointers(a.receive()) == pointers(b.receive()) == [ONE]
        b.send(points(ONE))
        assert hears_nothing(a)
        sleep(room)
        b.send(points(ONE))
        assert hears_nothing(a)
        b.close()
        assert hears_nothing(a)
        with room.connect(id="c") as c:
            greeted(c)
            assert pointers(c.receive()) == [ONE]
            assert answers(c)
            a.close()
            assert pointers(c.receive()) == [(1, 2, None)]
