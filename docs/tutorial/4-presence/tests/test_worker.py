from partyserver.testing import Party, Socket


def log_in(party: Party, name: str, code: str = "member") -> str:
    """The cookie of somebody who has logged in."""
    answer = party.fetch("/login", method="POST", json={"name": name, "code": code})
    assert answer.status_code == 200, answer.text
    return answer.headers["set-cookie"].partition(";")[0]


def join(party: Party, name: str, room: str = "lobby") -> Socket:
    socket = party.room("Chat", room).connect(headers={"cookie": log_in(party, name)})
    assert socket.receive_json() == {"type": "welcome", "name": name}
    assert name in socket.receive_json()["presence"]
    return socket


def test_everyone_hears_who_has_said_it(party: Party) -> None:
    with join(party, "Ada") as ada, join(party, "Grace") as grace:
        party.room("Chat", "lobby").hibernate()  # evicted from memory, sockets kept
        ada.send_json({"type": "say", "text": "hi"})
        for one in (ada, grace):
            said = one.receive_json(until={"type": "said"})
            assert said == {"type": "said", "name": "Ada", "text": "hi"}


def test_rooms_are_apart(party: Party) -> None:
    with join(party, "Ada") as ada, join(party, "Grace", room="kitchen") as grace:
        ada.send_json({"type": "say", "text": "hi"})
        grace.send_json({"type": "say", "text": "hello"})
        assert grace.receive_json()["text"] == "hello"


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
