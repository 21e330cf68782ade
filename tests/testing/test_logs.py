"""Lines of the log as a person reads them. tests/logs has some of a real worker."""

from __future__ import annotations

import json

import pytest
from partyserver.testing import LogLine


def shown(message: str, level: str = "error") -> str:
    return str(LogLine(level, message, 0.0))


def test_the_level_stands_before_a_line() -> None:
    assert shown("slow", "warn") == "[warn] slow"
    assert shown("printed", "log") == "printed"


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["partyserver", "structlog"])
def test_the_exception_of_a_json_object_is_shown_in_lines(separators: tuple[str, str]) -> None:
    said = 'File "a.py", line 1\n  x = "\\n", \x1b[2J'
    fields = {"level": "ERROR", "message": "}", "exception": said, "size": 1}
    message = json.dumps(fields, separators=separators)
    first, *rest = shown(message).splitlines()
    del fields["exception"]
    assert first == f"[error] {json.dumps(fields, separators=separators)}"
    assert rest == ['  File "a.py", line 1', '    x = "\\n", \\u001b[2J']
    assert LogLine("error", message, 0.0).message == message


@pytest.mark.parametrize(
    "message",
    [
        '{"message":"a"}',
        '{"message":"a","exception":null}',
        '{"message":"a","of":{"b":1,"exception":"c"}}',
        '{"message":",\\"exception\\":\\"c\\""}',
        '{not JSON,"exception":"c"}',
        'a,"exception":"c"',
        '{"a":' + "[" * 100_000 + ',"exception":"c"}',
    ],
)
def test_other_lines_stay_as_they_are(message: str) -> None:
    assert shown(message, "log") == message
