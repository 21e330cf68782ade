from datetime import UTC, datetime, timedelta

from partyserver.testing import Party


def test_the_lobby_lists_the_games_that_have_players(party: Party) -> None:
    in_a_minute = datetime.now(UTC) + timedelta(seconds=90)
    with party.room("Rooms", "all").connect() as lobby:
        assert lobby.receive_json() == {"type": "rooms", "rooms": []}
        chess = party.room("Game", "chess")
        with chess.connect(), chess.connect():
            lobby.receive_json(until={"rooms": [{"name": "chess", "players": 2}]})
            assert chess.run_due(at=in_a_minute) == 1  # it says again that it is there
            lobby.receive_json(until={"rooms": [{"name": "chess", "players": 2}]})
        lobby.receive_json(until={"rooms": []})
        assert chess.run_due(at=in_a_minute + timedelta(days=1)) == 0  # and then no more
