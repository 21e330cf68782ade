"""Ranges, against a set of numbers."""

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from partyserver.yjs.ranges import Ranges

at_random = settings(derandomize=True, deadline=None, max_examples=300)
ranges = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda one: (one[0], sum(one)))


def numbers(given) -> set[int]:
    return {number for start, end in given for number in range(start, end)}


@at_random
@given(st.lists(st.lists(ranges, min_size=1, max_size=5), max_size=8))
def test_ranges_are_a_set_of_numbers(batches):
    found, model = Ranges(), set()
    for batch in batches:
        added = numbers(batch)
        assert found.update(batch) == (not added <= model)
        model |= added
        assert numbers(found) == model
        flat = [bound for one in found for bound in one]
        assert flat == sorted(set(flat)), "they do not touch"
        assert len(found) == len(flat) // 2
        assert found.end == max(model, default=-1) + 1
        assert found.run_from_0 == next(n for n in range(100) if n not in model)
        for start in range(0, 60, 3):
            for end in range(start + 1, 60, 4):
                here = set(range(start, end))
                assert found.has(start, end) == (here <= model)
                assert found.touches(start, end) == bool(here & model)
                assert found.bounds(start, end) == [
                    n for n in range(start + 1, end) if (n in model) != (n - 1 in model)
                ]


@at_random
@given(st.lists(ranges, max_size=30))
def test_one_by_one_they_are_the_same(given):
    single, together = Ranges(), Ranges()
    for start, end in given:
        known = numbers(single)
        assert single.add(start, end) == (not numbers([(start, end)]) <= known)
        together.update([(start, end)])
    assert list(single) == list(together)


def test_none_at_all():
    empty = Ranges()
    assert (list(empty), len(empty), empty.end, empty.run_from_0) == ([], 0, 0, 0)
    assert not empty.has(0, 1)
    assert not empty.touches(0, 100)
    assert repr(empty) == "Ranges([])"


def test_a_run_begins_at_0_or_there_is_none():
    found = Ranges()
    found.add(1, 5)
    assert (found.run_from_0, found.end) == (0, 5)
    found.add(0, 1)
    assert (found.run_from_0, repr(found)) == (5, "Ranges([(0, 5)])")


def test_a_hundred_thousand_of_them_take_no_square_of_the_time():
    many = [(3 * n, 3 * n + 1) for n in range(100_000)]
    shuffled = random.Random(1).sample(many, len(many))
    found = Ranges()
    start = time.process_time()
    assert found.update(many)
    assert found.update([(3 * n + 1, 3 * n + 2) for n in range(0, 100_000, 2)])
    assert not found.update(shuffled)
    assert found.update([(0, 300_000)])
    assert list(found) == [(0, 300_000)]
    # Under half a second; one by one it is a thousand times as much.
    assert time.process_time() - start < 10
