from pathlib import Path

import pytest
from partyserver.testing import Party

TABLES = Path(__file__).parent / "migrations" / "0001_result.sql"


@pytest.fixture(autouse=True)
def _tables(party: Party) -> None:
    party.fetch("/test/run_in_d1", "POST", content="drop table if exists result")
    party.fetch("/test/run_in_d1", "POST", content=TABLES.read_text())


def test_results_of_all_matches_are_in_one_place(party: Party) -> None:
    for name, points in (("first", 2), ("second", 1)):
        with party.room("Match", name).connect() as client:
            for _ in range(points):
                client.send_json({"type": "point", "player": "ann"})
            client.send_json({"type": "end"})
            client.receive_json(until={"type": "ended"})
            client.send_json({"type": "end"})  # again, without harm
            client.receive_json(until={"type": "ended"})
    assert party.fetch("/best").json() == [{"player": "ann", "points": 3}]
