"""What the benchmarks make of their figures: ratios, intervals, verdicts."""

import pytest


def test_a_ratio_is_the_median_of_the_rounds_ratios_in_its_interval(bench):
    of, to = [10, 22, 30, 44, 50], [10, 20, 30, 40, 25]
    median, low, high = bench(f"ratios.ratio({of}, {to}).__dict__").values()
    assert median == pytest.approx(1.1)
    assert 1 <= low < median < high <= 2


def test_the_interval_allows_for_processes_that_differ_by_chance(bench):
    of, to = [1.0] * 21 + [1.1] * 21 + [1.3] * 21, [1.0] * 63
    for processes, low, high in ((1, 1.1, 1.1), (3, 1.0, 1.3)):
        found = bench(f"ratios.ratio({of}, {to}, processes={processes}).__dict__")
        assert found == pytest.approx({"median": 1.1, "low": low, "high": high})


@pytest.mark.parametrize(
    ("found", "control", "verdict"),
    [
        ((1.02, 0.98, 1.06), (1.00, 0.97, 1.03), "within noise"),
        ((1.20, 1.15, 1.25), (1.00, 0.97, 1.03), "20.0% slower"),
        ((0.80, 0.75, 0.85), (1.00, 0.97, 1.03), "20.0% faster"),
        # The intervals meet, but neither ratio lies in the other's.
        ((1.08, 1.03, 1.12), (1.00, 0.97, 1.04), "8.0% slower"),
        ((0.92, 0.88, 0.97), (1.00, 0.96, 1.03), "8.0% faster"),
        # One of them does.
        ((1.10, 0.99, 1.21), (1.00, 0.97, 1.03), "within noise"),
        ((1.08, 1.05, 1.12), (1.00, 0.97, 1.09), "within noise"),
        # Apart from 1, but no further than two that are the same are from each other.
        ((1.05, 1.02, 1.08), (1.04, 1.01, 1.07), "within noise"),
        # Likewise when the noise has fallen to the other side.
        ((1.05, 1.04, 1.08), (0.95, 0.93, 0.97), "within noise"),
        ((1.12, 1.10, 1.14), (0.95, 0.93, 0.97), "12.0% slower"),
    ],
)
def test_a_difference_counts_only_beyond_that_of_two_that_are_the_same(
    bench, found, control, verdict
):
    call = f"ratios.difference(ratios.Ratio(*{found}), ratios.Ratio(*{control}))"
    assert bench(call) == verdict


def test_memory_is_larger_or_smaller_and_not_slower_or_faster(bench):
    figures = {"this": [110, 111, 109], "this again": [110, 109, 111], "other": [100, 100, 100]}
    assert bench(f"against.Line('memory', 'KB', None, {figures}).verdict") == "10.0% larger"
    figures["other"] = [220, 220, 220]
    assert bench(f"against.Line('memory', 'KB', None, {figures}).verdict") == "50.0% smaller"
