"""Whoever waits for what another room does goes on in its own room: its sockets work there."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from .scripted import eventually

WHAT = ["lock", "semaphore", "event", "queue", "condition", "future", "task"]


@pytest.fixture
def test(request):
    """A name for what the worker's module shares in this test."""
    return quote(re.sub(r"\W+", "-", request.node.name), safe="")


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("what", WHAT)
def test_a_message_hook_goes_on_in_its_own_room(party, binding, test, what):
    rooms = [party.room(binding("Waiting"), name) for name in ("a", "b")]
    with rooms[0].connect() as a, rooms[1].connect() as b:
        for _ in range(2):  # the second time the way back has been used before
            a.send(f"wait {what} {test}")
            assert a.receive() == "waiting"
            if what == "task":
                b.send(f"wait {what} {test}")
                assert b.receive() == "waiting"
                assert b.receive() == "wait is over in b"
            else:
                b.send(f"set {what} {test}")
                assert b.receive() == "set is over in b"
            assert a.receive() == "wait is over in a"


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("what", ["lock", "semaphore"])
def test_many_rooms_take_turns(party, binding, test, what):
    names = [f"room-{number}" for number in range(8)]
    sockets = [party.room(binding("Waiting"), name).connect() for name in names]
    for _ in range(2):
        for socket in sockets:
            socket.send(f"wait {what} {test}")
        for name, socket in zip(names, sockets, strict=True):
            assert [socket.receive(), socket.receive()] == ["waiting", f"wait is over in {name}"]


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
def test_a_wait_that_times_out_ends_in_its_own_room(party, binding, test):
    rooms = [party.room(binding("Waiting"), name) for name in ("a", "b")]
    with rooms[0].connect() as a, rooms[1].connect() as b:
        a.send(f"wait timeout {test}")
        assert [a.receive(), a.receive(), a.receive()] == [
            "waiting",
            "timed out",
            "wait is over in a",
        ]
        b.send(f"set event {test}")
        assert b.receive() == "set is over in b"


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("what", ["lock", "event", "future", "task"])
def test_an_on_start_goes_on_in_its_own_room(party, binding, test, what):
    names = [f"{what}-in-start-{test}{'x' * number}" for number in range(3)]
    rooms = [party.room(binding("Waiting"), name) for name in names]
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(room.fetch, f"/set/none/{test}") for room in rooms]
        eventually(lambda: waiting(party, test) == len(rooms))
        party.fetch(f"/waiting/set/{what}/{test}")
        for room, answer in zip(rooms, answers, strict=True):
            assert answer.result().text == f"set is over in {room.name}"


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("hook", ["on_close", "on_alarm"])
def test_any_hook_goes_on_in_its_own_room(party, binding, test, hook):
    name = binding("Waiting")
    room = party.room(name, "a")
    with room.connect() as socket:
        if hook == "on_alarm":
            party.fetch(f"/rpc/{name}/a/set_alarm/event/{test}")
        else:
            socket.send_raw(close_frame(f"event {test}"))
        eventually(lambda: waiting(party, test))
        party.fetch(f"/waiting/set/event/{test}")
        eventually(lambda: party.fetch(f"/rpc/{name}/a/closed").json() == "a")


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("what", ["event", "queue", "future"])
def test_a_task_that_a_hook_has_left_behind_goes_on_in_its_own_room(party, binding, test, what):
    with party.room(binding("Waiting"), "a").connect() as a:
        a.send(f"background {what} {test}")
        eventually(lambda: waiting(party, test))
        party.fetch(f"/waiting/set/{what}/{test}")
        assert a.receive() == "wait is over in a"


def close_frame(reason):
    payload = (1000).to_bytes(2) + reason.encode()
    mask = bytes(4)
    return bytes([0x88, 0x80 | len(payload)]) + mask + payload


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("place", ["/waiting/", "/parties/{party}/a/"])
@pytest.mark.parametrize("what", ["two", "two-tasks", "collected"])
def test_who_waits_for_more_than_one_gets_all_of_them(party, binding, test, what, place):
    names = {"party": "waiting" if binding("Waiting") == "Waiting" else "waiting-sleepy"}
    path = place.format(**names)
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(party.fetch, f"{path}wait/{what}/{test}")
        eventually(lambda: waiting(party, test))
        party.fetch(f"/waiting/set/{what}/{test}")
        assert waits.result().text.startswith("wait is over in")


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
def test_what_javascript_calls_wakes_a_room_in_its_own_place(party, binding, test):
    rooms = [party.room(binding("Waiting"), name) for name in ("a", "b")]
    with rooms[0].connect() as a, rooms[1].connect() as b:
        a.send(f"wait event {test}")
        assert a.receive() == "waiting"
        b.send(f"set javascript {test}")
        assert b.receive() == "set is over in b"
        assert a.receive() == "wait is over in a"


def waiting(party, test):
    return int(party.fetch(f"/waiting/count/-/{test}").text)


#: To a room, to another room, over RPC, to the worker.
PLACES = {
    "/parties/{party}/a/": "a",
    "/parties/{party}/b/": "b",
    "/rpc/{binding}/c/call/": '"c"',
    "/waiting/": "the worker",
}


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
@pytest.mark.parametrize("there", PLACES)
@pytest.mark.parametrize("here", PLACES)
@pytest.mark.parametrize("what", ["lock", "event", "queue", "small_queue", "condition"])
def test_a_request_goes_on_where_it_is_answered(party, binding, test, what, here, there):
    if here == there and here != "/waiting/":
        pytest.skip("the same room")
    name = binding("Waiting")
    names = {"binding": name, "party": "waiting" if name == "Waiting" else "waiting-sleepy"}

    def ask(place, verb):
        path = place.format(**names) + f"{verb}/{what}/{test}"
        return party.fetch(path).text.strip('"')

    if what == "small_queue":
        assert ask(there, "wait").startswith("wait is over")
    before = waiting(party, test)
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(ask, here, "wait")
        eventually(lambda: waiting(party, test) > before)
        assert ask(there, "set") == f"set is over in {PLACES[there]}".replace('"', "")
        assert waits.result() == f"wait is over in {PLACES[here]}".replace('"', "")
