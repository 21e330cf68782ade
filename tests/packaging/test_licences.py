"""The page of licences has every package that a new project brings along."""

import importlib.util
import json
import re
import tomllib

import pytest
from partyserver.command.init import TEMPLATES, files_of

#: What neither asks for sources nor for more than a notice. MPL-2.0 is per file, and what has it
#: runs on the developer's machine only.
FREE = {
    *("MIT", "MIT-0", "ISC", "ISC License", "0BSD", "BSD", "BSD-2-Clause", "BSD-3-Clause"),
    *("Apache-2.0", "PSF-2.0", "CC0-1.0", "MPL-2.0"),
}


@pytest.fixture(scope="module")
def licences(root):
    spec = importlib.util.spec_from_file_location("licences", root / "tools/licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(licences):
    return licences.page()


def test_the_page_is_what_the_packages_say(licences, page):
    assert licences.PAGE.read_text() == page, "run .venv/bin/python tools/licences.py"


def test_all_that_the_templates_name_is_there(page):
    listed = set(re.findall(r"^\| (\S+) \|", page, re.MULTILINE)) | {"pyright"}
    assert len(listed) > 100
    for template in TEMPLATES:
        files = files_of(template, "my-app")
        package = json.loads(files["package.json"])
        assert {*package.get("dependencies", {}), *package["devDependencies"]} <= listed
        project = tomllib.loads(files["pyproject.toml"])
        lines = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
        python = {re.split(r"[=\[<>]", one)[0] for one in lines}
        assert "partyserver" in python
        assert python - {"partyserver"} <= listed


def test_what_is_deployed_asks_for_a_notice_at_most(page):
    deployed, _, on_the_machine = page.partition("\n## On your machine\n")
    for text, allowed in ((deployed, FREE - {"MPL-2.0"}), (on_the_machine, FREE)):
        rows = re.findall(r"^\| (\S+) \| \S+ \| (.+) \|$", text, re.MULTILINE)[1:]
        assert len(rows) > 30
        for name, licence in rows:
            if licence != "Licence":
                assert set(licence.split(" OR ")) & allowed, f"{name}: {licence}"
