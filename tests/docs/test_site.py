"""The documentation builds, has a page for every public name, and needs no other site."""

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import partyserver
import partyserver.testing
import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict"),
            *("--config-file", DOCS / "mkdocs.yml", "--site-dir", folder),
        ],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
        timeout=600,
    )
    return folder


def test_every_public_name_has_a_page_made_from_its_docstring(site):
    reference = site / "reference"
    systems = [
        page.parent
        for folder in ("party*", "asgi", "http")
        for page in reference.glob(f"{folder}/*/index.html")
    ]
    assert len(systems) > 15
    folders = [
        *(reference / name for name in partyserver.__all__),
        *(reference / "testing" / name for name in partyserver.testing.__all__),
        *systems,
    ]
    for folder in folders:
        page = (folder / "index.html").read_text()
        body = page.partition('<div class="doc doc-contents first">')[2]
        bases = r'(?:<p class="doc doc-class-bases">.*?</p>\s*)?'
        assert re.match(rf"\s*{bases}<p>\S", body, re.DOTALL), f"{folder.name} has no docstring"


def test_a_page_has_what_the_readme_says(site):
    page = (site / "getting-started" / "index.html").read_text()
    for text in ("uvx", "new_sqlite_classes", "test_everyone_else_hears"):
        assert text in page
    assert "This stands in" not in page


def test_the_search_has_each_page_by_the_words_of_its_title(site):
    """Its index is made by the build, and searched in the browser."""
    index = json.loads((site / "search" / "search_index.json").read_text())
    titles = {entry["location"]: html.unescape(entry["title"]) for entry in index["docs"]}
    pages = [page for page in (DOCS / "pages").rglob("*.md") if page.name != "README.md"]
    assert len(pages) > 100
    for page in pages:
        path = page.relative_to(DOCS / "pages").with_suffix("").as_posix()
        location = "" if path == "index" else f"{path.removesuffix('index').rstrip('/')}/"
        assert location in titles, f"the search does not find {path}"
        title = re.search(r"^# (.+)$", page.read_text(), re.MULTILINE)[1]
        plain = re.sub(r"`|\[|\]\([^)]*\)", "", title)
        assert re.sub(r"<[^>]+>", "", titles[location]) == plain
    bodies = [entry for entry in index["docs"] if entry["text"].strip()]
    assert len(bodies) > len(pages)


def test_search_finds_each_message_of_troubleshooting_by_an_entry_of_its_own(site):
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = [one["location"] for one in index["docs"] if one["location"].startswith("troubles")]
    page = (DOCS / "pages" / "troubleshooting.md").read_text()
    headings = re.findall(r"^##+ ", page, re.MULTILINE)
    assert len(headings) > 200
    assert sum("#" in one for one in found) == len(headings)
    assert "troubleshooting/#durable-object-reset-because-its-code-was-updated" in found


def test_pages_load_nothing_from_elsewhere(site):
    loads = r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//|@import\s+["(]?http'
    links = r'<link\b(?![^>]*rel="canonical")[^>]*\bhref="(?:https?:)?//'
    for page in site.rglob("*.html"):
        assert not re.search(f"{loads}|{links}", page.read_text()), page
        # The theme's script would ask GitHub's API about the repository for each of these.
        assert 'data-md-component="source"' not in page.read_text(), page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text()), sheet
