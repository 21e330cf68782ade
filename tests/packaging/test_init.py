"""A project of `partyserver init`, made from the wheel in an empty folder, as its user has it."""

import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from partyserver.testing import Party
from playwright.sync_api import expect

from ..chromium import OpenPage, browser, open_page
from ..command.test_dev import Dev
from .conftest import BUNDLE, ROOT, equip

__all__ = ["browser", "open_page"]

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module", params=["chat", "fastapi"])
def project(request, run, distributions, tmp_path_factory):
    """The project with what `uv sync`, `npm install` and `pywrangler sync` bring."""
    tool = tmp_path_factory.mktemp("uvx")
    equip(tool, run, distributions)
    folder = tmp_path_factory.mktemp("empty")
    run(tool / ".venv/bin/partyserver", "init", "my-app", "--template", request.param, cwd=folder)
    project = folder / "my-app"
    equip(project, run, distributions)
    if request.param == "fastapi":
        shutil.copytree(
            ROOT / "fixtures/fastapi/python_modules",
            project / "python_modules",
            ignore=lambda _, names: {"partyserver", "workers", "asgi.py"} & {*names},
            dirs_exist_ok=True,
        )
    return project


#: For what FastAPI changes nothing of.
once = pytest.mark.parametrize("project", ["chat"], indirect=True)


@pytest.fixture
def party_config(project):
    return project / "wrangler.toml"


@pytest.fixture
def python(project):
    return project / ".venv/bin/python"


@pytest.mark.parametrize("chaos", [[], ["--party-chaos"]], ids=["calm", "chaos"])
def test_its_tests_pass(project, run, python, chaos):
    bundle = f"party_pyodide_bundle={BUNDLE}"
    done = run(python, "-m", "pytest", "-o", bundle, *chaos, cwd=project)
    count = len(
        re.findall("^def test_", "".join(p.read_text() for p in project.glob("tests/*.py")), re.M)
    )
    assert f"{count} passed" in done.stdout
    assert count >= 3


def test_its_types_are_strict(project, run, python):
    """Pyright finds the environment by itself, as it does in an editor."""
    assert "strict = true" in (project / "pyproject.toml").read_text()
    more = project / "src/more.py"
    more.write_text(ANSWERING)
    try:
        run(sys.executable, "-m", "mypy", "--python-executable", python, cwd=project)
        run("pyright", cwd=project)
        more.write_text(ANSWERING.replace("Request)", "int)"))
        wrong = run("pyright", cwd=project, check=False)
        assert 'Cannot access attribute "method" for class "int"' in wrong.stdout
    finally:
        more.unlink()


#: What a room of the guides does, and no template.
ANSWERING = """
from partyserver import Server
from workers import Request, Response


class Answering(Server):
    async def on_request(self, request: Request) -> Response:
        if request.method == "POST":
            return Response("sent")
        return Response.from_json({"here": [one.id for one in self.get_connections()]})
"""


def test_what_it_uploads_is_the_worker_and_its_packages(project, run, tmp_path):
    done = run("wrangler", "deploy", "--dry-run", "--outdir", tmp_path, cwd=project)
    uploaded = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    own = {name for name in uploaded if not name.startswith("python_modules/")}
    assert own - {"README.md"} == {path.name for path in project.glob("src/*.py")}
    outside = ("python_modules/partyserver/command/", "python_modules/partyserver/testing/")
    assert not any(name.startswith(outside) or name.endswith(".pyc") for name in uploaded)
    size = sum((tmp_path / name).stat().st_size for name in uploaded)
    # The library and the SDK. FastAPI brings Pydantic, of which 5 MB are WebAssembly.
    assert size < (1_000_000 if own == {"worker.py", "README.md"} else 15_000_000)
    [total] = re.findall(r"Total Upload: .* gzip: ([\d.]+) KiB", done.stdout)
    assert float(total) < 3 * 1024


def test_the_doctor_finds_nothing(project, run):
    done = run(project / ".venv/bin/partyserver", "doctor", cwd=project)
    assert done.stdout.startswith("Nothing would fail: ")


@once
def test_its_check_finds_a_mistake(project, run):
    worker = project / "src/worker.py"
    before = worker.read_text()
    worker.write_text(f"{before}\nfail\n")
    try:
        done = run("wrangler", "deploy", "--dry-run", cwd=project, check=False)
    finally:
        worker.write_text(before)
    assert done.returncode != 0
    assert "NameError: name 'fail' is not defined" in done.stdout + done.stderr


@once
def test_it_builds_where_the_library_is_not_installed(project, run, tmp_path):
    """As in a build that runs wrangler alone."""
    shutil.copytree(project / "src", tmp_path / "src")
    for name in ("public", "python_modules", "node_modules"):
        (tmp_path / name).symlink_to(project / name)
    shutil.copy(project / "wrangler.toml", tmp_path)
    run("wrangler", "deploy", "--dry-run", cwd=tmp_path)


@once
def test_pywrangler_deploys_it_and_runs_it(project, run, tmp_path):
    """Once packages are vendored, which would need the network, it is wrangler with few words."""
    pywrangler = Path(sys.executable).with_name("pywrangler")
    for folder in ("python_modules", ".venv-workers"):
        (project / folder).mkdir(exist_ok=True)
        (project / folder / ".synced").write_text(version("workers-py"))
    done = run(pywrangler, "deploy", "--dry-run", "--outdir", tmp_path, cwd=project)
    assert "env.Chat" in done.stdout
    assert (tmp_path / "worker.py").is_file()
    dev = Dev(project, pywrangler)
    try:
        dev.wait_until_it_answers((project / "public/chat.js").read_text(), "/chat.js")
    finally:
        dev.end()


def test_people_meet_on_its_page(party: Party, open_page: OpenPage) -> None:
    ada, grace = open_page("/?room=engine"), open_page("/?room=engine", **PHONE)
    elsewhere = open_page("/")
    for page in (ada, grace):
        expect(page.get_by_role("status")).to_have_text("In the room engine")
        expect(page.get_by_role("listitem")).to_have_text(["welcome to engine"])
    expect(elsewhere.get_by_role("listitem")).to_have_text(["welcome to lobby"])

    party.room("Chat", "engine").hibernate()
    markup = "<img src=x onerror=\"document.title='hacked'\">"
    ada.get_by_label("Message", exact=True).fill(markup)
    ada.keyboard.press("Enter")
    for page in (ada, grace):
        expect(page.get_by_role("listitem").last).to_have_text(markup)
        expect(page).to_have_title("my-app")
    expect(ada.locator("li.own")).to_have_count(1)
    expect(grace.locator("li.own")).to_have_count(0)
    expect(ada.get_by_label("Message", exact=True)).to_have_value("")

    grace.get_by_label("Message", exact=True).fill("w" * 300)
    grace.get_by_role("button", name="Send").click()
    expect(ada.get_by_role("listitem")).to_have_count(3)
    assert grace.evaluate("document.documentElement.scrollWidth") == 390
    expect(elsewhere.get_by_role("listitem")).to_have_count(1)


@once
def test_its_page_connects_again(party: Party, open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.get_by_role("status")).to_have_text("In the room lobby")
    party.restart()
    expect(page.get_by_role("listitem")).to_have_text(["welcome to lobby"] * 2)
    expect(page.get_by_role("status")).to_have_text("In the room lobby")
