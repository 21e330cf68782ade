"""What a page shows of a file is what stands in the file that runs.

A comment right before a block says what the block is:

    <!-- from: docs/tutorial/2-login/src/worker.py -->   lines of it that follow each other, or all;
                                                         with less indentation if need be
    <!-- whole: docs/tutorial/2-login/src/worker.py -->  all of the file
    <!-- difference: OLD NEW -->                         how a file differs from another one

`PARTY_CODE=write pytest tests/docs/test_code.py` brings blocks of the last two kinds up to date.
"""

import difflib
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "pages").rglob("*.md"))
MARK = re.compile(r"^<!-- (?:from|whole|difference): ", re.MULTILINE)
BLOCK = re.compile(
    r"^<!-- (?P<kind>from|whole|difference): (?P<paths>[^>\n]+) -->\n"
    r"(?P<fence>```\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARKED = [page for page in PAGES if MARK.search(page.read_text())]


def difference(old: str, new: str) -> str:
    """As `diff -U2` has it, without names and numbers of lines."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm="")
    hunks = ["@@" if line.startswith("@@") else line for line in [*lines][2:]]
    return "".join(f"{line}\n" for line in hunks[1:])


def is_part(code: str, text: str) -> bool:
    """Whether code is lines of a text that follow each other, perhaps indented there."""
    for depth in range(0, 13, 4):
        lines = [f"{' ' * depth}{line}" if line else "" for line in code.splitlines()]
        if "\n" + "\n".join(lines) + "\n" in "\n" + text:
            return True
    return False


def up_to_date(block: re.Match[str]) -> str:
    """What a block has to be.

    Raises:
        ValueError: it is not what it says to be part of.
    """
    texts = [(ROOT / path).read_text() for path in block["paths"].split()]
    if block["kind"] == "from":
        [text] = texts
        if not is_part(block["code"], text):
            raise ValueError(f"this does not stand in {block['paths']}:\n{block['code']}")
        return block[0]
    code = difference(*texts) if block["kind"] == "difference" else "".join(texts)
    head, _, _ = block[0].partition("\n")
    return f"{head}\n{block['fence']}\n{code}```"


def problems_of(text: str) -> list[str]:
    found = [*BLOCK.finditer(text)]
    problems = []
    if len(found) != len(MARK.findall(text)):
        problems.append("a mark is not followed by a block")
    for block in found:
        try:
            if up_to_date(block) != block[0]:
                problems.append(f"{block['kind']}: {block['paths']} is another one by now")
        except (OSError, ValueError) as error:
            problems.append(str(error))
    return problems


@pytest.mark.parametrize(
    "page", MARKED, ids=lambda page: str(page.relative_to(ROOT / "docs/pages"))
)
def test_the_blocks_of_a_page_are_what_runs(page):
    if os.environ.get("PARTY_CODE") == "write":
        page.write_text(BLOCK.sub(up_to_date, page.read_text()))
    assert problems_of(page.read_text()) == []


FILE = "tests/chat/__init__.py"
WORKER = "src/partyserver/command/templates/chat/src/worker.py"


def marked(kind, paths, code):
    return f"Text.\n\n<!-- {kind}: {paths} -->\n```python\n{code}```\n"


def test_lines_of_a_file_pass_also_with_less_indentation():
    code = "def on_message(self, connection: Connection, message: str | bytes) -> None:\n"
    code += "    self.broadcast(message, exclude=[connection.id])\n"
    assert problems_of(marked("from", WORKER, code)) == []
    assert problems_of(marked("from", WORKER, (ROOT / WORKER).read_text())) == []


@pytest.mark.parametrize(
    "code",
    [
        "self.broadcast(message)\n",
        "elf.broadcast(message, exclude=[connection.id])\n",  # no whole line
        "class Chat(Server[Env]):\n    def on_connect(\n",  # does not follow
        "def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:\n"
        "connection.send(f'welcome')\n",
    ],
)
def test_what_does_not_stand_in_the_file_is_found(code):
    assert problems_of(marked("from", WORKER, code)) != []


def test_a_whole_file_lacks_no_line():
    text = (ROOT / WORKER).read_text()
    assert problems_of(marked("whole", WORKER, text)) == []
    assert problems_of(marked("whole", WORKER, text.partition("\n")[2])) != []


def test_a_difference_is_the_one_between_the_files():
    added = "".join(f"+{line}\n" for line in (ROOT / WORKER).read_text().splitlines())
    assert problems_of(marked("difference", f"{FILE} {WORKER}", added)) == []
    assert problems_of(marked("difference", f"{WORKER} {FILE}", added)) != []


def test_a_mark_that_marks_nothing_is_found():
    assert problems_of(f"<!-- from: {WORKER} -->\n\n```python\nx = 1\n```\n") != []
    assert problems_of(marked("from", "docs/nowhere.py", "x = 1\n")) != []
