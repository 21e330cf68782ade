"""The pages, and the blocks of code in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pages"
#: Made of docstrings: test_reference.py.
REFERENCE = FOLDER / "reference"
TEMPLATES = ROOT / "src/partyserver/command/templates"

#: What stands in the repository beside the documentation.
PAPERS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    ROOT / "bench/README.md",
    *sorted(ROOT.glob("fixtures/*/README.md")),
]
PAGES = [page for page in sorted(FOLDER.rglob("*.md")) if not page.is_relative_to(REFERENCE)]
#: They are read in a project that was made of a template.
READMES = sorted(TEMPLATES.glob("*/README.md"))

FENCE = re.compile(
    r"(?:^<!-- (?P<origin>from|whole|difference): [^>\n]+ -->\n)?"
    r"(?:^<!-- (?P<marker>around the example|unchecked example):(?P<around>(?:(?!-->).)*)-->\n+)?"
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    page: Path
    #: Of the block's first line, in the page.
    line: int
    language: str
    code: str
    #: What stands around it in a comment before it, with a line EXAMPLE for the block.
    around: str
    #: How it comes from a file that runs, which test_code.py holds it to; empty for others.
    origin: str
    #: Why it is not checked; empty for all but a few.
    unchecked: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in FENCE.finditer(text):
        indent = found["indent"]
        code = "".join(line.removeprefix(indent) for line in found["code"].splitlines(True))
        is_unchecked = found["marker"] == "unchecked example"
        content = (found["around"] or "").strip()
        yield Block(
            page,
            text.count("\n", 0, found.start("code")) + 1,
            found["language"].split(" ")[0],
            code,
            "" if is_unchecked else content,
            found["origin"] or "",
            content if is_unchecked else "",
        )


BLOCKS = [block for page in (*PAPERS, *PAGES, *READMES) for block in blocks_of(page)]


def those(*languages: str) -> list[Block]:
    return [one for one in BLOCKS if one.language in languages and not one.unchecked]
