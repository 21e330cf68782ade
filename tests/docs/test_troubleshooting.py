"""The page of messages has those that the code has, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .messages import entries, shown, texts, told

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pages" / "troubleshooting.md").read_text()
ENTRIES = entries(PAGE)

#: What stands below a message that is not the library's own.
SOURCE = re.compile(
    r"Source: (workerd|wrangler|browsers|Python|SQLite|the platform|\[the platform)"
)
CLOSE_CODE = re.compile(r"\d{4}")
OURS = [
    one for one in ENTRIES if not SOURCE.search(one.below) and not CLOSE_CODE.match(one.message)
]
FROM_WORKERD = [one.message for one in ENTRIES if "Source: workerd" in one.below]
SEEN = [one.message for one in ENTRIES if "Seen in tests" in one.below]

#: By file, or by message, what users do not need an entry for.
_MALFORMED = (
    "why a frame is malformed: told behind `a malformed frame of connection ... is dropped`"
)
FILES_LEFT_OUT = {
    "yjs/awareness.py": _MALFORMED,
    "yjs/coding.py": _MALFORMED,
    "yjs/frames.py": _MALFORMED,
    "yjs/structs.py": _MALFORMED,
    "yjs/updates.py": _MALFORMED,
    "testing/keeping.py": "why no runtime is kept for the next run: nothing fails by it",
    "http/pools.py": "urllib3's own words, for programs that look for them",
    "hosting/capnp.py": "a mistake of the library's own",
}
LEFT_OUT = {
    "module {} has no attribute {}": "Python's own words",
    "No module named {}": "Python's own words",
    "{} object has no attribute {}": "Python's own words",
    "timed out": "Python's own words for a TimeoutError",
    "{} partyserver: {}": "workerd's lines, and below them a message that has an entry",
    "it is no text of at most {} bytes": "a part of `the request's identity cannot be read`",
    "it is no JSON object": "a part of `the request's identity cannot be read`",
    "transaction": "the query that a SQLError names",
    "be tracked": "a part of `connection ... is closed and cannot ...`",
    "the storage key": "a part of `... is over the platform's limit of ... bytes`",
    "the stored value of": "a part of `... is over the platform's limit of ... bytes`",
}


def test_each_message_of_the_page_is_one_of_the_code():
    assert len(OURS) > 400
    unknown = [one.message for one in OURS if shown(one.message) not in texts()]
    assert not unknown, "the code has no such message (any more)"


def test_each_message_of_the_code_has_an_entry_or_a_reason():
    assert len(told()) > 400
    has = {shown(one.message) for one in ENTRIES}
    missing = [
        f"{one.file}:{one.line}: {one.text}"
        for one in told()
        if one.text not in has | {*LEFT_OUT} and one.file not in FILES_LEFT_OUT
    ]
    assert not missing, "give them entries in docs/pages/troubleshooting.md, or a reason here"


def test_nothing_is_left_out_that_is_not_there():
    messages = {one.text for one in told()}
    assert {*LEFT_OUT} <= messages
    assert {*FILES_LEFT_OUT} <= {one.file for one in told()}
    assert not {*LEFT_OUT} & {shown(one.message) for one in ENTRIES}


def test_each_message_stands_there_once():
    messages = [shown(one.message) for one in ENTRIES]
    assert len(messages) == len({*messages}), sorted({m for m in messages if messages.count(m) > 1})


def test_what_workerd_says_is_in_workerd():
    [program] = (ROOT / "node_modules" / "@cloudflare").glob("workerd-*/bin/workerd")
    binary = program.read_bytes()
    assert len(FROM_WORKERD) > 10
    for message in FROM_WORKERD:
        parts = [part for part in re.split(r"\{\w+\}", message) if part.strip()]
        assert all(part.encode() in binary for part in parts), message


def test_what_wrangler_says_is_in_wrangler():
    [message] = [one.message for one in ENTRIES if "Source: wrangler" in one.below]
    assert (
        message in (ROOT / "node_modules" / "miniflare" / "dist" / "src" / "index.js").read_text()
    )


@pytest.mark.parametrize("message", SEEN)
def test_what_is_said_to_be_seen_in_tests_is(message):
    tests = [path for path in ROOT.glob("tests/*/test_*.py") if path.parent.name != "docs"]
    parts = [part for part in re.split(r"\{\w+\}|'", message) if part.strip()]
    wanted = re.compile(r"\b" + re.escape(max(parts, key=len).strip()[:36]))
    assert any(wanted.search(path.read_text()) for path in tests)
