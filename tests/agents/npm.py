"""The Agents SDK's clients of npm, in Node.js and Chromium, as fixtures to import."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from partyserver.testing import Party
from playwright.sync_api import Browser, Page

from tests.node import Node

CLIENTS = Path(__file__).with_name("clients")
ESBUILD = Path(__file__).parents[2] / "node_modules" / ".bin" / "esbuild"

NEWER, OLDER = "0.32.0", "0.21.0"
both = pytest.mark.parametrize("version", [NEWER, OLDER])

#: What JavaScript has where there is no value.
UNDEFINED = object()

Frame = dict[str, Any]


class CallError(Exception):
    """A call was rejected, with an `Error` of this message."""


class Place:
    """Where clients are. It does the commands of clients/commands.js, one after the other."""

    #: How they come to their agent: one of `kinds` there.
    kind = "AgentClient"

    def __call__(self, command: str, *arguments: Any) -> Any:
        answer = self.obey(command, *arguments)
        if "failure" in answer:
            pytest.fail(f"{command}{arguments}: {answer['failure']}")
        return answer["value"]

    def obey(self, command: str, *arguments: Any) -> Any:
        raise NotImplementedError

    def visit(self, url: str) -> None:
        """They are to be clients of this worker."""

    def warnings(self) -> list[str]:
        """What the clients have warned of since this was asked last."""
        warnings: list[str] = self("warnings")
        return warnings


class Program(Node, Place):
    """The process of clients/node.mjs."""


class Tab(Place):
    """A page of the worker's with clients/page.js."""

    def __init__(self, page: Page, bundle: str) -> None:
        self._page = page
        self._bundle = bundle
        self._url = ""

    def obey(self, command: str, *arguments: Any) -> Any:
        script = "async line => JSON.stringify(await obey(...line))"
        return json.loads(self._page.evaluate(script, [command, *arguments]))

    def visit(self, url: str) -> None:
        if url != self._url:
            self._page.goto(f"{url}/page")
            self._page.add_script_tag(content=self._bundle)
            self._url = url


class Pending:
    """A call that has been sent, or waits to be."""

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self.name = name

    def result(self) -> Any:
        return value_of(self._place("outcome", self.name))


def value_of(outcome: list[Any]) -> Any:
    match outcome:
        case ["undefined"]:
            return UNDEFINED
        case ["error", message]:
            raise CallError(message)
    return outcome[1]


class Client:
    """One `AgentClient`, or one component with `useAgent`."""

    def __init__(self, place: Place, key: str, numbers: Iterator[int]) -> None:
        self._place = place
        self._key = key
        self._numbers = numbers

    def next(self) -> list[Any]:
        """The next thing that happens, or has happened: see `open` in clients/commands.js."""
        event: list[Any] = self._place("next", self._key)
        return event

    def until(self, kind: str) -> list[Any]:
        """The next event of a kind, without those before it."""
        while (event := self.next())[0] != kind:
            pass
        return event

    def until_open(self, part: str) -> None:
        """When a connection is open whose URL has a part, as of a query."""
        while part not in self.until("open")[1]:
            pass

    def frames(self) -> list[Frame]:
        """What the server has sent since this was asked last."""
        return [json.loads(frame) for frame in self._place("frames", self._key)]

    def ready(self) -> Frame:
        """When it has resolved its `ready`: what it knows of itself then."""
        about: Frame = self._place("ready", self._key)
        return about

    def about(self) -> Frame:
        about: Frame = self._place("about", self._key)
        return about

    @property
    def state(self) -> Any:
        return self.about().get("state", UNDEFINED)

    @property
    def id(self) -> str:
        id: str = self.about()["id"]
        return id

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """`options` are those of JavaScript's `call`."""
        return value_of(self._place("call", self._key, method, arguments, options))

    def stub(self, method: str, *arguments: Any) -> Any:
        return value_of(self._place("stub", self._key, method, arguments))

    def start(self, method: str, *arguments: Any, **options: Any) -> Pending:
        """A call whose answer is not waited for."""
        name = f"call {next(self._numbers)}"
        self._place("start", name, self._key, method, arguments, options)
        return Pending(self._place, name)

    def stream(self, method: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """What the callbacks of a streaming call were told, and what became of the call itself."""
        answer = self._place("stream", self._key, method, arguments, options)
        return answer["told"], answer["end"]

    def keep(self) -> Client:
        """As it is now. A component has another `agent` when its options have changed."""
        key = f"kept {next(self._numbers)}"
        self._place("keep", self._key, key)
        return Client(self._place, key, self._numbers)

    def have(self, what: str, *arguments: Any) -> Any:
        """What only components do: see clients/page.js."""
        return self._place("have", self._key, what, *arguments)

    def change(self, **options: Any) -> None:
        """Have a component rendered with other options, beside those that it has."""
        self.have("change", options)

    def probe(self) -> list[str]:
        names: list[str] = self._place("probe", self._key)
        return names

    def set_state(self, state: Any) -> None:
        self._place("setState", self._key, state)

    def send(self, message: str | list[int]) -> None:
        self._place("send", self._key, message)

    def reconnect(self) -> None:
        self._place("reconnect", self._key)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._place("close", self._key, code, reason)


Connect = Callable[..., Client]


@pytest.fixture(scope="session")
def bundle() -> str:
    """clients/page.js with all that it imports."""
    esbuild = [ESBUILD, CLIENTS / "page.js"]
    options = ["--bundle", "--format=iife", "--log-level=error"]
    return subprocess.run([*esbuild, *options], capture_output=True, check=True, text=True).stdout


@pytest.fixture(scope="module")
def tab(browser: Browser, bundle: str) -> Iterator[Tab]:
    page = browser.new_page()
    yield Tab(page, bundle)
    page.close()


@pytest.fixture(scope="module")
def node() -> Iterator[Program]:
    node = Program(CLIENTS / "node.mjs")
    yield node
    node.stop()


in_chromium = pytest.mark.once("what an agent does to its clients is seen in Node.js")
PLACES = [
    "Node.js",
    pytest.param("Chromium", marks=in_chromium),
    pytest.param("useAgent", marks=in_chromium),
]


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    """Node.js with `AgentClient`, and Chromium with that or with the hook of `agents/react`."""
    if request.param == "Node.js":
        node: Program = request.getfixturevalue("node")
        return node
    tab: Tab = request.getfixturevalue("tab")
    tab.kind = "useAgent" if request.param == "useAgent" else "AgentClient"
    return tab


@pytest.fixture
def version() -> str:
    """Of the client, where a test does not take `both`."""
    return NEWER


@pytest.fixture
def connect(place: Place, party: Party, version: str) -> Iterator[Connect]:
    """Makes a client for an agent; the options are its own. It is closed at the end."""
    numbers = itertools.count()
    place.visit(party.url)

    def connect(agent: str, name: str | None = "lobby", **options: Any) -> Client:
        key = f"client {next(numbers)}"
        if name is not None:
            options["name"] = name
        options = {"host": party.url, "agent": agent, **options}
        place("open", key, place.kind, version, options)
        return Client(place, key, numbers)

    yield connect
    warnings = place("closeAll")
    unhandled = [warning for warning in warnings if warning.startswith("unhandled")]
    assert unhandled == []
