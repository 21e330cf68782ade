"""The assistant of fixtures/agent with a key, and a server on loopback for the API."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from partyserver.testing import Party

from .api import BREAK, Api, api, call, end, event, server
from .conftest import FIXTURE, OpenTab, Tab, run_due

__all__ = ["api", "server"]

KEY = "sk-a-key-that-nobody-may-see"
FAILED = "The model cannot be reached, or has failed. Ask again."


@pytest.fixture(scope="module")
def project(server: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture, with variables that lead to the server."""
    folder = tmp_path_factory.mktemp("agent")
    for name in ("worker.py", "models.py"):
        shutil.copy(FIXTURE / name, folder)
    (folder / "public").mkdir()
    (folder / "python_modules").symlink_to(FIXTURE / "python_modules")
    config = (FIXTURE / "wrangler.toml").read_text().partition("[build]")[0]
    url = f"http://127.0.0.1:{server.server_port}/v1"
    assert config.count("https://api.openai.com/v1") == 1
    (folder / "wrangler.toml").write_text(config.replace("https://api.openai.com/v1", url))
    (folder / ".dev.vars").write_text(f"OPENAI_API_KEY={KEY}\n")
    return folder


@pytest.fixture
def party_config(project: Path) -> Path:
    return project / "wrangler.toml"


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    return open_tab()


@pytest.fixture(autouse=True)
def _nobody_sees_the_key(party: Party, tab: Tab) -> Iterator[None]:
    yield
    assert KEY not in str(party.logs)
    assert KEY not in "".join(tab.raw)


def split(text: bytes, size: int) -> list[bytes | None]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def test_the_api_is_asked_for_the_conversation(api: Api, tab: Tab) -> None:
    for number in (1, 2):
        api.answers.append((200, [event(role="assistant", content=""), event(content="Hi"), end()]))
        tab.call("ask", f"Hello {number}")
    (path, authorization, first), (_, _, second) = api.seen
    assert path == "/v1/chat/completions"
    assert authorization == f"Bearer {KEY}"
    assert (first["model"], first["stream"]) == ("gpt-5-mini", True)
    assert [one["function"]["name"] for one in first["tools"]] == ["remind", "time"]
    remind = first["tools"][0]["function"]
    assert remind["description"] == "Remind the user of something, once, some seconds from now."
    assert remind["parameters"]["type"] == "object"
    assert remind["parameters"]["required"] == ["seconds", "text"]
    assert remind["parameters"]["properties"]["seconds"]["maximum"] == 30 * 86400
    system, *said = second["messages"]
    assert system["role"] == "system"
    assert said == [
        {"role": "user", "content": "Hello 1"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Hello 2"},
    ]


def test_the_last_line_may_lack_its_end(api: Api, tab: Tab) -> None:
    api.answers.append((200, [event(content="Hi"), b"data: [DONE]"]))
    assert tab.call("ask", "Hello") is None
    assert tab.said()[-1] == ("assistant", "Hi")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_texts_come_as_they_are_however_their_bytes_are_cut(api: Api, tab: Tab, size: int) -> None:
    words = ["Grüße, ", "世界 ", "👋🏽 ", "a\u2028b", "\nnew line"]
    stream = b": a comment\r\n\r\n" + b"".join(event(content=word) for word in words) + end()
    api.answers.append((200, split(stream, size)))
    id = tab.start("ask", "Hello")
    assert tab.finish(id) is None
    assert tab.chunks[id] == words
    assert tab.said()[-1] == ("assistant", "".join(words))


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "The model refuses this assistant's key."),
        (403, "The model refuses this assistant's key."),
        (429, "The model has too much to do. Ask again in a minute."),
        (500, FAILED),
        (307, FAILED),  # nothing follows it: the key is for one address
    ],
)
def test_a_status_is_told_in_words_of_ours(
    party: Party, api: Api, tab: Tab, status: int, told: str
) -> None:
    api.answers.append((status, [f'{{"error": "the key {KEY} is bad"}}'.encode()]))
    assert tab.call("ask", "Hello") == told
    assert f"the model's API has answered with status {status}" in str(party.logs)
    assert tab.said() == [("user", "Hello")]
    assert tab.state["status"] == "unanswered"
    assert len(api.seen) == 1
    api.answers.append((200, [event(content="Hi"), end()]))
    assert tab.call("ask_again") is None
    assert tab.said() == [("user", "Hello"), ("assistant", "Hi")]


@pytest.mark.log_may_hold("Network connection lost")
@pytest.mark.parametrize(
    "rest",
    [
        [],
        [BREAK],
        [b"data: {\n\n"],
        [b"data: [1]\n\n"],
        [b"data: " + b"[" * 6000 + b"\n\n"],
        [b'data: {"choices": [{"delta": {"content": 1}}]}\n\n'],
        [b"data: \xff\n\n"],
        [b"data: " + b"x" * 1_100_000],
        [call(number) for number in range(9)],
    ],
    ids=["ends", "breaks", "json", "shape", "depth", "type", "utf-8", "length", "calls"],
)
def test_an_answer_that_breaks_off_is_none(api: Api, tab: Tab, rest: list[bytes | None]) -> None:
    api.answers.append((200, [event(content="Half"), *rest]))
    id = tab.start("ask", "Hello")
    assert tab.finish(id) == FAILED
    assert tab.chunks[id] in ([], ["Half"])  # what came in one piece with the mistake is lost
    assert tab.said() == [("user", "Hello")]
    assert tab.state["status"] == "unanswered"


@pytest.mark.log_may_hold("Network connection lost")
def test_an_api_that_is_not_there(api: Api, tab: Tab) -> None:
    api.answers.append((200, [BREAK]))
    assert tab.call("ask", "Hello") == FAILED


def test_an_answer_without_words_is_none(api: Api, tab: Tab) -> None:
    api.answers.append((200, [event(content=" \n"), end()]))
    assert tab.call("ask", "Hello") == "The model has nothing to say. Ask again."
    assert tab.said() == [("user", "Hello")]


def test_an_answer_is_cut_where_it_is_too_long(api: Api, tab: Tab) -> None:
    api.answers.append((200, [*[event(content="x" * 999)] * 7, None]))
    assert tab.call("ask", "Hello") is None
    assert tab.said()[-1] == ("assistant", "x" * 6000)


def test_tools_are_called_and_the_model_hears_what_came_of_it(api: Api, tab: Tab) -> None:
    api.answers += [
        (
            200,
            [
                event(content="One moment. "),
                call(0, id="a", type="function", function={"name": "remind", "arguments": ""}),
                call(0, function={"arguments": '{"seconds": 60, "te'}),
                call(1, id="b", function={"name": "time", "arguments": "{}"}),
                call(0, function={"arguments": 'xt": "stretch"}'}),
                end("tool_calls"),
            ],
        ),
        (200, [event(content="Done."), end()]),
    ]
    assert tab.call("ask", "Remind me") is None
    assert tab.said()[-1] == ("assistant", "One moment. Done.")
    assert [one["text"] for one in tab.state["reminders"]] == ["stretch"]
    asked, remind, time = api.seen[1][2]["messages"][-3:]
    assert asked["role"] == "assistant"
    assert [one["id"] for one in asked["tool_calls"]] == ["a", "b"]
    assert asked["tool_calls"][0]["function"] == {
        "name": "remind",
        "arguments": '{"seconds": 60, "text": "stretch"}',
    }
    assert remind == {
        "role": "tool",
        "tool_call_id": "a",
        "content": "The reminder is set, in 1 minute: stretch",
    }
    assert (time["tool_call_id"], time["content"][:6]) == ("b", "It is ")


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("remind", "{", "That did not work: "),
        ("remind", "[" * 6000, "That did not work: "),
        ("remind", '{"seconds": 60}', "That did not work: Object missing required field `text`"),
        ("destroy", "{}", "There is no tool destroy."),
    ],
)
def test_a_call_that_makes_no_sense_is_told_to_the_model(
    api: Api, tab: Tab, name: str, arguments: str, told: str
) -> None:
    wrong = call(id="a", function={"name": name, "arguments": arguments})
    api.answers += [(200, [wrong, end("tool_calls")]), (200, [event(content="Sorry."), end()])]
    assert tab.call("ask", "Remind me") is None
    assert tab.said()[-1] == ("assistant", "Sorry.")
    assert api.seen[1][2]["messages"][-1]["content"].startswith(told)
    assert tab.state["reminders"] == []


def test_arguments_without_end_are_none(api: Api, tab: Tab) -> None:
    parts = [call(function={"arguments": "x" * 999})] * 11
    api.answers += [(200, [*parts, end("tool_calls")]), (200, [event(content="Hi"), end()])]
    assert tab.call("ask", "Hello") == FAILED


def test_a_model_that_calls_tools_without_end_is_stopped(api: Api, tab: Tab) -> None:
    again = call(id="a", function={"name": "time", "arguments": "{}"})
    api.answers += [(200, [again, end("tool_calls")])] * 9
    assert tab.call("ask", "Hello") == "The model has nothing to say. Ask again."
    assert len(api.seen) == 4


def test_a_model_that_says_nothing_without_end_is_left(
    api: Api, tab: Tab, give_up: Callable[[], int]
) -> None:
    left = threading.Event()

    def stream() -> Iterator[bytes]:
        try:
            yield event(content="Half")
            while True:
                yield b": still there\n\n" * 100
        finally:
            left.set()

    api.answers.append((200, stream()))
    id = tab.start("ask", "Hello")
    tab.hears(id)
    give_up()
    assert tab.finish(id) is None
    assert left.wait(60)
    assert tab.state["status"] == "unanswered"


def test_a_model_that_hangs_does_not_block_the_conversation(
    party: Party, api: Api, tab: Tab, give_up: Callable[[], int]
) -> None:
    api.answers += [(200, [event(content="Half"), None]), (200, [event(content="Hi"), end()])]
    tab.hears(tab.start("ask", "Hello"))
    assert give_up() == 1
    tab.until(lambda state: state["status"] == "unanswered")
    assert tab.call("ask_again") is None
    assert tab.said() == [("user", "Hello"), ("assistant", "Hi")]


@pytest.fixture
def give_up(party: Party, api: Api) -> Iterator[Callable[[], int]]:
    yield lambda: run_due(party)
    api.over.set()
    api.over = threading.Event()
