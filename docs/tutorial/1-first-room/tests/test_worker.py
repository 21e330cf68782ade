from partyserver.testing import Party


def test_everyone_else_hears(party: Party) -> None:
    room = party.room("Chat", "lobby")
    with room.connect() as alice, room.connect() as bob:
        assert alice.receive() == "welcome to lobby"
        assert bob.receive() == "welcome to lobby"
        room.hibernate()  # evicted from memory, sockets kept
        alice.send("hi")
        assert bob.receive() == "hi"


def test_rooms_are_apart(party: Party) -> None:
    with (
        party.room("Chat", "lobby").connect() as alice,
        party.room("Chat", "kitchen").connect() as bob,
    ):
        assert alice.receive() == "welcome to lobby"
        assert bob.receive() == "welcome to kitchen"
        alice.send("hi")
        with party.room("Chat", "kitchen").connect() as carol:
            assert carol.receive() == "welcome to kitchen"
            carol.send("hello")
            assert bob.receive() == "hello"


def test_the_page_is_served(party: Party) -> None:
    assert 'src="chat.js"' in party.fetch("/").text
