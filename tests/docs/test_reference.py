"""The pages of the reference in the checkout are what the docstrings say."""

from __future__ import annotations

import ast
import importlib.util
import re

import pytest
import yaml

from .pages import REFERENCE, ROOT

spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


@pytest.fixture(scope="module")
def made():
    return reference.pages()


def test_the_pages_are_those_of_the_docstrings(made):
    there = {
        path.relative_to(REFERENCE).as_posix(): path.read_text() for path in REFERENCE.rglob("*.md")
    }
    stale = {name for name in there.keys() | made.keys() if there.get(name) != made.get(name)}
    assert not stale, f"run `make reference`, and commit what it writes: {sorted(stale)}"


def test_a_page_has_the_signature_and_the_docstring_of_its_name(made):
    page = made["get_server_by_name.md"]
    assert "from partyserver import get_server_by_name\n" in page
    assert "async def get_server_by_name(" in page
    assert "A stub of the room called `name`" in page
    assert "- `location_hint`" in page
    assert "**Raises:**" in page


def test_a_class_has_its_members_and_those_of_bases_without_a_page(made):
    server = re.findall(r"^## (.+)$", made["Server.md"], re.MULTILINE)
    assert {"on_message", "broadcast", "kv", "name"} <= set(server)  # the first is of a base
    agent = made["agents/Agent.md"]
    assert "[`Server`](../Server.md)" in agent
    assert "## on_message\n" not in agent


def test_each_name_says_what_it_is(made):
    for name in made:
        assert re.search(r"\n```\n\n\S", made[name]) or name == "index.md", name
    rows = re.findall(r"^\| \[`.+`\]\((.+)\) \| (\S.*) \|$", made["index.md"], re.MULTILINE)
    assert {file for file, _ in rows} == made.keys() - {"index.md"}


def test_signatures_are_python(made):
    for name, text in made.items():
        for code in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            try:
                ast.parse(code)
            except SyntaxError as error:
                pytest.fail(f"{name}: {error}\n{code}")


def test_the_menu_has_each_page_of_the_reference(made):
    text = re.sub(r"!!\w\S*", "", (ROOT / "docs/mkdocs.yml").read_text())
    nav = str(yaml.safe_load(text)["nav"])
    for name in made:
        assert f"'reference/{name}'" in nav, name
