"""What the kit promises, as a user's own tests. The outer tests run this file with pytest."""

import json

import pytest
from partyserver.testing import AlarmError, SocketClosedError, UpgradeError


@pytest.fixture
def room(party):
    return party.room("Echo", "lobby")


def test_fetch_reaches_the_worker_and_the_room(party, room):
    assert party.fetch("/").text == "no room"
    assert room.fetch("/").json() == ["fetch"]
    assert room.fetch("/vars").json() == ["config", "from the ini file"]


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_starts_with_empty_storage(room, time):
    assert room.fetch("/").json() == ["fetch"]


@pytest.mark.parametrize("time", ["first", "second"])
def test_so_does_the_test_after_a_restart(party, room, time):
    assert room.fetch("/").json() == ["fetch"]
    party.restart()


@pytest.mark.parametrize("end", ["evict", "hibernate", None])
def test_so_does_the_test_after_an_eviction(room, end):
    assert room.fetch("/").json() == ["fetch"]
    if end:
        getattr(room, end)()


@pytest.mark.parametrize("name", ["lobby", "evicted"])
def test_an_alarm_dies_with_its_test(party, name):
    room = party.room("Echo", name)
    assert room.fetch("/alarm").json() == ["fetch"]
    if name == "evicted":
        room.evict()


def test_the_alarm_of_the_test_before_does_not_fire(party, room):
    with pytest.raises(TimeoutError, match="nothing logged held 'alarm fired'"):
        party.logs.wait_for("alarm fired", timeout=1.5)
    assert room.fetch("/").json() == ["fetch"]


def test_an_alarm_can_be_fired_before_its_time(party, room):
    room.fetch("/alarm-in-an-hour")
    room.run_alarm()
    assert "alarm fired" in party.logs
    assert room.fetch("/").json() == ["alarm-in-an-hour", "fetch", "alarm", "fetch"]
    with pytest.raises(LookupError, match="<Room Echo 'lobby'> has no pending alarm"):
        room.run_alarm()


def test_an_alarm_outlives_a_restart(party, room):
    room.fetch("/alarm-in-an-hour")
    party.restart()
    room.run_alarm()
    assert room.fetch("/").json()[-2:] == ["alarm", "fetch"]


def test_an_alarm_that_raises_shows_why_and_stays_pending(room):
    room.fetch("/alarm-that-fails")
    for _ in range(2):
        with pytest.raises(AlarmError) as caught:
            room.run_alarm()
        assert "the alarm of <Room Echo 'lobby'> raised" in str(caught.value)
        assert "in alarm" in str(caught.value)
        assert str(caught.value).endswith("ValueError: raised by the alarm\n")


def test_a_room_goes_by_its_binding_or_its_class(party):
    assert party.room("EchoRoom", "a").url == party.room("Echo", "a").url
    assert party.room("MEMORY_ROOM", "a").url.endswith("/parties/memory-room/a")
    with pytest.raises(LookupError, match=r"no Durable Object binding 'Nope'.*Echo, MEMORY_ROOM"):
        party.room("Nope", "a")


def test_a_rooms_name_is_percent_encoded(party):
    room = party.room("Echo", "a/b ?é")
    assert room.fetch("/url").json()["url"] == party.url + "/parties/echo/a%2Fb%20%3F%C3%A9/url"


def test_text_and_binary_messages(room):
    with room.connect(id="a") as socket:
        assert socket.id == "a"
        assert socket.subprotocol is None
        assert socket.response_headers["upgrade"].lower() == "websocket"
        socket.send("hi")
        assert socket.receive() == "1 hi"
        big = bytes(3_000_000)
        socket.send(big)
        assert socket.receive() == big
        socket.send_json({"n": [1, "é"]})
        text = socket.receive()
        assert json.loads(text[2:]) == {"n": [1, "é"]}


def test_what_is_not_json_is_shown(room):
    with room.connect() as socket:
        socket.send("hi")
        with pytest.raises(ValueError, match="not JSON: '1 hi'"):
            socket.receive_json()


def test_hibernation_keeps_sockets_and_loses_memory(room):
    with room.connect() as socket:
        socket.send("a")
        assert socket.receive() == "1 a"
        room.hibernate()
        socket.send("b")
        assert socket.receive() == "1 b"


def test_eviction_closes_sockets_and_keeps_storage(room):
    room.fetch("/")
    with room.connect() as socket:
        room.evict()
        socket.wait_closed()
        assert socket.close_code == 1006
    assert room.fetch("/").json() == ["fetch", "fetch"]


def test_evicting_a_room_that_is_not_in_memory_is_nothing(party):
    party.room("Echo", "nobody").hibernate()
    party.room("Echo", "nobody").evict()
    assert not party.logs


def test_sockets_in_memory_are_evicted_and_cannot_hibernate(party):
    room = party.room("MEMORY_ROOM", "a")
    with room.connect() as socket:
        with pytest.raises(TimeoutError, match="does not hibernate: an open socket"):
            room.hibernate()
        socket.send("a")
        assert socket.receive() == "1 a"
        room.evict()
        socket.wait_closed()
        assert socket.close_code == 1006
    with room.connect() as socket:
        socket.send("b")
        assert socket.receive() == "1 b"


def test_a_clients_close_is_a_handshake(room):
    with room.connect() as socket:
        socket.close(4005, "bye")
        assert (socket.close_code, socket.close_reason) == (4005, "bye")


def test_the_servers_close_ends_iteration(room):
    with room.connect() as socket:
        for message in ("a", "b", "close"):
            socket.send(message)
        assert list(socket) == ["1 a", "2 b"]
        assert (socket.close_code, socket.close_reason) == (4001, "asked to")
        with pytest.raises(SocketClosedError, match="code 4001, reason 'asked to'"):
            socket.receive()
        with pytest.raises(SocketClosedError):
            socket.send("late")


def test_a_close_outside_of_the_sockets_own_events_is_seen_at_once(room):
    with room.connect() as socket:
        room.fetch("/close-all")
        socket.wait_closed(30)  # the closing handshake may take party_timeout, which is 60
        assert (socket.close_code, socket.close_reason) == (4002, "all")


def test_a_broken_frame_fails_the_connection(room):
    with room.connect() as socket:
        socket.send_raw(b"\xf0\x80\0\0\0\0")
        socket.wait_closed()
        assert not socket.is_open


def test_a_refused_upgrade_carries_the_response(room):
    with pytest.raises(UpgradeError, match="answered with 403 Forbidden: go away") as caught:
        room.connect(query={"refuse": "yes"})
    assert caught.value.response.status_code == 403
    assert caught.value.response.text == "go away"
    assert "agent" not in str(caught.value)


def test_a_timeout_shows_the_servers_log(room):
    room.fetch("/print")
    with room.connect() as socket, pytest.raises(TimeoutError) as caught:
        socket.receive(timeout=0.1)
    assert str(caught.value) == "no message within 0.1 s\n\nThe server's log:\nprinted by the room"


def test_a_message_that_matches_is_waited_for_and_others_are_skipped(room):
    with room.connect() as socket:  # the room sends binary messages back as they are
        for message in (
            b"no JSON",
            b"[1]",
            b'{"type":"moved","to":{"x":1,"y":1}}',
            b'{"type":"moved","to":{"x":2,"y":1}}',
            b'{"type":"next"}',
        ):
            socket.send(message)
        moved = socket.receive_json(until={"type": "moved", "to": {"x": 2}})
        assert moved == {"type": "moved", "to": {"x": 2, "y": 1}}
        assert socket.receive_json() == {"type": "next"}
        with pytest.raises(TypeError, match="until is a dict"):
            socket.receive_json(until="moved")


def test_a_message_that_does_not_come_is_waited_for_no_longer_than_the_timeout(room):
    room.fetch("/print")
    with room.connect() as socket:
        socket.send(b'{"type":"moved"}')
        socket.send(b"\xff" * 1000)
        socket.send("close")
        with pytest.raises(SocketClosedError, match="code 4001") as closed:
            socket.receive_json(until={"type": "over"})
        (note,) = closed.value.__notes__
        assert note.startswith("before a message with {'type': 'over'} came (skipped 2: b'{")
        assert len(note) < 400
    with room.connect() as socket:
        socket.send("hello")
        socket.receive()
        socket.send("hello again")
        with pytest.raises(TimeoutError) as late:
            socket.receive_json(timeout=0.5, until={"type": "over"})
    assert str(late.value) == (
        "no message with {'type': 'over'} within 0.5 s (skipped 1: '5 hello again')"
        "\n\nThe server's log:\nprinted by the room"
    )


def test_uncaught_exceptions_are_in_the_log_once(party, room):
    with room.connect() as socket:
        socket.send("raise")
        socket.send("a")
        assert socket.receive() == "2 a"
    [line] = party.logs
    assert line.level == "error"
    assert "in webSocketMessage" in line.message
    assert line.message.endswith("ValueError: raised by the hook")
    assert "wasm" not in line.message


def test_a_log_is_a_sequence_of_lines(party, room):
    room.fetch("/print")
    line = party.logs.wait_for("printed by the room")
    assert line in party.logs
    assert (party.logs[-1], party.logs[:]) == (line, [line])
    assert repr(party.logs) == "<Logs: 1 lines>\nprinted by the room"


def test_a_log_begins_with_its_test(party):
    assert not party.logs
    assert str(party.logs) == ""


def test_a_restart_keeps_the_url_the_storage_and_the_alarm(party, room):
    room.fetch("/alarm")
    url = party.url
    with room.connect() as socket:
        party.restart()
        socket.wait_closed()
    assert party.url == url
    party.logs.wait_for("alarm fired")
    assert room.fetch("/").json() == ["fetch", "alarm", "fetch"]
