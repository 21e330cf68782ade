"""`logging` in a worker that has asked for nothing: each record comes with its level."""

from __future__ import annotations

import pytest


@pytest.fixture
def check(party):
    """What the check returns; its records are in the log."""
    return lambda: party.fetch("/check/logging").json()


def test_records_come_with_their_levels(party, check):
    check()
    last = party.logs.wait_for("level 50")
    told = [(line.message, line.level) for line in party.logs if ":level " in line.message]
    assert (last.level, told) == (
        "error",
        [
            ("INFO:root:level 20", "info"),  # and not 10
            ("Level 25:root:level 25", "info"),
            ("WARNING:root:level 30", "warn"),
            ("ERROR:root:level 40", "error"),
            ("CRITICAL:root:level 50", "error"),
        ],
    )
    line = party.logs.wait_for("of a logger")
    assert (line.level, line.message) == ("info", "of a logger")


@pytest.mark.once("nothing of it depends on rooms")
def test_the_default_level_gives_way_and_a_chosen_one_stays(party):
    assert party.fetch("/check/root_level").json() == {
        "nothing": "INFO",
        "a line": "INFO",
        "a line that is not shown": "INFO",
        "basicConfig": "WARNING",
        "a level": "ERROR",
        "a handler": "WARNING",
    }


def test_a_traceback_is_one_entry(party, check):
    check()
    failed = party.logs.wait_for("failed here")
    assert failed.level == "error"
    assert failed.message.startswith("ERROR:root:failed here\nTraceback (most recent call last):\n")
    assert failed.message.endswith("ZeroDivisionError: of the check")


def test_a_handler_of_ones_own_keeps_its_format_and_gets_the_levels(party, check):
    kept = check()["elsewhere"]
    for stream in ("stderr", "stdout"):
        line = party.logs.wait_for(f"{stream}: INFO own")
        assert (line.message, line.level) == (f"{stream}: INFO own", "info")
    assert kept == "elsewhere: INFO own\n"
    assert "elsewhere:" not in party.logs


def test_what_cannot_be_formatted_fails_nothing(party, check):
    check()
    assert party.logs.wait_for("--- Logging error ---").level == "error"


def test_partyserver_logs_costs_nothing_where_it_is_not_imported(check):
    """Nothing of it is loaded, and what receives messages is what it is without it."""
    assert check()["loaded"] == []
    assert check()["is wrapped"] is False
