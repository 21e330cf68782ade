from datetime import UTC, datetime, timedelta

from partyserver.testing import Party


def test_people_are_counted_over_rooms(party: Party) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    north, south = party.room("Hall", "north"), party.room("Hall", "south")
    with north.connect(), north.connect(), south.connect():
        north.run_due(at=soon)
        south.run_due(at=soon)
        assert party.fetch("/people").json() == {"people": 3}
    north.run_due(at=soon)
    assert party.fetch("/people").json() == {"people": 1}
