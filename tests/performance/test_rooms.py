"""The rooms of the benchmark do their work, and the search for what they hold finds it."""

import pytest


def test_the_real_work_of_a_room_gives_the_same_replies_in_all_variants(bench):
    done = bench("guard.replies()")
    assert "a chat message: into SQL, to 10" in done
    assert len(done) >= 12


@pytest.mark.alone
def test_rooms_that_are_filled_deliver_all_that_comes(bench):
    for room, servers in bench("guard.held()").items():
        assert servers == {"npm_capacity": True, "capacity": True}, room


@pytest.mark.parametrize(
    ("power", "busy", "limit"), [(1, 0.85, "CPU"), (2, 0.85, "CPU"), (1, 0.3, "latency")]
)
def test_the_most_that_a_room_holds_is_found_from_any_beginning(bench, power, busy, limit):
    how = f"power={power}, busy={busy}, limit={limit!r}"
    for most in (1, 400, 90_000):
        guesses = [most, most * 3, max(1, most // 20)]
        for amount, ended_by in bench(f"guard.found({most}, {guesses}, {how})"):
            assert most / 1.15 <= amount <= most
            assert ended_by == limit
