"""What the pages promise, and do not show a test of."""

from __future__ import annotations

import pytest
from partyserver.testing import Party

from .test_webhooks import headers

# The development server says so of a body that nobody has read.
unread = pytest.mark.log_may_hold("Can't read from request stream after response has been sent")


@unread
def test_a_webhook_that_is_too_large_is_not_read(party: Party) -> None:
    body = bytes(256 * 1024 + 1)
    room = party.room("Repository", "main")
    assert room.fetch("/", "POST", content=body, headers=headers(body)).status_code == 413


def test_a_webhook_that_is_no_event_does_not_count_as_had(party: Party) -> None:
    room = party.room("Repository", "main")
    nothing = headers(b"[]")
    assert room.fetch("/", "POST", content=b"[]", headers=nothing).status_code == 400
    body = b'{"action": "opened"}'
    nameless = headers(body) | {"x-github-delivery": ""}
    assert room.fetch("/", "POST", content=body, headers=nameless).status_code == 400
    assert room.fetch("/", "POST", content=body, headers=headers(body)).text == "thank you"


@unread
def test_a_file_that_is_too_large_or_no_picture_is_not_read(party: Party) -> None:
    room = party.room("Album", "summer")
    for kind, size, status in (("image/png", 5_000_001, 413), ("text/html", 8, 415)):
        answer = room.fetch("/", "POST", content=bytes(size), headers={"content-type": kind})
        assert answer.status_code == status
    assert room.fetch("/").json() == []
