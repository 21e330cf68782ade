"""`partykit.Server`: PartyKit's hooks, in both modes, with evictions in between."""

from __future__ import annotations

import pytest
from partyserver.testing import UpgradeError

from ..contracts.scripted import command, eventually


def events(room, *names):
    return [event for event in room.fetch("/events").json() if event[0] in names]


def open_socket(room, id, **options):
    socket = room.connect(id=id, **options)
    assert socket.receive_json() == ["connected", id]
    return socket


@pytest.fixture
def lobby(party, binding):
    return party.room("Main" if binding("") == "" else "MAIN_SLEEPY", "lobby")


def test_the_constructor_is_given_the_room(lobby):
    with open_socket(lobby, "a") as a:
        answer = command(a, "describe")
    assert answer["id"] == answer["id_in_constructor"] == "lobby"
    assert answer["mine"] == ["mine"] * 5


def test_the_room_has_an_id_an_internal_id_and_env(lobby):
    with open_socket(lobby, "a") as a:
        answer = command(a, "describe")
    assert answer["id"] == "lobby"
    assert len(answer["internal_id"]) == 64
    assert answer["greeting"] == "hello"


def test_on_connect_is_given_the_connection_and_its_context(lobby):
    open_socket(lobby, "a", path="/replace").close()
    assert events(lobby, "connect") == [["connect", "a", "lobby"]]


def test_on_message_is_given_the_message_and_then_its_sender(lobby, evict):
    with open_socket(lobby, "a") as a, open_socket(lobby, "b"):
        evict(lobby)
        for how in ("echo", "echo_later"):
            a.send_json([how, "to me only"])
            assert a.receive() == "to me only"
        evict(lobby)
        a.send(b"\0\1\2")
        assert a.receive() == b"\2\1\0"


def test_a_message_costs_no_task(party):
    """The shortcut is the way in for a party, too."""
    with open_socket(party.room("MAIN_SLEEPY", "direct"), "a") as a:
        a.send_json(["way_in"])
        assert "webSocketMessage" not in a.receive_json()


def test_on_close_is_given_the_connection(lobby, evict):
    a = open_socket(lobby, "a")
    evict(lobby)
    a.close(4001, "bye")
    assert (a.close_code, a.close_reason) == (4001, "bye")
    assert eventually(lambda: events(lobby, "close")) == [["close", "a", False]]


@pytest.mark.log_may_hold("WebSocket protocol error")
def test_on_error_is_given_the_connection_and_the_error(lobby, evict):
    a = open_socket(lobby, "a")
    evict(lobby)
    a.send_raw(b"\x83\x80\0\0\0\0")  # opcode 3 is not defined
    assert eventually(lambda: events(lobby, "close")) == [["close", "a", False]]
    assert events(lobby, "error") == [["error", "a", "TransportError"]]


def test_on_request_answers_http(lobby, evict):
    assert lobby.fetch("/x", method="POST", content="body").text == "lobby got 'body'"
    evict(lobby)
    assert events(lobby, "request") == [["request", "POST", "x", "body"]]


def test_on_alarm_has_the_room_and_the_other_parties(party, lobby):
    with open_socket(lobby, "a") as a:
        assert command(a, "alarm", 50) == ["alarm set", True]
    assert eventually(lambda: events(lobby, "alarm")) == [["alarm", "lobby"]]
    alarmed = events(party.room("Other", "alarmed"), "request")
    assert alarmed == [["request", "POST", "", "alarm of lobby"]]


def test_on_start_has_finished_before_everything_and_runs_on_each_wake(lobby, evict):
    with open_socket(lobby, "a") as a:
        evict(lobby)
        a.send_json(["echo", "x"])
        a.receive()
        evict(lobby)
        lobby.fetch("/after", method="POST")
    # Each life has loaded what the one before it stored, before anything was added.
    assert [event[0] for event in events(lobby, "connect", "request")] == ["connect", "request"]


def test_tags_filter_connections(lobby, evict):
    with (
        open_socket(lobby, "a", query={"tag": "GB"}) as a,
        open_socket(lobby, "b", query={"tag": "GB"}),
        open_socket(lobby, "c"),
    ):
        evict(lobby)
        assert command(a, "ids") == ["a", "b", "c"]
        assert command(a, "ids", "GB") == ["a", "b"]
        assert command(a, "ids", "FR") == []


def test_broadcast_leaves_out_the_ids_in_its_second_argument(lobby, evict):
    with open_socket(lobby, "a") as a, open_socket(lobby, "b") as b:
        evict(lobby)
        a.send_json(["broadcast", "to others"])
        assert b.receive() == "to others"
        a.send_json(["echo", "next"])
        assert a.receive() == "next"


def test_get_connection_finds_by_id(lobby, evict):
    with open_socket(lobby, "a") as a, open_socket(lobby, "b") as b:
        evict(lobby)
        a.send_json(["tell", "b", "psst"])
        assert b.receive() == "psst"
        answer = command(a, "describe")
        assert (answer["same"], answer["nobody"]) == (True, None)


def test_state_is_set_and_read(lobby, evict):
    with open_socket(lobby, "a") as a:
        assert command(a, "set_state", {"username": "jani"}) == {"username": "jani"}
        evict(lobby)
        state, attachment, uri = command(a, "state")
        assert state == attachment == {"username": "jani"}
        assert uri.endswith("/lobby?_pk=a")
        assert command(a, "attach", [1]) == [1]
        evict(lobby)
        assert command(a, "state")[0] == [1]


def test_a_state_that_is_too_large_is_an_error(lobby):
    with open_socket(lobby, "a") as a:
        assert command(a, "try_state", 20_000) == "StateTooLargeError"


def test_send_and_close(lobby, evict):
    with open_socket(lobby, "a") as a:
        evict(lobby)
        a.send_json(["close"])
        assert a.receive() == "Good-bye!"
        a.wait_closed()
        assert a.close_code == 1000


def test_a_hook_that_raises_fails_its_own_event_only(party, lobby):
    with open_socket(lobby, "a") as a:
        a.send_json(["raise"])
        a.send_json(["echo", "alive"])
        assert a.receive() == "alive"
    assert "ValueError: a secret" in str(party.logs)
    assert "in on_message of Main" in str(party.logs)


def test_hooks_may_leave_out_arguments(party):
    room = party.room("Brief", "x")
    with room.connect() as a, room.connect() as b:
        assert [a.receive(), b.receive()] == ["hi", "hi"]
        a.send("shout")
        assert [a.receive(), b.receive()] == ["SHOUT", "SHOUT"]
    assert room.fetch("/refuse").status_code == 403
    assert room.fetch("/").status_code == 404


@pytest.mark.parametrize("name", ["constructor", "on_start"])
def test_a_start_that_fails_fails_one_event(party, name):
    room = party.room("Starting", name)
    assert room.fetch("/").status_code == 500
    assert room.fetch("/").text == "started after 2"


def test_options_on_the_instance_are_an_error_that_says_where_they_belong(party):
    assert party.room("Starting", "options").fetch("/").status_code == 500
    assert "make options an attribute of the class" in str(party.logs)


def test_defaults(party):
    room = party.room("Guarded", "x")
    assert (room.fetch("/").status_code, room.fetch("/").text) == (404, "Not implemented")
    assert "Define on_request on Guarded" in str(party.logs)
    with room.connect() as a:
        a.send("ignored")
        a.close(4000)
        assert a.close_code == 4000


def test_on_before_connect_lets_in_refuses_and_replaces(party, lobby):
    with pytest.raises(UpgradeError) as refusal:
        lobby.connect(path="/refuse")
    assert refusal.value.response.status_code == 403
    assert refusal.value.response.text == "no entry to lobby, hello"
    open_socket(lobby, "a", path="/replace").close()
    open_socket(lobby, "b").close()
    assert events(lobby, "connect") == [["connect", "a", "lobby"], ["connect", "b", None]]


def test_on_before_request_lets_in_refuses_and_answers(party, lobby):
    assert lobby.fetch("/refuse").text == "no entry to lobby"
    assert lobby.fetch("/ask-other").text == "asked got 'q'"
    assert lobby.fetch("/in").text == "lobby got ''"
    response = lobby.fetch("/raise")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "a secret" in str(party.logs)
    assert events(lobby, "request") == [["request", "GET", "in", ""]]


def test_a_lobby_has_ai_and_vectorize(lobby):
    assert lobby.fetch("/ask-models").text == "HELLO 3"


def test_a_request_has_cf(lobby):
    assert len(lobby.fetch("/cf").text) == 2


def test_members_that_would_not_be_called_are_refused_when_the_class_is_made(party):
    answers = party.fetch("/check/classes").json()
    mixin = answers.pop("mixin")
    assert mixin.startswith("TypeError: Poll: presence is for a partyserver.Server; a partykit")
    assert all(answer.startswith("TypeError: Poll.") for answer in answers.values()), answers
    assert answers["onMessage"].endswith("name it on_message")
    assert answers["onFetch"].endswith("name it on_fetch")
    assert answers["on_close"].endswith("is called with (connection)")
    assert answers["on_cron"].endswith("is a static method, called with (cron, lobby, ctx)")
    assert "hibernate" in answers["option"]


def test_options_are_merged_along_the_bases(party):
    root, base, child = party.fetch("/check/options").json()
    assert not root["hibernate"]
    assert base == root | {"hibernate": True}
    assert child == base | {"debug": True}


def test_a_party_is_an_ordinary_class(party):
    assert party.fetch("/check/instance").json() == ["a room", "a message", "a sender"]
