import hmac
from typing import Any

from partyserver.testing import Party

BODY = b'{"action": "opened"}'


def headers(body: bytes, secret: str = "a-secret-of-the-tests") -> dict[str, Any]:
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    return {
        "x-hub-signature-256": f"sha256={signature}",
        "x-github-delivery": "1",
        "x-github-event": "issues",
    }


def test_what_is_signed_reaches_the_room_once(party: Party) -> None:
    room = party.room("Repository", "main")
    with room.connect() as page:
        assert room.fetch("/", "POST", content=BODY, headers=headers(BODY)).text == "thank you"
        assert page.receive_json() == {"type": "webhook", "kind": "issues", "action": "opened"}
        again = room.fetch("/", "POST", content=BODY, headers=headers(BODY))
        assert again.text == "had it already"


def test_what_is_not_signed_is_refused(party: Party) -> None:
    room = party.room("Repository", "main")
    for wrong in ({}, headers(BODY, secret="a guess"), headers(b"another body")):
        assert room.fetch("/", "POST", content=BODY, headers=wrong).status_code == 401
    assert room.fetch("/").status_code == 405
