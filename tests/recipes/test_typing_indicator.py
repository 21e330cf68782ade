from partyserver.testing import Party


def test_others_see_who_types(party: Party) -> None:
    room = party.room("Chat", "home")
    with room.connect(query={"name": "ann"}) as ann, room.connect(query={"name": "bob"}) as bob:
        ann.receive_json(until={"joins": {"bob": [{"typing": False}]}})
        ann.send_json({"type": "typing", "now": True})
        bob.receive_json(until={"joins": {"ann": [{"typing": True}]}})
        room.hibernate()  # who types is kept with the sockets
        ann.send_json({"type": "say", "text": "hello"})
        bob.receive_json(until={"joins": {"ann": [{"typing": False}]}})
        assert bob.receive_json() == {"type": "said", "by": "ann", "text": "hello"}
        ann.send_json({"type": "typing", "now": True})
    with room.connect(query={"name": "eve"}) as eve:  # who has left types no more
        assert eve.receive_json()["presence"] == {"eve": [{"typing": False}]}
