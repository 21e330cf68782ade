"""The guide that builds the assistant: each of its steps runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from partyserver.command import init
from partyserver.testing import Party, Socket
from playwright.sync_api import expect

from .api import Api, api, end, event, server
from .conftest import FIXTURE, NAME, OpenPage, run_due

__all__ = ["api", "server"]

ROOT = FIXTURE.parents[1]
GUIDE = (ROOT / "docs/pages/guides/assistant.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


CONFIG, BUILD = blocks("toml")
CHECK = "uv run --no-sync partyserver check"
assert BUILD.count(CHECK) == 1
BUILD = BUILD.replace(CHECK, f"{ROOT}/.venv/bin/partyserver check")
CONVERSATION, WORDS, MODELS, MODEL, REMINDER = blocks("python")
STEPS = {"conversation": CONVERSATION, "words": WORDS, "model": MODEL, "reminder": REMINDER}
[PAGE], [HTML] = blocks("tsx"), blocks("html")
DEFAULT = CONVERSATION[CONVERSATION.index("class Default") :]


@pytest.fixture(scope="module")
def projects(server: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for each step, with all else that the guide has."""
    projects = tmp_path_factory.mktemp("guide")
    config = CONFIG.replace("https://api.openai.com", f"http://127.0.0.1:{server.server_port}")
    for name, worker in STEPS.items():
        files = {
            "src/worker.py": worker if worker is CONVERSATION else f"{worker}\n\n{THE_REST}",
            "src/models.py": MODELS,
            "page/assistant.tsx": PAGE,
            "public/index.html": HTML,
            "wrangler.toml": f"{config}\n{BUILD}",
            ".dev.vars": "OPENAI_API_KEY=a key",
        }
        for path, text in files.items():
            (projects / name / path).parent.mkdir(parents=True, exist_ok=True)
            (projects / name / path).write_text(text)
        (projects / name / "python_modules").symlink_to(FIXTURE / "python_modules")
        (projects / name / "node_modules").symlink_to(ROOT / "node_modules")
    return projects


THE_REST = f"from workers import Request, Response, WorkerEntrypoint\n\n\n{DEFAULT}"


@pytest.fixture
def party_config(step: str, projects: Path) -> Path:
    return projects / step / "wrangler.toml"


def of_step(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("step", [name])


def call(socket: Socket, method: str, *args: object) -> tuple[list[str], dict[str, object]]:
    socket.send_json({"type": "rpc", "id": "1", "method": method, "args": args})
    chunks: list[str] = []
    while True:
        frame = socket.receive_json(until={"type": "rpc"}, timeout=60)
        if frame.get("done", True):
            return chunks, frame
        chunks.append(frame["result"])


def connect(party: Party) -> Socket:
    return party.connect(f"/agents/assistant/{NAME}")


def said(party: Party) -> list[str]:
    with connect(party) as socket:
        state = socket.receive_json(until={"type": "cf_agent_state"})["state"]
    return [one["text"] for one in state["messages"]]


@of_step("conversation")
def test_a_conversation_is_kept(party: Party) -> None:
    with connect(party) as socket:
        assert call(socket, "ask", "Hello")[1]["success"]
    party.room("Assistant", NAME).hibernate()
    assert said(party) == ["Hello", "You said: Hello"]


@of_step("words")
def test_an_answer_streams(party: Party) -> None:
    with connect(party) as socket:
        chunks, _ = call(socket, "ask", "Hello world")
    assert chunks == ["You ", "said: ", "Hello ", "world "]
    assert said(party) == ["Hello world", "".join(chunks)]


@of_step("model")
def test_a_model_answers(party: Party, api: Api) -> None:
    api.answers += [
        (200, [event(content="Grü"), event(content="ße"), end()]),
        (500, []),
        (200, [event(content="Again"), end()]),
    ]
    with connect(party) as socket:
        assert call(socket, "ask", "Hello")[0] == ["Grü", "ße", ""]
        assert call(socket, "ask", "And now?")[1]["error"] == "The model has failed. Ask again."
        assert call(socket, "ask", "Now?")[1]["success"]
    assert said(party) == ["Hello", "Grüße", "And now?", "Now?", "Again"]
    path, authorization, body = api.seen[0]
    assert (path, authorization) == ("/v1/chat/completions", "Bearer a key")
    assert body["messages"] == [{"role": "user", "content": "Hello"}]


@of_step("reminder")
def test_a_reminder_comes_back(party: Party) -> None:
    with connect(party) as socket:
        _, end = call(socket, "set_reminder", 0, "stretch")
        assert end["error"] == "seconds: Expected `int` >= 1"
        call(socket, "set_reminder", 3600, "stretch")
    party.room("Assistant", NAME).hibernate()
    assert run_due(party) == 1
    assert said(party) == ["stretch"]


@of_step("words")
def test_the_page_shows_it(open_page: OpenPage) -> None:
    page = open_page(f"/?chat={NAME}")
    page.get_by_label("Question").fill("Hello")
    page.get_by_role("button", name="Ask").click()
    lines = page.get_by_role("listitem")
    expect(lines).to_have_text(["Hello", "You said: Hello"])
    expect(page.get_by_role("alert")).to_have_text("")


def test_the_page_is_typed(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page/assistant.tsx").write_text(PAGE)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "tsconfig.json").write_text(init.files_of("agent", "my-app")["tsconfig.json"])
    done = subprocess.run(["tsc"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (0, "")
