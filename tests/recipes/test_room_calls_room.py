from partyserver.testing import Party


def test_one_room_takes_from_another(party: Party) -> None:
    party.fetch("/test/add_to_stock", "POST", json=["chair", 1])
    with party.room("Order", "ann").connect() as ann, party.room("Order", "bob").connect() as bob:
        ann.send_json({"type": "take", "item": "chair", "key": "1"})
        assert ann.receive_json() == {"type": "taken", "item": "chair", "left": 0}
        bob.send_json({"type": "take", "item": "chair", "key": "1"})
        assert bob.receive_json() == {"type": "taken", "item": "chair", "left": None}
        ann.send_json(
            {"type": "take", "item": "chair", "key": "1"}
        )  # the same order again, as after a failure
        assert ann.receive_json() == {"type": "taken", "item": "chair", "left": 0}


def test_no_client_gets_to_the_stock(party: Party) -> None:
    assert party.room("Stock", "main").fetch("/").status_code == 404
