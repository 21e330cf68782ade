"""An entry of the log, as a person reads it."""

from __future__ import annotations

import json

import pytest
from partyserver.testing.readable import readable


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["partyserver", "structlog"])
def test_the_exception_of_a_json_object_is_shown_in_lines(separators: tuple[str, str]) -> None:
    said = 'File "a.py", line 1\n  x = "\\n", \x1b[2J'
    fields = {"level": "ERROR", "message": "}", "exception": said, "size": 1}
    message = json.dumps(fields, separators=separators)
    first, *rest = readable(message).splitlines()
    del fields["exception"]
    assert first == json.dumps(fields, separators=separators)
    assert rest == ['  File "a.py", line 1', '    x = "\\n", \\u001b[2J']


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
    assert readable(message) == message
