import hmac

import pytest
from partyserver.testing import Party

KEY = hmac.new(b"another-secret-of-the-tests", b"board/plans", "sha256").hexdigest()[:32]


def test_guests_read_and_holders_of_the_link_write(party: Party) -> None:
    room = party.room("Board", "plans")
    with room.connect() as guest, room.connect(query={"key": KEY}) as editor:
        assert guest.receive_json()["edit"] is False
        assert editor.receive_json()["edit"] is True
        editor.send("a plan")
        assert guest.receive_json() == {"type": "text", "text": "a plan"}
        guest.send("mine")
        assert guest.receive_json()["code"] == "read-only"
    assert room.fetch("/").json() == {"text": "a plan"}
    assert room.fetch("/", "DELETE").status_code == 403


@pytest.mark.parametrize(("room", "key"), [("plans", "guessed"), ("others", KEY)])
def test_a_wrong_link_opens_nothing(party: Party, room: str, key: str) -> None:
    with party.room("Board", room).connect(query={"key": key}) as client:
        assert client.receive_json()["code"] == "link"
        client.wait_closed()
