from partyserver.testing import Party


def test_an_announcement_reaches_the_room(party: Party) -> None:
    with party.room("Chat", "lobby").connect() as alice:
        assert alice.receive() == "welcome to lobby"
        answer = party.fetch(
            "/api/rooms/lobby/announcements", method="POST", json={"text": "maintenance at noon"}
        )
        assert answer.json() == {"people": 1}
        assert alice.receive() == "maintenance at noon"


def test_an_empty_announcement_is_refused(party: Party) -> None:
    answer = party.fetch("/api/rooms/lobby/announcements", method="POST", json={"text": ""})
    assert answer.status_code == 422
