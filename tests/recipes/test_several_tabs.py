from contextlib import ExitStack

from partyserver.testing import Party


def test_tabs_of_one_person_share_what_is_theirs(party: Party) -> None:
    room = party.room("Desk", "home")
    ann, bob = {"name": "ann"}, {"name": "bob"}
    with room.connect(query=ann) as first, room.connect(query=bob) as other:
        with room.connect(query=ann) as second:
            second.receive_json(until={"type": "draft", "text": ""})
            room.hibernate()
            first.send_json({"type": "draft", "text": "dear"})
            assert second.receive_json() == {"type": "draft", "text": "dear"}
        with room.connect(query=ann) as third:
            third.receive_json(until={"type": "draft", "text": "dear"})
            other.receive_json(until={"type": "people", "count": 2})  # and not three
    with room.connect(query=bob) as other:
        other.receive_json(until={"type": "draft", "text": ""})  # ann's is not bob's


def test_a_person_has_five_tabs(party: Party) -> None:
    room = party.room("Desk", "home")
    with ExitStack() as tabs:
        for _ in range(5):
            tab = tabs.enter_context(room.connect(query={"name": "ann"}))
            tab.receive_json(until={"type": "draft"})
        sixth = tabs.enter_context(room.connect(query={"name": "ann"}))
        assert sixth.receive_json()["code"] == "tabs"
