"""The project: several parties, routing to them, and what they know of each other."""

from __future__ import annotations

import httpx
import pytest
from partyserver.testing import UpgradeError

from ..contracts.scripted import command


@pytest.fixture
def lobby(party, mode):
    return party.room("Main" if mode == "in memory" else "MAIN_SLEEPY", "lobby")


def open_socket(room, id, **options):
    socket = room.connect(id=id, **options)
    assert socket.receive_json() == ["connected", id]
    return socket


def test_party_urls_lead_to_the_main_party_and_the_others(party):
    for path, answer in {
        "/party/x": "x got ''",
        "/party/x/and/more": "x got ''",
        "/parties/main/y": "y got ''",
        "/parties/Main/y": "y got ''",
        "/parties/other/z": "z got ''",
        "/party/a%2Fb": "a%2Fb got ''",
    }.items():
        assert party.fetch(path).text == answer, path


def test_the_main_party_has_two_urls_for_one_room(party):
    party.fetch("/party/both", method="POST", content="one way")
    party.fetch("/parties/main/both", method="POST", content="the other")
    bodies = [event[3] for event in party.fetch("/parties/main/both/events").json()]
    assert bodies == ["one way", "the other"]
    with party.connect("/party/both", query={"_pk": "a"}) as a:
        assert a.receive_json() == ["connected", "a"]


def test_a_binding_may_be_called_like_the_party(party):
    assert party.fetch("/parties/ledger/x").text == "x got ''"


def test_an_unknown_party_is_a_404(party):
    response = party.fetch("/parties/nowhere/x")
    assert response.status_code == 404
    assert response.text.startswith("there is no party 'nowhere'")
    with pytest.raises(UpgradeError) as refusal:
        party.connect("/parties/nowhere/x")
    assert refusal.value.response.status_code == 404


def test_a_party_without_a_binding_is_an_error_that_says_what_to_add(party):
    assert party.fetch("/parties/unbound/x").status_code == 500
    assert '{ name = "Unbound", class_name = "Unbound" }' in str(party.logs)


def test_internal_headers_of_a_client_are_removed(party):
    forged = {"x-partykit-room": "other", "x-partykit-props": "e30="}
    assert party.fetch("/party/mine", headers=forged).text == "mine got ''"


def test_on_fetch_answers_what_is_for_no_party(party):
    for path in ("a/page", "party", "parties/other", ""):
        assert party.fetch(f"/{path}").text == f"fetched {path}: hello, True"
    assert (party.fetch("/nothing").status_code, party.fetch("/nothing").text) == (404, "Not found")


def test_an_on_fetch_that_fails_is_a_500_without_details(party):
    for path in ("/raise", "/wrong"):
        response = party.fetch(path)
        assert response.status_code == 500
        assert "secret" not in response.text
    assert "a secret" in str(party.logs)
    assert "on_fetch must return a workers.Response, not str" in str(party.logs)


def test_on_fetch_reaches_other_parties(party):
    assert party.fetch("/other").text == "fetched got 'lobby'"


def test_rooms_fetch_each_other(party, lobby, evict):
    with open_socket(lobby, "a") as a:
        evict(lobby)
        answer = [200, "friend got 'from a room'"]
        assert command(a, "fetch", "other", "friend", "/some/path?x=1") == answer
        assert command(a, "fetch", "other", "friend") == answer
    events = party.room("Other", "friend").fetch("/events").json()
    assert [event[1:3] for event in events] == [["POST", "some/path?x=1"], ["POST", ""]]


@pytest.mark.parametrize("friend", ["main", "main-sleepy"])
def test_rooms_talk_over_a_websocket(lobby, friend):
    with open_socket(lobby, "a") as a:
        greeting, *heard, is_open = command(a, "talk", friend, "friend")
    assert greeting == ["connected", "room"]
    assert heard == ["ünïcode", [2, 1, 0], "Good-bye!"]
    assert not is_open


@pytest.mark.parametrize("where", ["a room", "the worker"])
def test_ai_vectorize_and_parties_are_the_bindings_or_an_error_that_names_them(party, where):
    path = "/party/x/check/bindings" if where == "a room" else "/check/bindings"
    answers = party.fetch(path).json()
    assert answers["ai"] == {"model": "a-model", "answer": "HELLO"}
    assert answers["vectorize"] == {"count": 3}
    assert answers["by key"] == {"count": 1}
    assert answers["no index"].startswith("MissingBindingError: ")
    assert '[[vectorize]] binding = "products"' in answers["no index"]
    assert answers["unknown"].startswith("UnknownPartyError: there is no party 'nowhere'")
    assert answers["unbound"].startswith("MissingBindingError: ")
    assert answers["has"] == [True, False]
    assert answers["dashes"] == "<Stub of /parties/main-sleepy/x>"
    assert answers["main"] == "<Stub of /parties/main/x>"
    assert answers["no id"].startswith("ValueError: ")
    assert answers["wrong path"].startswith("ValueError: a path begins with a slash")


def test_a_missing_ai_binding_is_an_error_that_says_what_to_add(party):
    answer = party.fetch("/check/no_ai").json()
    assert answer.startswith("MissingBindingError: ")
    assert '[ai] binding = "AI"' in answer


def test_all_that_a_stub_is_given_arrives(party):
    status, text, events = party.fetch("/check/other_methods").json()
    assert (status, text) == (200, "methods got 'bytes'")
    assert events == [["request", "PUT", "a?b=c", "bytes"]]


def test_a_party_is_found_by_name_like_any_server(party):
    assert party.fetch("/check/by_name").json() == "by-name got 'b'"


def test_what_is_wrong_with_a_project_is_said_when_the_worker_starts(party):
    answers = party.fetch("/check/entrypoint").json()
    assert answers["class"].startswith("TypeError: the party 'main' must be a subclass")
    assert answers["slash"].startswith("ValueError: a party's name is a path segment")
    assert answers["main"] == "ValueError: the party 'main' is Poll, and no other"
    assert answers["no on_cron"] == "TypeError: there are crons, and Poll has no on_cron"
    assert "no cron expression of five fields" in answers["cron"]
    assert answers["name"] == "Default"
    assert "give it to partykit.entrypoint()" in answers["no project"]


# --- on_socket ------------------------------------------------------------------------


def test_on_socket_is_given_a_socket_that_is_for_no_party(party):
    with party.connect("/anywhere") as a:
        assert a.receive() == "Hello, hello!"
        for message in ("one", "two"):
            a.send(message)
            assert a.receive() == f"heard {message}"
        a.close(4001, "enough")
        assert (a.close_code, a.close_reason) == (4001, "enough")


def test_a_fetch_socket_has_listeners(party):
    with party.connect("/listen") as a:
        for message in ("text", b"\0bytes", ""):
            a.send(message)
            assert a.receive() == message
        a.close(4002, "heard")
        assert a.close_code == 4002
    assert "heard close 4002 heard" in str(party.logs)


def test_a_fetch_socket_can_be_closed(party):
    a = party.connect("/close")
    a.wait_closed()
    assert (a.close_code, a.close_reason) == (4000, "as asked")


@pytest.mark.parametrize("path", ["/raise", "/raise-later"])
def test_an_on_socket_that_raises_closes_with_1011_and_no_details(party, path):
    a = party.connect(path)
    if path == "/raise-later":
        a.send("go on")
    a.wait_closed()
    assert a.close_code == 1011
    assert "secret" not in a.close_reason
    assert "a secret" in str(party.logs)


def test_listeners_that_take_turns_go_on_with_their_own_sockets(party):
    with party.connect("/turns") as a, party.connect("/turns") as b:
        for text in ("one", "two"):
            a.send(text)
            b.send(text)
            assert (a.receive(), b.receive()) == (text, text)


@pytest.mark.no_party_chaos  # an eviction loses whoever waits
def test_transactions_that_take_turns_go_on_in_their_own_rooms(party):
    with party.room("Main", "a").connect() as a, party.room("Main", "b").connect() as b:
        for socket in (a, b):
            assert socket.receive_json()[0] == "connected"
        for _ in range(2):
            a.send_json(["take_turns"])
            b.send_json(["take_turns"])
            assert (a.receive_json(), b.receive_json()) == ("a", "b")


def test_an_exit_in_a_static_hook_or_a_listener_ends_nothing(party):
    with party.connect("/exit-listener") as a:
        for _ in range(2):
            a.send("hi")
            assert a.receive() == "hi"
        assert party.fetch("/exit").status_code == 500
        b = party.connect("/exit")
        b.wait_closed()
        assert b.close_code == 1011
        a.send("still here")
        assert a.receive() == "still here"
    assert "SystemExit" in str(party.logs)


def test_a_fetch_socket_that_nobody_reads_is_closed_in_the_end(party):
    a = party.connect("/ignore")
    for _ in range(1001):
        a.send("x")
    a.wait_closed()
    assert a.close_code == 1011


def test_on_socket_reaches_other_parties(party):
    with party.connect("/relay") as a:
        assert a.receive_json() == ["connected", "relay"]


# --- on_cron --------------------------------------------------------------------------


def scheduled(party, cron):
    """What the runtime's own endpoint does when a schedule is due."""
    query = {"cron": cron, "time": "1700000000000"}
    return httpx.get(f"{party.url}/cdn-cgi/local/scheduled", params=query, trust_env=False)


def test_on_cron_is_given_the_name_of_the_schedule(party):
    assert scheduled(party, "*/1 * * * *").text == "ok"
    [event] = party.room("Other", "crons").fetch("/events").json()
    assert event[3] == "every-minute */1 * * * * 1700000000000 hello"


def test_a_schedule_with_two_names_is_both(party):
    assert scheduled(party, "0 0 * * *").text == "ok"
    events = party.room("Other", "crons").fetch("/events").json()
    assert [event[3].split()[0] for event in events] == ["midnight", "also-midnight"]


def test_a_cron_lobby_has_ai_and_vectorize(party):
    assert scheduled(party, "0 0 * * *").text == "ok"
    [event] = party.room("Other", "models").fetch("/events").json()
    assert event[3] == "HELLO 3"


@pytest.mark.log_may_hold("has no name; give it one")
def test_a_schedule_without_a_name_is_an_error_that_says_what_to_do(party):
    assert scheduled(party, "5 5 5 5 5").status_code == 500
    assert "give it one with partykit.entrypoint(crons=...)" in str(party.logs)
