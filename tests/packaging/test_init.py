"""A project of `partyserver init`, made from the wheel in an empty folder, as its user has it."""

import functools
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from partyserver.testing import Party
from playwright.sync_api import Page, expect

from ..chromium import OpenPage, browser, open_page
from ..command.test_dev import running
from .conftest import BUNDLE, ROOT, equip

__all__ = ["browser", "open_page"]

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def made(run, distributions, tmp_path_factory):
    """Makes a template's project once, with what uv, npm and pywrangler bring."""

    @functools.cache
    def make(template):
        tool = tmp_path_factory.mktemp("uvx")
        equip(tool, run, distributions)
        folder = tmp_path_factory.mktemp("empty")
        run(tool / ".venv/bin/partyserver", "init", "my-app", "--template", template, cwd=folder)
        project = folder / "my-app"
        equip(project, run, distributions)
        if template in ("fastapi", "agent"):
            shutil.copytree(
                ROOT / "fixtures" / template / "python_modules",
                project / "python_modules",
                ignore=lambda _, names: {"partyserver", "workers", "asgi.py"} & {*names},
                dirs_exist_ok=True,
            )
        return project

    return make


@pytest.fixture(params=["chat", "fastapi", "agent", "yjs"])
def project(request, made):
    return made(request.param)


#: For what the other templates change nothing of.
once = pytest.mark.parametrize("project", ["chat"], indirect=True)
#: For what has to do with the page.
rooms = pytest.mark.parametrize("project", ["chat", "fastapi"], indirect=True)
assistant = pytest.mark.parametrize("project", ["agent"], indirect=True)
notes = pytest.mark.parametrize("project", ["yjs"], indirect=True)
#: Where npm's packages are bundled: the page, its bundle's size, and a class of the worker.
bundled = pytest.mark.parametrize(
    ("project", "page", "size", "room"),
    [("agent", "assistant.tsx", 400_000, "Assistant"), ("yjs", "notes.js", 700_000, "Notes")],
    indirect=["project"],
)


@pytest.fixture
def party_config(project):
    return project / "wrangler.toml"


@pytest.fixture
def python(project):
    return project / ".venv/bin/python"


@pytest.mark.parametrize(
    ("project", "chaos"),
    [
        ("chat", []),
        # What passes with evictions passes without: they come on top.
        *((name, ["--party-chaos"]) for name in ("chat", "fastapi", "agent", "yjs")),
    ],
    indirect=["project"],
    ids=["chat-calm", "chat-chaos", "fastapi-chaos", "agent-chaos", "yjs-chaos"],
)
def test_its_tests_pass(project, run, python, chaos):
    bundle = f"party_pyodide_bundle={BUNDLE}"
    # A key that is for `dev` alone: the tests ask no real model.
    secrets = project / ".dev.vars"
    secrets.write_text("OPENAI_API_KEY=no-key\n")
    try:
        done = run(python, "-m", "pytest", "-o", bundle, *chaos, cwd=project)
    finally:
        secrets.unlink()  # what comes after this asks none, either
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
    finally:
        more.unlink()


@once
def test_an_editor_shows_a_wrong_type(project, run):
    wrong = project / "src/wrong.py"
    wrong.write_text(ANSWERING.replace("Request)", "int)"))
    try:
        done = run("pyright", cwd=project, check=False)
    finally:
        wrong.unlink()
    assert 'Cannot access attribute "method" for class "int"' in done.stdout


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
    modules = {path.name for path in project.glob("src/*.py")}
    assert own - {"README.md"} == modules
    names = ("command", "hosting", "load", "project", "testing")
    outside = tuple(f"python_modules/partyserver/{name}/" for name in names)
    assert not any(name.startswith(outside) or name.endswith(".pyc") for name in uploaded)
    size = sum((tmp_path / name).stat().st_size for name in uploaded)
    # The library, of which agents and documents are 180 KB, and the SDK. FastAPI brings Pydantic,
    # of which 5 MB are WebAssembly; the assistant has msgspec, of which 400 KB are.
    kinds = {"models.py": 2_000_000, "website.py": 15_000_000}
    assert size < next((most for name, most in kinds.items() if name in modules), 1_050_000)
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
    with running(project, pywrangler) as dev:
        dev.wait_until_it_answers((project / "public/chat.js").read_text(), "/chat.js")


@assistant
def test_the_assistants_page_is_typed(project, run):
    run("tsc", cwd=project)
    page = project / "page/assistant.tsx"
    before = page.read_text()
    page.write_text(before.replace("AssistantState>({", "AssistantState>({ agnt: 1,"))
    try:
        assert "'agnt' does not exist" in run("tsc", cwd=project, check=False).stdout
    finally:
        page.write_text(before)


@bundled
def test_a_page_that_cannot_be_bundled_fails_the_build(project, run, page, size, room):
    page = project / "page" / page
    before = page.read_text()
    page.write_text(f"{before}\nimport './nowhere';\n")
    try:
        done = run("wrangler", "deploy", "--dry-run", cwd=project, check=False)
    finally:
        page.write_text(before)
    assert done.returncode != 0
    assert 'Could not resolve "./nowhere"' in done.stdout + done.stderr


@bundled
def test_pywrangler_bundles_the_page_and_runs_it(project, run, tmp_path, page, size, room):
    pywrangler = Path(sys.executable).with_name("pywrangler")
    for folder in ("python_modules", ".venv-workers"):
        (project / folder).mkdir(exist_ok=True)
        (project / folder / ".synced").write_text(version("workers-py"))
    bundle = (project / "public" / page).with_suffix(".js")
    bundle.unlink(missing_ok=True)
    done = run(pywrangler, "deploy", "--dry-run", "--outdir", tmp_path, cwd=project)
    assert f"env.{room}" in done.stdout
    assert (tmp_path / "worker.py").is_file()
    text = bundle.read_text()
    assert len(text) < size
    bundle.unlink()
    with running(project, pywrangler) as dev:
        dev.wait_until_it_answers(text, f"/{bundle.name}")


@assistant
def test_somebody_asks_on_the_assistants_page(party: Party, open_page: OpenPage) -> None:
    name = "a-conversation-of-the-tests"
    page, phone = open_page(f"/?chat={name}"), open_page(f"/?chat={name}", **PHONE)
    expect(page).to_have_title("my-app")
    for one in (page, phone):
        expect(one.get_by_role("status")).to_have_text("Connected")
    page.get_by_label("Question").fill("Remind me in 2 hours to stretch")
    page.keyboard.press("Enter")
    for one in (page, phone):
        expect(one.locator("li.assistant:not(.answering)")).to_contain_text("in 2 hours: stretch")
        expect(one.get_by_role("button", name="Cancel: stretch")).to_be_visible()
    party.room("Assistant", name).hibernate()
    assert party.room("Assistant", name).run_due(at=datetime.now(UTC) + timedelta(hours=3)) == 1
    for one in (page, phone):
        expect(one.locator("li.reminder .text")).to_have_text("stretch")


@notes
def test_people_write_a_note_and_read_it(party: Party, open_page: OpenPage) -> None:
    def introduced(link: str, name: str, **options: Any) -> Page:
        page = open_page(link, **options)
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#status")).to_have_text("Connected")
        return page

    ada = introduced("/", "Ada")
    link = ada.url.removeprefix(party.url)
    grace = introduced(link, "Grace", **PHONE)
    ada.get_by_role("textbox", name="Note", exact=True).click()
    ada.keyboard.type("To buy: milk")
    expect(grace.locator("#editor .cm-content")).to_contain_text("To buy: milk")
    expect(grace.locator("#people li")).to_have_count(2)
    party.room("Notes", link.removeprefix("/#").split(".")[0]).hibernate()
    grace.locator("#editor .cm-content").click()
    grace.keyboard.press("Control+End")
    grace.keyboard.type(", tea")
    expect(ada.locator("#editor .cm-content")).to_contain_text("To buy: milk, tea")

    ada.get_by_role("button", name="Share").click()
    reading = ada.get_by_label("To read only").input_value().removeprefix(party.url)
    reader = introduced(reading, "Rea")
    expect(reader.get_by_text("Read only", exact=True)).to_be_visible()
    expect(reader.locator("#editor .cm-content")).to_have_attribute("contenteditable", "false")


@rooms
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
