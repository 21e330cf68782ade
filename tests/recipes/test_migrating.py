from partyserver.testing import Party


def test_notes_of_the_first_version_are_notes_of_this_one(party: Party) -> None:
    room = party.room("Notes", "home")
    party.fetch("/test/write_version_1", "POST", json=["milk", "tea"])
    room.evict()  # as a deployment does
    milk, tea = {"id": 1, "text": "milk", "done": 0}, {"id": 2, "text": "tea", "done": 0}
    assert room.fetch("/").json() == [milk, tea]
    room.evict()
    assert room.fetch("/").json() == [milk, tea]  # moved once
    with room.connect() as page:
        page.send_json({"type": "done", "id": 1})
        assert page.receive_json() == [milk | {"done": 1}, tea]
