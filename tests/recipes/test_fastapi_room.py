from partyserver.testing import Party


def test_a_vote_over_http_reaches_all_who_are_connected(party: Party) -> None:
    room = party.room("Poll", "lunch")
    with room.connect() as page:
        assert page.receive_json() == {"type": "votes", "votes": {}}
        answer = room.fetch("/votes", "POST", json={"voter": "ann", "choice": "pizza"})
        assert (answer.status_code, answer.json()) == (201, {"pizza": 1})
        assert page.receive_json() == {"type": "votes", "votes": {"pizza": 1}}
        assert room.fetch("/votes", "POST", json={"voter": "ann"}).status_code == 422
        assert room.fetch("/votes").json() == {"pizza": 1}
