from datetime import UTC, datetime, timedelta

from partyserver.testing import Party


def test_players_take_turns_and_who_is_late_loses(party: Party) -> None:
    room = party.room("Duel", "one")
    with room.connect(query={"name": "ann"}) as ann, room.connect(query={"name": "bob"}) as bob:
        assert 0 < bob.receive_json(until={"turn": 0})["left"] <= 30
        bob.send_json({"type": "move", "to": "e5"})
        assert bob.receive_json()["code"] == "turn"
        ann.send_json({"type": "move", "to": "e4"})
        bob.receive_json(until={"moves": ["e4"], "turn": 1})
        room.hibernate()  # the clock goes on
        assert room.run_due(at=datetime.now(UTC) + timedelta(seconds=31)) == 1
        bob.receive_json(until={"winner": "ann", "turn": None})
    with room.connect(query={"name": "eve"}) as eve:  # who comes later watches
        assert eve.receive_json()["players"] == ["ann", "bob"]
