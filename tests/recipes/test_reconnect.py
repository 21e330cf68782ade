from partyserver.testing import Party


def test_who_comes_back_gets_what_was_missed(party: Party) -> None:
    room = party.room("Feed", "news")
    with room.connect() as writer:
        with room.connect(query={"since": "0"}) as reader:
            writer.send("one")
            last = reader.receive_json(until={"type": "event"})["seq"]
        writer.send("two")  # while the reader is away
        assert writer.receive_json(until={"data": {"text": "two"}})
        room.hibernate()
        with room.connect(query={"since": str(last)}) as reader:
            assert reader.receive_json() == {"type": "event", "seq": 2, "data": {"text": "two"}}
