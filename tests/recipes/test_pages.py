"""The pages of docs/pages/recipes show what runs here, whole, and all of it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
INDEX = ROOT / "docs" / "pages" / "recipes" / "index.md"
PAGES = sorted(set(INDEX.parent.glob("*.md")) - {INDEX})
SHOWN = re.compile(r"^<!-- whole: (\S+) -->\n+```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
OF_A_WORKER = re.compile(r"/worker/\w+(?<!_for_tests)\.py$")
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n", re.MULTILINE)
#: What one page links to, and does not show.
LINKED = HERE / "test_llm.py"
#: For pages of one worker only, whose others have them as secrets.
ELSEWHERE = {"vars": {"OPENAI_BASE_URL": "https://api.openai.com/v1", "OPENAI_MODEL": "gpt-5-mini"}}

of_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@of_each_page
def test_a_pages_code_is_what_runs(page: Path) -> None:
    text = page.read_text()
    shown = SHOWN.findall(text)
    assert len(shown) >= len(PYTHON.findall(text)) >= 1
    for path, code in shown:
        assert (ROOT / path).read_text() == code, path


def test_all_that_runs_is_shown() -> None:
    texts = "".join(page.read_text() for page in PAGES)
    shown = {ROOT / path for path, _ in SHOWN.findall(texts)}
    assert LINKED.name in texts
    ours = {HERE / "worker" / "main.py", LINKED, HERE / "test_more.py", Path(__file__)}
    assert {*HERE.glob("worker/*.py"), *HERE.glob("test_*.py")} - ours <= shown


@of_each_page
def test_a_pages_config_is_the_tested_workers(page: Path) -> None:
    config = tomllib.loads((HERE / "wrangler.toml").read_text())
    blocks = TOML.findall(page.read_text())
    assert blocks
    for block in blocks:
        part = tomllib.loads(block)
        assert part == ELSEWHERE or has(config, part), block


def has(whole: Any, part: Any) -> bool:
    """Whether there is each key of a table, and each item of a list."""
    if isinstance(part, dict):
        return all(key in whole and has(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return all(any(has(one, item) for one in whole) for item in part)
    return whole == part


@of_each_page
def test_a_pages_config_has_all_that_its_worker_uses(page: Path) -> None:
    text = page.read_text()
    config = "".join(TOML.findall(text))
    [worker] = [code for path, code in SHOWN.findall(text) if OF_A_WORKER.search(path)]
    classes = re.findall(r"^class (\w+)\((?:\w+, )*Server\b", worker, re.MULTILINE)
    assert classes
    for name in classes:
        assert f'name = "{name}"\nclass_name = "{name}"' in config
    assert f"new_sqlite_classes = {json.dumps(classes)}" in config
    for name in re.findall(r"self\.env\.([A-Z]+)\b", worker):  # bindings of other kinds
        assert f'"{name}"' in config


def test_the_table_and_the_menu_have_all_pages() -> None:
    table = re.findall(r"^\| \[.+?\]\((.+?)\)", INDEX.read_text(), re.MULTILINE)
    menu = re.findall(r"- recipes/(\S+)", (ROOT / "docs" / "mkdocs.yml").read_text())
    assert sorted(table) == [page.name for page in PAGES]
    assert menu == ["index.md", *table]
