import pytest
from partyserver.testing import Party


@pytest.mark.no_party_chaos  # an eviction refills the rate
def test_a_flood_is_slowed_down(party: Party) -> None:
    with party.room("Wall", "home").connect() as client:
        for number in range(50):
            client.send(str(number))
        assert client.receive_json(until={"code": "rate"})["error"] == "slow down"


def test_one_address_asks_only_so_often(party: Party) -> None:
    room = party.room("Wall", "home")
    statuses = {room.fetch("/").status_code for _ in range(41)}  # 20 a minute
    assert 429 in statuses
