import pytest
from partyserver.load.schedule import Backoff, Schedule, opening


def test_messages_are_due_at_even_distances_of_each_connection_in_turn():
    dues = [list(due) for due in Schedule(3, rate=2, duration=3).due()]
    assert sorted(dues) == [[0.0, 1.5], [0.5, 2.0], [1.0, 2.5]]


def test_more_connections_than_messages():
    dues = [list(due) for due in Schedule(5, rate=1, duration=2).due()]
    assert sorted(dues) == [[], [], [], [0.0], [1.0]]


def test_the_seed_decides_who_is_when():
    def order(seed):
        return [next(due) for due in Schedule(50, rate=50, duration=1, seed=seed).due()]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize(
    ("rate", "duration", "count"), [(10, 1, 10), (0.1, 30, 3), (0.3, 10, 3), (2, 0.6, 2)]
)
def test_how_many_messages_are_due(rate, duration, count):
    assert Schedule(2, rate, duration).count() == count


def test_how_many_were_due_until_an_interruption():
    schedule = Schedule(2, rate=10, duration=3)
    assert [schedule.count(seconds) for seconds in (0, 0.05, 1, 9)] == [0, 1, 10, 30]


def test_connections_open_evenly():
    assert [opening(connection, 4, 2.0) for connection in range(4)] == [0.0, 0.5, 1.0, 1.5]


def test_pauses_grow_as_those_of_partysocket():
    pauses = [Backoff().pause(attempt) for attempt in (1, 2, 3, 5, 6)]
    assert pauses == pytest.approx([3, 3.9, 5.07, 8.5683, 10])
    assert Backoff().pause(10**6) == 10


def test_a_connection_that_was_open_for_long_begins_again():
    backoff = Backoff()
    assert [backoff.next_attempt(4, seconds) for seconds in (0, 4.9, 5)] == [5, 5, 1]
