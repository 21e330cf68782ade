"""The hosts of the benchmark serve the same rooms, and the page shows what was measured of them."""

import json
import os
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "bench" / "results" / "results.json"

#: The others take up to a minute each: for a start-up snapshot, or for wrangler.
in_a_soak = pytest.mark.skipif(not os.environ.get("SOAK"), reason="SOAK=1 has all hosts")


@pytest.mark.parametrize(
    "host",
    ["serve", "fastapi", *(pytest.param(n, marks=in_a_soak) for n in ("owner", "relayed", "dev"))],
)
def test_a_host_echoes_delivers_and_writes(bench, host):
    if host == "fastapi":
        pytest.importorskip("uvicorn", reason="the benchmark's packages have it")
    assert len(bench(f"guard.hosted({host!r})")) == 5


@in_a_soak
def test_a_room_on_another_node_than_it_should_be_is_refused(bench):
    refused = bench("guard.misplaced()")
    assert ["not on the node" in text for text in refused] == [True] * 5


def test_figures_are_medians_and_their_ratios_to_serve(bench):
    figures = (
        "hosting.Figures('echoes', 'a second', of={'serve': [10, 20, 40], 'dev': [5, 10, 20]}),"
        "hosting.Figures(hosting.STARTS, 'seconds', of={'serve': [2, 2, 2]}),"
        "hosting.Figures(hosting.BARE_STARTS, 'seconds', of={'serve': [8, 8, 8]}),"
    )
    found = bench(f"hosting.values([{figures}], 2.5)")
    assert found["hosts"] == ["serve", "owner", "relayed", "dev", "fastapi"]
    echoes, starts, bare = [row["figures"] for row in found["rows"]]
    assert echoes == [[20, 1, 1, 1], None, None, [10, 0.5, 0.5, 0.5], None]
    assert starts[0] == [2, 1, 1, 1]
    assert bare[0] == [8, 4, 4, 4]  # as a multiple of the start from the snapshot


def test_a_rate_is_on_the_clock(bench):
    # 20 us of CPU for each, of a server that is busy for a half of the time.
    assert bench("hosting.rates_of(hosting.Samples([20], [0.5], [0.1]))") == [25_000]


def test_a_cell_has_a_ratio_where_it_is_not_serves_own(bench):
    assert bench("report._hosted([8231.7, 1, 1, 1], 'a second')") == "8,230"
    assert bench("report._hosted([2**21, 0.5, 0.4, 0.6], 'bytes')") == "2 MB, 0.50 (0.40-0.60)"
    assert bench("report._hosted([1.25, 2, 1.9, 2.1], 'seconds')") == "1.2 s, 2.00 (1.90-2.10)"
    assert bench("report._hosted(None, 'seconds')") == ""


def test_the_results_are_of_rows_that_are_still_measured(bench):
    found = json.loads(RESULTS.read_text())["hosting"]
    assert {row["title"] for row in found.get("rows", [])} <= set(bench("hosting.titles()"))
