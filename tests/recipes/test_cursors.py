from partyserver.testing import Party


def test_cursors_that_move_together_are_sent_together(party: Party) -> None:
    room = party.room("Canvas", "plan")
    with room.connect(id="ann") as ann, room.connect(id="bob") as bob:
        ann.send_json({"type": "move", "x": 1, "y": 2})
        bob.send_json({"type": "move", "x": 0.5, "y": 4})
        seen: dict[str, list[float]] = {}
        while len(seen) < 2:
            seen |= bob.receive_json(until={"type": "cursors"})["moved"]
        assert seen == {"ann": [1, 2], "bob": [0.5, 4]}
        ann.close()
        assert bob.receive_json(until={"type": "gone"})["id"] == "ann"
