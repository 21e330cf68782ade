"""Lines of the log as a person reads them. tests/logs has some of a real worker."""

from __future__ import annotations

from partyserver.testing import LogLine


def shown(message: str, level: str) -> str:
    return str(LogLine(level, message, 0.0))


def test_the_level_stands_before_a_line() -> None:
    assert shown("slow", "warn") == "[warn] slow"
    assert shown("printed", "log") == "printed"


def test_a_failure_in_an_entry_of_json_is_shown_in_lines() -> None:
    assert shown('{"a":1,"exception":"b\\nc"}', "error") == '[error] {"a":1}\n  b\n  c'
