"""The options `rate` and `max_connections`: what is over them, and that others do not notice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from partyserver.testing.socket import SocketClosedError


@pytest.fixture
def room(party, binding):
    return lambda name: party.room(binding(name), "room")


@pytest.mark.no_party_chaos  # an eviction forgets what was sent
def test_a_flood_of_one_in_a_hundred_is_nobody_elses(party, room):
    dropping = room("Dropping")
    with ExitStack() as stack:
        sockets = [stack.enter_context(dropping.connect(id=f"c{n}")) for n in range(100)]
        flooding, *others = sockets
        for _ in range(300):
            flooding.send("flood")
        for socket in others:
            socket.send("hello")
        for socket in others:
            assert socket.receive_json()[:2] == ["got", "hello"]
        assert [flooding.receive_json()[0] for _ in range(3)] == ["got"] * 3
        frame = {"type": "error", "error": "5 messages were dropped", "code": "rate"}
        assert flooding.receive_json() == frame
        assert not [line for line in party.logs if line.level == "error"]


@pytest.mark.no_party_chaos
def test_what_is_over_the_rate_closes(room):
    closing = room("Closing")
    with closing.connect(id="a") as a, closing.connect(id="b") as b:
        for number in range(5):
            a.send(str(number))
        assert [a.receive(), a.receive()] == ["0", "1"]
        with pytest.raises(SocketClosedError):
            a.receive()
        assert (a.close_code, a.close_reason) == (1008, "too many messages")
        assert b.receive_json() == ["left", "a"]
        b.send("mine")
        assert b.receive() == "mine"


def test_a_full_room_tells_the_next_one(room, evict):
    small = room("Small")
    with small.connect(id="a") as a, small.connect(id="b") as b:
        assert sorted([a.receive_json(), b.receive_json()]) == [1, 2]
        evict(small)
        with small.connect(id="c") as c:
            frame = c.receive_json()
            assert frame == {
                "type": "error",
                "error": "the room is full: it takes 2 connections",
                "code": "full",
            }
            with pytest.raises(SocketClosedError):
                c.receive()
            assert c.close_code == 1013
        assert small.fetch("/").text == "an HTTP request"
        b.close()
        with small.connect(id="d") as d:
            assert d.receive_json() == 2


def test_of_many_at_once_only_so_many_come_in(room):
    small = room("Small")
    with ThreadPoolExecutor(8) as pool, ExitStack() as stack:
        sockets = list(pool.map(lambda n: small.connect(id=f"c{n}"), range(8)))
        for socket in sockets:
            stack.enter_context(socket)
        answers = [socket.receive_json() for socket in sockets]
        assert sorted(answer for answer in answers if isinstance(answer, int)) == [1, 2]


def test_replaced_connections_do_not_count(party):
    small = party.room("SmallSleepy", "room")
    with small.connect(id="a") as a, small.connect(id="b") as b:
        assert sorted([a.receive_json(), b.receive_json()]) == [1, 2]
        with small.connect(id="a") as again:
            assert again.receive_json() == 2


def test_duplicates_count(party):
    small = party.room("Small", "room")
    with small.connect(id="a") as a, small.connect(id="a") as b:
        assert sorted([a.receive_json(), b.receive_json()]) == [1, 2]
        with small.connect(id="a") as c:
            assert c.receive_json()["code"] == "full"
