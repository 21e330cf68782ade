"""Each step of the tutorial: its own tests pass, and people see on its page what the text says.

`make pictures` makes the pictures of the pages anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from partyserver.command import init
from partyserver.testing import Party
from playwright.sync_api import Page, expect

from .. import progress
from .conftest import PAGES, ROOT, STATES, Make, OpenPage, picture

STEPS = sorted(path.name for path in STATES.iterdir() if path.is_dir())
Scene = Callable[[Party, OpenPage], None]

#: The last one has the code of the one before.
RUNNING = STEPS[:-1]
CHAOS = "8-chaos"

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def module_of(project: Path) -> ModuleType:
    path = project / "tests/test_worker.py"
    spec = spec_from_file_location(f"tutorial_{project.name}", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Person:
    """Someone in front of a page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name

    def log_in(self, code: str = "member") -> Person:
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_label("Code").fill(code)
        self.page.get_by_role("button", name="Log in").click()
        if code != "wrong":
            expect(self.page.get_by_role("status")).to_have_text("Connected")
        return self

    def write(self, text: str) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def sees(self, *texts: str) -> None:
        expect(self.page.locator("#messages .message p")).to_have_text(list(texts))

    def sees_people(self, *names: str) -> None:
        people = self.page.get_by_role("list", name="Here now").get_by_role("listitem")
        expect(people.locator("span")).to_have_text(list(names))

    def sees_notice(self, text: str) -> None:
        expect(self.page.locator("#messages .notice").last).to_have_text(text)

    def sees_error(self, text: str) -> None:
        expect(self.page.locator("[role=alert]")).to_have_text(text)


TALK = [
    ("Ada", "Is the engine ready?"),
    ("Grace", "Almost. It still prints the last number twice."),
    ("Ada", "That is my mistake: the loop runs once too often."),
    ("Grace", "Found it, thank you."),
]


def talk(*people: Person) -> None:
    """Each waits for the other, and all see all of it."""
    texts = []
    for name, text in TALK:
        next(person for person in people if person.name == name).write(text)
        texts.append(text)
        for person in people:
            person.sees(*texts)


def first_room(party: Party, open_page: OpenPage) -> None:
    ada, grace = (Person(open_page("/", **DESKTOP), name) for name in ("Ada", "Grace"))
    for one in (ada, grace):
        expect(one.page.get_by_role("status")).to_have_text("In the room lobby")
    for number, (name, text) in enumerate(TALK, 2):
        (ada if name == "Ada" else grace).write(text)
        for one in (ada, grace):
            expect(one.page.get_by_role("listitem")).to_have_count(number)
    expect(ada.page.locator("li.own")).to_have_text([TALK[0][1], TALK[2][1]])
    picture(ada.page, "1-first-room")


def login(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/", **DESKTOP), "Ada")
    expect(ada.page.get_by_role("heading", name="Log in")).to_be_visible()
    ada.sees_error("")
    ada.log_in("wrong")
    ada.sees_error("That is not the code.")
    expect(ada.page.get_by_label("Message", exact=True)).to_be_hidden()
    picture(ada.page, "2-login")
    ada.log_in()
    ada.sees_error("")
    grace = Person(open_page("/", **PHONE), "Grace").log_in()
    talk(ada, grace)
    expect(ada.page.locator("li.own b")).to_have_text(["Ada", "Ada"])
    picture(ada.page, "2-login-chat")
    ada.page.reload()  # the cookie is still there
    expect(ada.page.get_by_role("status")).to_have_text("Connected")


def typed_messages(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/", **DESKTOP), "Ada").log_in()
    grace = Person(open_page("/", **PHONE), "Grace").log_in()
    talk(ada, grace)
    ada.page.evaluate("document.getElementById('text').maxLength = 10_000")
    ada.write("x" * 2001)
    ada.sees_error("$.text: Expected `str` of length <= 2000")
    picture(ada.page, "3-typed-messages")
    grace.sees(*(text for _, text in TALK))


def presence(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/", **DESKTOP), "Ada").log_in()
    grace = Person(open_page("/", **PHONE), "Grace").log_in()
    alan = Person(open_page("/", **DESKTOP), "Alan").log_in()
    talk(ada, grace)
    ada.sees_people("Ada (you)", "Alan", "Grace")
    grace.sees_people("Ada", "Alan", "Grace (you)")
    picture(ada.page, "4-presence")
    picture(grace.page, "4-presence-phone")
    assert grace.page.evaluate("document.documentElement.scrollWidth") == 390
    alan.page.close()
    ada.sees_people("Ada (you)", "Grace")


def history(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/", **DESKTOP), "Ada").log_in()
    grace = Person(open_page("/", **PHONE), "Grace").log_in()
    talk(ada, grace)
    texts = [text for _, text in TALK]
    alan = Person(open_page("/", **DESKTOP), "Alan").log_in()
    alan.sees(*texts)
    alan.write("So it is ready?")
    alan.sees(*texts, "So it is ready?")
    expect(alan.page.locator("#messages time")).to_have_count(5)
    picture(alan.page, "5-history")
    grace.page.reload()
    grace.sees(*texts, "So it is ready?")
    expect(grace.page.locator("li.own p")).to_have_text([TALK[1][1], TALK[3][1]])
    party.room("Chat", "lobby").evict()  # the connections are lost
    ada.sees(*texts, "So it is ready?")
    expect(ada.page.get_by_role("status")).to_have_text("Connected")
    ada.write("Yes")
    for one in (ada, grace, alan):
        one.sees(*texts, "So it is ready?", "Yes")


def moderation(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/", **DESKTOP), "Ada").log_in("moderator")
    grace = Person(open_page("/", **PHONE), "Grace").log_in()
    eve = Person(open_page("/", **DESKTOP), "Eve").log_in()
    talk(ada, grace)
    expect(grace.page.get_by_role("button", name="Kick Eve")).to_have_count(0)
    ada.page.get_by_role("button", name="Kick Eve").click()
    eve.sees_error("You were removed from this room.")
    ada.sees_notice("Eve was removed by Ada")
    ada.sees_people("Ada (you)", "Grace")
    eve.log_in()
    ada.sees_people("Ada (you)", "Eve", "Grace")
    picture(ada.page, "6-moderation")
    ada.page.get_by_role("button", name="Ban Eve").click()
    eve.sees_error("You are banned from this room.")
    eve.page.reload()
    eve.sees_error("You are banned from this room.")
    ada.sees_people("Ada (you)", "Grace")


def reminders(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/", **DESKTOP), "Ada").log_in()
    grace = Person(open_page("/", **PHONE), "Grace").log_in()
    talk(ada, grace)
    grace.write("/remind 5 Tea is ready")
    ada.sees_notice("Grace has set a reminder, 5 min from now")
    in_six_minutes = datetime.now(UTC) + timedelta(minutes=6)
    assert party.room("Chat", "lobby").run_due(at=in_six_minutes) == 1
    for one in (ada, grace):
        one.sees_notice("Reminder from Grace: Tea is ready")
    picture(ada.page, "7-reminders")


def chaos(party: Party, open_page: OpenPage) -> None:
    ada = Person(open_page("/?room=engine", **DESKTOP), "Ada").log_in("moderator")
    dark = PHONE | {"color_scheme": "dark"}
    grace = Person(open_page("/?room=engine", **dark), "Grace").log_in()
    ada.write("/topic The difference engine, and how to mend it")
    party.room("Chat", "engine").hibernate()
    talk(ada, grace)
    Person(open_page("/?room=engine", **DESKTOP), "Alan").log_in()
    for one in (ada, grace):
        expect(one.page.get_by_text("The difference engine, and how to mend it")).to_be_visible()
    ada.sees_people("Ada (you)", "Alan", "Grace")
    grace.sees_people("Ada", "Alan", "Grace (you)")
    picture(ada.page, "8-chaos")
    picture(grace.page, "8-chaos-phone")
    assert grace.page.evaluate("document.documentElement.scrollWidth") == 390


SCENES = [first_room, login, typed_messages, presence, history, moderation, reminders, chaos]


def parts() -> Iterator[Any]:
    """The tests of each step, and then its page: a step's runtime starts once."""
    for step, scene in zip(RUNNING, SCENES, strict=True):
        text = (STATES / step / "tests/test_worker.py").read_text()
        for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE):
            yield pytest.param(step, name, id=f"{step}-{name.removeprefix('test_')}")
        yield pytest.param(step, scene, id=f"{step}-page")


@pytest.mark.parametrize(("step", "part"), [*parts()])
def test_a_step(
    step: str,
    part: str | Scene,
    project: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not isinstance(part, str):
        part(request.getfixturevalue("party"), request.getfixturevalue("open_page"))
        return
    test = getattr(module_of(project), part)
    for mark in getattr(test, "pytestmark", []):
        request.applymarker(mark.name)
    if step == CHAOS:  # what passes with evictions passes without
        monkeypatch.setattr(request.config.option, "party_chaos", True)
    test(request.getfixturevalue("party"))


def files_of(step: str) -> dict[str, str]:
    """The files of a step, whatever version of the library they ask for."""
    return {
        path.relative_to(STATES / step).as_posix(): without_version(path.read_text())
        for path in (STATES / step).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def without_version(text: str) -> str:
    return re.sub(r"(partyserver\S*>=)[\d.]+", r"\1", text)


def test_the_first_step_is_what_init_makes() -> None:
    made = init.files_of("chat", "my-chat")
    for name, text in files_of(STEPS[0]).items():
        assert text == without_version(made[name]), name


def test_the_last_step_changes_the_config_alone() -> None:
    before, last = map(files_of, STEPS[-2:])
    assert before.keys() - last.keys() == {"mistake/worker.py"}
    assert {name for name in last if last[name] != before.get(name)} == {"wrangler.toml"}


def test_what_no_step_is_about_stays_the_same() -> None:
    states = [files_of(step) for step in STEPS]
    for name in (".gitignore", "package.json"):
        assert len({state[name] for state in states}) == 1, name
    assert len({state["wrangler.toml"] for state in states[:-1]}) == 1
    assert len({state["public/style.css"] for state in states[1:]}) == 1


def test_chaos_finds_the_mistake(make: Make) -> None:
    """As the reader of that step runs it, with the project's own settings."""
    project = make(CHAOS)
    (project / "src/worker.py").write_text((project / "mistake/worker.py").read_text())
    (project / ".dev.vars").unlink()  # party_vars is enough
    command = (sys.executable, "-m", "pytest", "-k", "topic or comes_and_goes", "--party-chaos")
    bundle = f"party_pyodide_bundle={ROOT / '.cache/pyodide-bundle-compiled'}"
    done = progress.run([*command, "-o", bundle, "-o", "party_timeout=60"], cwd=project)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    [lost] = re.findall(r"^```text\n(lost in .*)\n```", (PAGES / "8-chaos.md").read_text(), re.M)
    assert lost in done.stdout


def test_the_last_step_can_be_deployed(make: Make, tmp_path: Path) -> None:
    project = make(STEPS[-1])
    wrangler = (ROOT / "node_modules/.bin/wrangler", "deploy", "--dry-run", "--outdir", tmp_path)
    done = progress.run(wrangler, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "env.Chat" in done.stdout
    assert {path.name for path in tmp_path.glob("*.py")} == {"worker.py", "login.py"}
    assert 'pattern = "chat.example.com"' in (project / "wrangler.toml").read_text()


def test_each_picture_is_small_and_shown() -> None:
    text = "".join(page.read_text() for page in PAGES.glob("*.md"))
    pictures = {path.name: path.stat().st_size for path in PAGES.glob("*.png")}
    assert set(re.findall(r"\]\((\S+\.png)\)", text)) == pictures.keys()
    assert all(size <= 60_000 for size in pictures.values()), pictures
