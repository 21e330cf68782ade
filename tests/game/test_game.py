"""The game of fixtures/game, by its protocol."""

from datetime import UTC, datetime, timedelta

import pytest

KEY = "a key that nobody guesses: "


@pytest.fixture
def room(party):
    return party.room("Game", "table")


class Player:
    def __init__(self, room, name):
        self.socket = room.connect(query={"key": KEY + name})
        self.name = name
        self.you = self.socket.receive_json(until={"type": "welcome"})["you"]
        self.board = self.next_board()

    def next_board(self, **expected):
        self.board = self.socket.receive_json(until={"type": "board", **expected})
        return self.board

    def send(self, **event):
        self.socket.send_json(event)

    def sits(self):
        self.send(type="sit", name=self.name)
        return self.next_board()

    def moves(self, *cells):
        for cell in cells:
            self.send(type="move", cell=cell)

    def is_told(self, text):
        return self.socket.receive_json(until={"type": "error"})["error"] == text


@pytest.fixture
def ada(room):
    return Player(room, "Ada")


@pytest.fixture
def grace(room, ada):
    grace = Player(room, "Grace")
    ada.sits()
    grace.next_board()
    grace.sits()
    ada.next_board(turn="x")
    return grace


def play(ada, grace, cells):
    """Both put their marks, in turns, and see each move."""
    for number, cell in enumerate(cells):
        [ada, grace][number % 2].moves(cell)
        for player in (ada, grace):
            player.next_board()
            assert player.board["cells"][cell] == "xo"[number % 2]


def test_a_game_is_won_and_played_again_with_the_marks_swapped(ada, grace):
    assert ada.board["players"] == {
        "x": {"you": ada.you, "name": "Ada"},
        "o": {"you": grace.you, "name": "Grace"},
    }
    play(ada, grace, [0, 3, 1, 4, 2])
    assert (ada.board["winner"], ada.board["line"], ada.board["turn"]) == ("x", [0, 1, 2], None)
    assert ada.board["left"] is None
    grace.send(type="again")
    assert ada.next_board()["players"]["x"]["name"] == "Grace"
    assert (ada.board["cells"], ada.board["turn"]) == ("." * 9, "x")


def test_a_full_board_is_a_draw(ada, grace):
    play(ada, grace, [0, 1, 2, 4, 3, 5, 7, 6, 8])
    assert (ada.board["winner"], ada.board["line"]) == ("draw", [])


def test_turns_and_cells_are_checked(room, ada, grace):
    grace.moves(0)
    assert grace.is_told("It is not your turn.")
    ada.moves(0)
    grace.next_board()
    grace.moves(0)
    assert grace.is_told("That cell is taken.")
    grace.moves(9)
    assert "$.cell" in grace.socket.receive_json(until={"type": "error"})["error"]
    grace.send(type="again")
    assert grace.is_told("The game is not over.")
    alan = Player(room, "Alan")
    assert alan.board["cells"] == "x" + "." * 8
    alan.moves(1)
    assert alan.is_told("You are watching.")
    alan.send(type="sit", name="Alan")
    assert alan.is_told("Both seats are taken. You can watch.")
    grace.moves(4)
    assert alan.next_board()["cells"] == "x...o...."


def test_who_comes_back_goes_on_with_the_running_game(room, ada, grace):
    ada.moves(4)
    grace.next_board()
    room.hibernate()
    ada.socket.drop()
    back = Player(room, "Ada")
    assert back.you == ada.you
    assert back.board["cells"] == "....x...."
    grace.moves(0)
    assert back.next_board()["turn"] == "x"
    back.moves(8)
    assert grace.next_board(turn="o")["cells"] == "o...x...x"


def test_the_clock_ends_the_game(room, ada, grace):
    ada.moves(4)
    assert 0 < grace.next_board()["left"] <= 30
    # Of the move before nothing is left.
    assert room.run_due(at=datetime.now(UTC) + timedelta(seconds=31)) == 1
    for player in (ada, grace):
        assert player.next_board(winner="x")["turn"] is None


def test_a_move_in_time_stops_the_clock(room, ada, grace):
    play(ada, grace, [0, 3, 1, 4, 2])
    assert room.run_due(at=datetime.now(UTC) + timedelta(hours=1)) == 0


def test_a_seat_of_somebody_who_left_is_free(room, ada):
    ada.sits()
    ada.socket.close()
    grace, alan = Player(room, "Grace"), Player(room, "Alan")
    assert grace.sits()["players"] == {"x": {"you": grace.you, "name": "Grace"}}
    alan.next_board()
    assert alan.sits()["players"]["o"]["name"] == "Alan"


@pytest.mark.parametrize("query", [{}, {"key": "short"}, {"key": "x" * 65}])
def test_a_key_can_not_be_guessed(room, query):
    with room.connect(query=query) as socket:
        assert "`key`" in socket.receive_json()["error"]
        socket.wait_closed()
        assert socket.close_code == 1008


def test_who_plays_is_told_and_not_the_key(room, ada, grace):
    assert KEY not in str(grace.board)
    state = ada.socket.receive_json(
        until={"type": "presence_diff", "joins": {grace.you: [{"name": "Grace"}]}}
    )
    assert KEY not in str(state)
