from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from partyserver.testing import Party, Socket


def log_in(party: Party, name: str, code: str = "member") -> str:
    """The cookie of somebody who has logged in."""
    answer = party.fetch("/login", method="POST", json={"name": name, "code": code})
    assert answer.status_code == 200, answer.text
    return answer.headers["set-cookie"].partition(";")[0]


def join(party: Party, name: str, code: str = "member", room: str = "lobby") -> Socket:
    socket = party.room("Chat", room).connect(headers={"cookie": log_in(party, name, code)})
    welcome = socket.receive_json(until={"type": "welcome"})
    assert welcome == {"type": "welcome", "name": name, "moderator": code == "moderator"}
    assert name in socket.receive_json(until={"type": "presence_state"})["presence"]
    return socket


def said(socket: Socket) -> dict[str, Any]:
    """The next message of somebody, with its number."""
    event: dict[str, Any] = socket.receive_json(until={"type": "event", "data": {"type": "said"}})
    return {"seq": event["seq"], "name": event["data"]["name"], "text": event["data"]["text"]}


def notice(socket: Socket) -> str:
    event = socket.receive_json(until={"type": "event", "data": {"type": "notice"}})
    text: str = event["data"]["text"]
    return text


def test_everyone_hears_who_has_said_it(party: Party) -> None:
    with join(party, "Ada") as ada, join(party, "Grace") as grace:
        party.room("Chat", "lobby").hibernate()  # evicted from memory, sockets kept
        ada.send_json({"type": "say", "text": "hi"})
        for one in (ada, grace):
            assert said(one) == {"seq": 1, "name": "Ada", "text": "hi"}


def test_rooms_are_apart(party: Party) -> None:
    with join(party, "Ada") as ada, join(party, "Grace", room="kitchen") as grace:
        ada.send_json({"type": "say", "text": "hi"})
        grace.send_json({"type": "say", "text": "hello"})
        assert said(grace)["text"] == "hello"


def test_who_is_back_gets_what_came_meanwhile(party: Party) -> None:
    room = party.room("Chat", "lobby")
    with join(party, "Ada") as ada:
        with join(party, "Grace") as grace:
            ada.send_json({"type": "say", "text": "heard"})
            last = said(grace)["seq"]
        ada.send_json({"type": "say", "text": "missed"})
        said(ada)
        said(ada)
        cookie = log_in(party, "Grace")
        with room.connect(headers={"cookie": cookie}, query={"since": str(last)}) as grace:
            assert said(grace) == {"seq": 2, "name": "Ada", "text": "missed"}
            assert grace.receive_json()["type"] == "welcome"


def test_the_history_outlives_a_deployment(party: Party) -> None:
    room = party.room("Chat", "lobby")
    with join(party, "Ada") as ada:
        ada.send_json({"type": "say", "text": "hi"})
        said(ada)
    room.evict()  # as a deployment does it
    with room.connect(headers={"cookie": log_in(party, "Grace")}, query={"since": "0"}) as grace:
        assert said(grace) == {"seq": 1, "name": "Ada", "text": "hi"}


def test_everyone_sees_who_comes_and_goes(party: Party) -> None:
    with join(party, "Ada") as ada:
        with join(party, "Grace"):
            assert ada.receive_json()["joins"] == {"Grace": [None]}
        assert ada.receive_json()["leaves"] == ["Grace"]


def test_somebody_with_two_tabs_leaves_once(party: Party) -> None:
    with join(party, "Ada") as ada:
        with join(party, "Grace"):
            with join(party, "Grace"):
                pass
            assert ada.receive_json()["joins"] == {"Grace": [None]}
            assert ada.receive_json()["joins"] == {"Grace": [None, None]}
            assert ada.receive_json()["joins"] == {"Grace": [None]}
        assert ada.receive_json()["leaves"] == ["Grace"]


def test_the_sender_is_told_what_is_wrong(party: Party) -> None:
    with join(party, "Ada") as ada:
        ada.send_json({"type": "say", "text": ""})
        assert ada.receive_json() == {
            "type": "error",
            "error": "$.text: Expected `str` of length >= 1",
            "event": "say",
        }


def test_a_reminder_wakes_the_room(party: Party) -> None:
    room = party.room("Chat", "lobby")
    with join(party, "Ada") as ada:
        ada.send_json({"type": "remind", "minutes": 5, "text": "Tea is ready"})
        assert notice(ada) == "Ada has set a reminder, 5 min from now"
        room.hibernate()
        assert room.run_due(at=datetime.now(UTC) + timedelta(minutes=4)) == 0
        assert room.run_due(at=datetime.now(UTC) + timedelta(minutes=6)) == 1
        assert notice(ada) == "Reminder from Ada: Tea is ready"


def test_who_comes_later_sees_the_topic(party: Party) -> None:
    room = party.room("Chat", "lobby")
    with join(party, "Ada", code="moderator") as ada:
        ada.send_json({"type": "topic", "text": "The engine"})
        assert ada.receive_json() == {"type": "topic", "text": "The engine"}
        with room.connect(headers={"cookie": log_in(party, "Grace")}) as grace:
            assert grace.receive_json(until={"type": "topic"})["text"] == "The engine"


def test_who_is_kicked_has_to_leave_and_may_come_back(party: Party) -> None:
    with join(party, "Ada", code="moderator") as ada, join(party, "Eve") as eve:
        ada.send_json({"type": "kick", "name": "Eve"})
        assert eve.receive_json(until={"type": "error"})["code"] == "removed"
        eve.wait_closed()
        assert (eve.close_code, eve.close_reason) == (4403, "You were removed from this room.")
        assert ada.receive_json(until={"type": "presence_diff", "leaves": ["Eve"]})
        with join(party, "Eve"):
            assert "Eve" in ada.receive_json(until={"type": "presence_diff"})["joins"]


def test_who_is_banned_stays_away(party: Party) -> None:
    with join(party, "Ada", code="moderator") as ada, join(party, "Eve") as eve:
        ada.send_json({"type": "ban", "name": "Eve"})
        eve.wait_closed()
    room = party.room("Chat", "lobby")
    room.evict()
    with join(party, "Eve", room="kitchen"):
        pass  # each room has its own list
    with room.connect(headers={"cookie": log_in(party, "Eve")}) as eve:
        assert eve.receive_json()["code"] == "banned"
        eve.wait_closed()


def test_only_moderators_moderate(party: Party) -> None:
    with join(party, "Ada") as ada, join(party, "Eve") as eve:
        for wish in ("kick", "ban"):
            eve.send_json({"type": wish, "name": "Ada"})
            assert eve.receive_json(until={"type": "error"})["code"] == "moderators"
        ada.send_json({"type": "say", "text": "still here"})
        assert said(eve)["text"] == "still here"


@pytest.mark.no_party_chaos  # an eviction refills the rate
def test_a_flood_is_slowed_down(party: Party) -> None:
    with join(party, "Eve") as eve:
        for _ in range(50):
            eve.send_json({"type": "say", "text": "spam"})
        assert eve.receive_json(until={"type": "error"})["code"] == "rate"


def test_a_wrong_code_is_refused(party: Party) -> None:
    answer = party.fetch("/login", method="POST", json={"name": "Eve", "code": "guessed"})
    assert answer.status_code == 401
    assert answer.json() == {"error": "That is not the code."}
    assert "set-cookie" not in answer.headers


def test_nobody_comes_in_without_a_login(party: Party) -> None:
    room = party.room("Chat", "lobby")
    for cookie in ("", "session=made.up.token"):
        with room.connect(headers={"cookie": cookie}) as stranger:
            assert stranger.receive_json()["code"] == "login"
            stranger.wait_closed()
            assert stranger.close_code == 1008
    assert room.fetch("/").status_code == 401


def test_pages_of_other_sites_cannot_connect(party: Party) -> None:
    answer = party.fetch(
        "/parties/chat/lobby",
        headers={
            "cookie": log_in(party, "Ada"),
            "origin": "https://elsewhere.example",
            "upgrade": "websocket",
        },
    )
    assert answer.status_code == 403
