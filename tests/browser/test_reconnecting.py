"""The pages of the template and the examples, at a room that does not let them in, or not yet."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from partyserver.command import init
from partyserver.testing import Party
from playwright.sync_api import Page, expect

from .conftest import OpenPage

ROOT = Path(__file__).parents[2]

WORKER = """
from partyserver import (
    ClientError, Connection, ConnectionContext, Server, agents, route_partykit_request
)
from workers import Request, Response, WorkerEntrypoint


class Chat(Server):
    options = {"hibernate": True}

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        if self.name == "private":
            raise ClientError("You are not invited.")
        if self.name == "shaky":
            self.kv["tries"] = self.kv.get("tries", 0) + 1
            if self.kv["tries"] <= 4:
                raise RuntimeError("not yet")
        connection.send(f"welcome to {self.name}")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        for route in (route_partykit_request, agents.route_agent_request):
            if answer := await route(request, self.env):
                return answer
        return Response("", status=404)
"""

BINDING = '[[durable_objects.bindings]]\nname = "{}"\nclass_name = "Chat"\n\n'

#: Folder to the query that leads into the room, and what the tab remembers of who has been there.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "template": ("room", {}),
    "agent": ("chat", {}),
    "chat": ("room", {"name": "Ada", "room": "private"}),
    "fastapi": ("board", {"token": "a token"}),
    "game": ("game", {}),
    "partyflare": ("room", {}),
    "partykit": ("poll", {}),
}

#: Shows how many connections the page has asked for, and has lost.
COUNTING = """
    const counts = { asked: 0, lost: 0 };
    const count = (what) => (document.documentElement.dataset[what] = ++counts[what]);
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            count("asked");
            this.addEventListener("close", () => count("lost"));
        }
    };
"""

Prepare = Callable[[], Page]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One worker for all pages, each in a folder of `public`."""
    files = {
        path.replace("public/", "public/template/"): text
        for path, text in init.files_of("chat", "my-app").items()
    }
    bindings = "".join(map(BINDING.format, ("Assistant", "Board", "Game", "Main", "MYPARTY")))
    config = files["wrangler.toml"].replace("[[migrations]]", f"{bindings}[[migrations]]")
    folder = tmp_path_factory.mktemp("my-app")
    init.make(folder, files | {"src/worker.py": WORKER, "wrangler.toml": config})
    for fixture in PAGES.keys() - {"template"}:
        shutil.copytree(ROOT / "fixtures" / fixture / "public", folder / "public" / fixture)
    (folder / "python_modules").symlink_to(ROOT / "python_modules")
    return folder


@pytest.fixture
def party_config(project: Path) -> Path:
    return project / "wrangler.toml"


@pytest.fixture
def prepare(open_page: OpenPage) -> Prepare:
    """A page, before the one to test, which will have a clock of its own."""

    def prepare() -> Page:
        page = open_page("/template/style.css")
        page.clock.install(time=0)
        page.add_init_script(COUNTING)
        return page

    return prepare


def has_asked(page: Page, times: int) -> None:
    expect(page.locator("html")).to_have_attribute("data-asked", str(times))


def has_lost(page: Page, times: int) -> None:
    expect(page.locator("html")).to_have_attribute("data-lost", str(times))


def test_there_is_a_test_of_each_example_with_a_page() -> None:
    examples = {path.parent.name for path in ROOT.glob("fixtures/*/page")}
    # The page of `notes` finds its room by the fragment, with a key: tests/notes/test_page.py.
    assert PAGES.keys() == examples - {"notes"} | {"template"}


@pytest.mark.parametrize("folder", PAGES)
def test_who_is_refused_is_told_why_and_asks_no_more(folder: str, prepare: Prepare) -> None:
    query, remembered = PAGES[folder]
    page = prepare()
    for key, value in remembered.items():
        page.evaluate("([key, value]) => sessionStorage.setItem(key, value)", [key, value])
    page.goto(f"/{folder}/?{query}=private")
    has_lost(page, 1)
    told = page.get_by_text("You are not invited.", exact=True).locator("visible=true")
    expect(told).to_have_count(1)
    page.clock.run_for(600_000)
    has_asked(page, 1)
    expect(told).to_have_count(1)
    expect(page.get_by_text("Reconnecting…").locator("visible=true")).to_have_count(0)


def test_the_template_asks_later_each_time_until_a_connection_stays(
    party: Party, prepare: Prepare
) -> None:
    page = prepare()
    page.clock.pause_at(1000)
    page.goto("/template/?room=shaky")
    for lost in range(1, 5):
        has_lost(page, lost)
        longest = 500 * 2 ** (lost - 1)
        page.clock.run_for(longest // 2 - 1)
        has_asked(page, lost)
        page.clock.run_for(longest // 2 + 1)
        has_asked(page, lost + 1)
    expect(page.get_by_role("status")).to_have_text("In the room shaky")
    expect(page.get_by_role("listitem").last).to_have_text("welcome to shaky")
    page.clock.run_for(5000)
    party.room("Chat", "shaky").evict()
    has_lost(page, 5)
    page.clock.run_for(500)
    has_asked(page, 6)
    expect(page.get_by_role("status")).to_have_text("In the room shaky")
