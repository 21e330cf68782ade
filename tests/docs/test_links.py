"""The links of the papers that stand outside of the site, whose build checks its own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md")),
    *sorted(ROOT.glob("fixtures/*/README.md")),
]
PAGES = sorted((ROOT / "docs" / "pages").rglob("*.md"))
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)")


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_papers_links_lead_somewhere(paper):
    for file, anchor in LINK.findall(paper.read_text()):
        target = paper.parent / file if file else paper
        assert target.exists(), f"there is no {file}"
        assert not anchor or anchor in anchors(target), f"{target.name} has no heading #{anchor}"


def test_what_a_page_has_of_the_readme_is_linked_for_those_who_read_it_without_the_site():
    taken = 0
    for page in PAGES:
        lines = iter(page.read_text().splitlines())
        for line in lines:
            if line.startswith("<!-- README: "):
                [(file, anchor)] = LINK.findall(next(lines))
                assert page.parent.joinpath(file).resolve() == ROOT / "README.md"
                assert anchor == line.removeprefix("<!-- README: ")[:-4].lower().replace(" ", "-")
                assert anchor in anchors(ROOT / "README.md")
                taken += 1
    assert taken
