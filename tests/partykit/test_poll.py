"""The poll of fixtures/partykit: its protocol."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "partykit"
LUNCH = {"question": "Lunch?", "options": ["Pizza", "Sushi"], "minutes": 5}


@pytest.fixture
def party_config():
    return FIXTURE / "wrangler.toml"


@pytest.fixture
def create(party):
    def create(id="lunch", **poll):
        return party.fetch(f"/party/{id}", method="POST", json=LUNCH | poll)

    return create


@pytest.fixture
def vote(party):
    """Connect a voter, and take what the poll tells first."""

    def connect(voter, id="lunch"):
        socket = party.connect(f"/party/{id}", query={"_pk": voter})
        assert socket.receive_json()["type"] == "poll"
        return socket

    return connect


# The platform's remark on a body that the room does not read.
@pytest.mark.log_may_hold("Can't read from request stream after response has been sent")
def test_a_poll_is_created_once(party, create):
    assert party.fetch("/party/lunch").status_code == 404
    created = create()
    assert created.status_code == 201
    assert created.json()["votes"] == [0, 0]
    assert create(question="Dinner?").status_code == 409
    assert party.fetch("/party/lunch").json() == created.json()
    assert party.fetch("/parties/directory/all").json() == {"lunch": "Lunch?"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": " "},
        {"question": "x" * 201},
        {"options": ["one"]},
        {"options": ["same", "same "]},
        {"options": ["one", "x" * 81]},
        {"options": "ab"},
        {"minutes": 0},
        {"minutes": "5"},
    ],
)
def test_a_poll_that_is_none_is_a_400_that_says_why(create, party, wrong):
    response = create(**wrong)
    assert response.status_code == 400
    assert response.json()["error"].endswith(".")
    assert party.fetch("/party/lunch").status_code == 404


def test_votes_are_counted_and_told_to_all(party, create, vote):
    create()
    room = party.room("Poll", "lunch")
    with vote("ada") as ada, vote("grace") as grace:
        ada.send_json({"type": "vote", "option": 1})
        for socket, mine in ((ada, 1), (grace, None)):
            heard = socket.receive_json()
            assert (heard["votes"], heard["mine"]) == ([0, 1], mine)
        room.hibernate()
        grace.send_json({"type": "vote", "option": 1})
        assert [ada.receive_json()["votes"], grace.receive_json()["votes"]] == [[0, 2]] * 2
        room.hibernate()
        ada.send_json({"type": "vote", "option": 0})  # changes her vote
        assert ada.receive_json()["votes"] == [1, 1]
    party.restart()
    assert party.fetch("/party/lunch").json()["votes"] == [1, 1]


@pytest.mark.parametrize(
    "message",
    ['{"type":"vote","option":2}', '{"type":"vote","option":true}', "{}", "no JSON", "[" * 3000],
)
def test_what_is_no_vote_is_told_to_its_sender(create, vote, message):
    create()
    with vote("ada") as ada:
        ada.send(message)
        assert ada.receive_json()["type"] == "error"


def test_a_poll_closes_at_its_time(party, create, vote):
    closes_at = datetime.fromtimestamp(create().json()["closes_at"] / 1000, UTC)
    create("dinner", minutes=60)
    room = party.room("Poll", "lunch")
    with vote("ada") as ada:
        assert room.run_due(at=closes_at - timedelta(milliseconds=1)) == 0
        assert not party.fetch("/party/lunch").json()["closed"]
        room.hibernate()
        assert room.run_due(at=closes_at) == 1
        assert ada.receive_json()["closed"]
        ada.send_json({"type": "vote", "option": 0})
        assert ada.receive_json() == {"type": "error", "text": "This poll is closed."}
    assert party.fetch("/parties/directory/all").json() == {"dinner": "Lunch?"}
    assert room.run_due(at=closes_at + timedelta(days=1)) == 0


def test_from_outside_nobody_changes_the_directory(party, create):
    create()
    for method in ("PUT", "POST", "DELETE"):
        assert party.fetch("/parties/directory/all/lunch", method=method).status_code == 405
    assert party.fetch("/parties/directory/all").json() == {"lunch": "Lunch?"}


def test_there_is_no_way_into_a_poll_that_does_not_exist(party):
    socket = party.connect("/party/nothing")
    socket.wait_closed()
    assert (socket.close_code, socket.close_reason) == (4404, "There is no such poll.")
