"""Every link of every page and paper leads somewhere in a checkout. The site checks its own."""

import re

import pytest

from .pages import FOLDER, PAGES, PAPERS, REFERENCE, ROOT

LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#]*)(?:#([^)]+))?\)")
MARK = re.compile(
    r"^<!-- (README|bench): ([^\n]+) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL
)
#: What is around a block, where it comes from, or what it is.
OTHER_MARKS = re.compile(
    r"<!-- (around the example:|unchecked example:|(from|whole|difference): "
    r"|[\w./-]+\.\w+(: \w+)? -->|in a method|vitest)"
)


def prose(page):
    """A page without its blocks of code, and without code in its lines."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]+`", "`code`", text)


def anchors(page):
    """The anchors that GitHub makes of headings: those of the site have the same names."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    headings = [re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", one) for one in headings]
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize(
    "paper",
    [*PAPERS, *PAGES, *sorted(REFERENCE.rglob("*.md"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_papers_links_lead_somewhere(paper):
    for file, anchor in LINK.findall(prose(paper)):
        target = paper.parent / file if file else paper
        assert target.exists(), f"there is no {file}"
        assert not anchor or anchor in anchors(target), f"{target.name} has no heading #{anchor}"


def test_what_a_page_has_of_the_readme_is_what_stands_there():
    readme = (ROOT / "README.md").read_text()
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", readme, re.M | re.S))
    taken = 0
    for page in PAGES:
        for kind, name, text in MARK.findall(page.read_text()):
            if kind == "README":
                assert text.strip() == sections[name].strip(), f"{page.name}: {name}"
                taken += 1
    assert taken


def test_no_mark_of_a_page_is_empty_or_of_a_kind_that_is_filled_elsewhere():
    for page in PAGES:
        text = page.read_text()
        for _, name, content in MARK.findall(text):
            assert content.strip(), f"{page.relative_to(FOLDER)}: {name} is empty"
        rest = re.sub(r"^```.*?^```$", "", MARK.sub("", text), flags=re.MULTILINE | re.DOTALL)
        for comment in re.findall(r"<!-- (?:.|\n)*?-->", rest):
            assert OTHER_MARKS.match(comment), f"{page.relative_to(FOLDER)}: {comment}"
