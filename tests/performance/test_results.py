"""How results of the benchmarks are stored, and what the documentation shows of them."""

import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results" / "results.json"
PAGE = ROOT / "docs" / "pages" / "performance.md"

VALUES = {
    "date": "2026-01-02",
    "works": [
        {"work": "echo", "target": None, "servers": {"a": {"ratio": [1 / 3, 2, True]}, "b": {}}},
        {"work": "room", "target": 1.5, "servers": {"a": {"us": 1e-9 / 3}, "b": {"us": 1e9 / 3}}},
    ],
    "nothing": [],
}


def test_stored_results_come_back_with_their_floats_rounded(bench):
    text = bench(f"compact.dumps({VALUES})")
    stored = json.loads(text)
    assert stored == bench(f"compact.shortened({VALUES})")
    assert stored["works"][0]["servers"]["a"]["ratio"] == [0.3333333, 2, True]
    assert stored["works"][1]["servers"] == {"a": {"us": 3.333333e-10}, "b": {"us": 333333300.0}}
    assert bench(f"compact.dumps({stored})") == text


def test_a_figure_that_changes_is_a_line_that_changes(bench):
    before = bench(f"compact.dumps({VALUES})").splitlines()
    changed = json.loads(json.dumps(VALUES))
    changed["works"][1]["servers"]["b"]["us"] = 7
    after = bench(f"compact.dumps({changed})").splitlines()
    assert len(before) == len(after)
    assert [line for line in after if line not in before] == ['    "b": {"us": 7}']


def test_the_results_in_the_checkout_are_compact(bench):
    text = RESULTS.read_text()
    assert bench(f"compact.dumps(json.loads(open({str(RESULTS)!r}).read()))") == text
    assert text.count("\n") < 1050


def test_the_page_shows_the_results_in_the_checkout(bench, tmp_path):
    page = tmp_path / "performance.md"
    shutil.copy(PAGE, page)
    page.write_text(page.read_text().replace("| echo, plain hook |", "| another |"))
    tables = f"report.tables(json.loads(open({str(RESULTS)!r}).read()))"
    bench(f"report.write_into_page({tables}, report.Path({str(page)!r}))")
    assert page.read_text() == PAGE.read_text()


def test_the_page_has_a_place_for_each_table_and_each_plot(bench):
    results = f"json.loads(open({str(RESULTS)!r}).read())"
    places = re.findall(r"<!-- bench: (.*) -->", PAGE.read_text())
    assert sorted(places) == sorted(bench(f"report.tables({results})"))
    shown = re.findall(r"!\[.*\]\(performance/(.*)\)", PAGE.read_text())
    assert sorted(shown) == sorted(bench(f"report.pictures({results})"))
    assert {file.name for file in PAGE.with_suffix("").iterdir()} == set(shown)


def test_the_results_are_of_rows_that_are_still_measured(bench):
    results = json.loads(RESULTS.read_text())
    for found, title, titles in (
        (results["comparison"], "work", "comparison.titles()"),
        (results["agents"]["rows"], "work", "agents.titles()"),
        (results["documents"]["rows"], "work", "documents.titles()"),
        (results["growth"], "title", "growth.titles()"),
        (results["capacity"]["rooms"], "title", "capacity.titles()"),
    ):
        assert found
        assert {row[title] for row in found} <= set(bench(titles))


def test_the_page_shows_where_the_time_goes_and_the_least_of_all_that_is_above_its_target(bench):
    results = json.loads(RESULTS.read_text())
    above = [
        work["work"]
        for work in results["comparison"]
        if work["target"] is not None and work["servers"]["library"]["ratio"][1] > work["target"]
    ]
    assert above
    assert [title for title in above if title not in results["profiles"]] == []
    assert list(results["profiles"]) == bench("profile.PROFILED")
    assert [title for title in above if title not in results["least"]] == []
    assert list(results["least"]) == bench("least.titles()")


def test_the_least_is_below_no_target_for_certain_as_the_page_says():
    results = json.loads(RESULTS.read_text())
    targets = {work["work"]: work["target"] for work in results["comparison"]}
    below = [
        title
        for title, of in results["least"].items()
        if of["least"]["ratio"][-1] <= targets[title]
    ]
    assert below == []
