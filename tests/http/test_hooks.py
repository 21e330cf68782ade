"""In which hooks a call can wait, and who is served meanwhile."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

WHY = "synchronous HTTP suspends its hook, and the platform has called this one in a way that"
TEXT = ["returned", "grüß"]
CALLS = ["requests_text", "urllib_text"]

rooms = pytest.mark.parametrize("binding", ["Waking", "Memory", "WakingSyncIo", "MemorySyncIo"])


def message(name, server):
    return json.dumps([name, server.url])


@rooms
def test_in_on_request(party, server, binding):
    options = {"params": {"call": "requests_text", "url": server.url}}
    assert party.room(binding, "a").fetch("/", **options).json() == TEXT


@rooms
@pytest.mark.parametrize("start", ["plain", "async"])
def test_in_on_start(party, server, binding, start):
    room = party.room(binding, start)
    room.fetch("/", params={"remember": server.url})
    room.evict()
    assert room.fetch("/", params={"started": ""}).json() == TEXT


@pytest.mark.parametrize("binding", ["Waking", "WakingSyncIo"])
@pytest.mark.parametrize("start", ["plain", "async"])
def test_in_on_start_when_a_message_wakes_the_room(party, server, binding, start):
    room = party.room(binding, start)
    room.fetch("/", params={"remember": server.url})
    with room.connect() as socket:
        room.hibernate()
        socket.send("started")
        assert socket.receive_json() == TEXT


@rooms
def test_in_on_connect(party, server, binding):
    with party.room(binding, "a").connect(query={"url": server.url}) as socket:
        assert socket.receive_json() == TEXT


@rooms
def test_in_on_alarm(party, server, binding):
    room = party.room(binding, "a")
    room.fetch("/", params={"remember": server.url})
    server.seen.clear()
    room.fetch("/", params={"alarm": ""})
    deadline = time.monotonic() + 60
    while "/text" not in server.seen:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("binding", ["Waking", "WakingSyncIo"])
def test_in_on_close_of_a_room_that_hibernates(party, server, binding):
    room = party.room(binding, "a")
    room.fetch("/", params={"remember": server.url})
    with room.connect() as one, room.connect() as two:
        one.close(4000, "call")
        assert two.receive_json() == TEXT


@pytest.mark.parametrize("binding", ["WakingSyncIo", "MemorySyncIo"])
@pytest.mark.parametrize("name", CALLS)
def test_in_on_message_with_sync_io(party, server, binding, name):
    with party.room(binding, "a").connect() as socket:
        socket.send(message(name, server))
        assert socket.receive_json()[0] == "returned"


@rooms
def test_in_on_message_once_it_has_awaited_something(party, server, binding):
    with party.room(binding, "a").connect() as socket:
        socket.send("later " + message("requests_text", server))
        assert socket.receive_json() == TEXT


@pytest.mark.parametrize("binding", ["Waking", "Memory"])
@pytest.mark.parametrize("name", CALLS)
def test_in_on_message_without_sync_io_the_error_says_what_to_do(party, server, binding, name):
    with party.room(binding, "a").connect() as socket:
        socket.send(message(name, server))
        outcome, kinds, text = socket.receive_json()
        assert (outcome, kinds) == ("raised", ["RuntimeError"])
        assert text.startswith(WHY)
        assert 'options = {"sync_io": True}' in text
        socket.send("ping")
        assert socket.receive() == "pong"


@pytest.mark.parametrize("binding", ["WakingSyncIo", "MemorySyncIo"])
def test_others_are_served_while_a_message_waits(party, server, binding):
    room = party.room(binding, "a")
    with room.connect() as one, room.connect() as two, party.room(binding, "b").connect() as three:
        one.send(message("requests_slow", server))
        assert server.waiting.wait(20)
        for other in (two, three, one):
            other.send("ping")
            assert other.receive() == "pong"
        server.gate.set()
        assert one.receive_json() == ["returned", "through"]


def test_others_are_served_while_a_request_waits(party, server):
    room = party.room("Waking", "a")
    options = {"params": {"call": "requests_slow", "url": server.url}}
    with ThreadPoolExecutor(1) as pool, room.connect() as socket:
        waiting = pool.submit(room.fetch, "/", **options)
        assert server.waiting.wait(20)
        socket.send("ping")
        assert socket.receive() == "pong"
        assert room.fetch("/", params={"started": ""}).status_code == 200
        server.gate.set()
        assert waiting.result().json() == ["returned", "through"]


def test_many_calls_at_once(party, server):
    server.gate.set()
    options = {"params": {"call": "requests_slow", "url": server.url}}
    room = party.room("Waking", "a")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: room.fetch("/", **options).json(), range(20)))
    assert answers == [["returned", "through"]] * 20
