"""The Agents SDK's clients of npm, in Node.js: fixtures for the modules that import them."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from partyserver.testing import Party
from partyserver.testing.installed import find_node

CLIENTS = Path(__file__).with_name("clients")

NEWER, OLDER = "0.32.0", "0.21.0"
both = pytest.mark.parametrize("version", [NEWER, OLDER])

#: What JavaScript has where there is no value.
UNDEFINED = object()

Frame = dict[str, Any]


class CallError(Exception):
    """A call was rejected, with an `Error` of this message."""


class Node:
    """The process of clients/node.mjs, which does one command after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [find_node([CLIENTS]), CLIENTS / "node.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, command: str, *arguments: Any) -> Any:
        print(json.dumps([command, *arguments]), file=self._process.stdin, flush=True)
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline())
        if "failure" in answer:
            pytest.fail(f"{command}{arguments}: {answer['failure']}")
        return answer["value"]

    def warnings(self) -> list[str]:
        """What the clients have warned of since this was asked last."""
        warnings: list[str] = self("warnings")
        return warnings

    def stop(self) -> None:
        self._process.communicate(timeout=60)


class Pending:
    """A call that has been sent, or waits to be."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self.name = name

    def result(self) -> Any:
        return value_of(self._node("outcome", self.name))


def value_of(outcome: list[Any]) -> Any:
    match outcome:
        case ["undefined"]:
            return UNDEFINED
        case ["error", message]:
            raise CallError(message)
    return outcome[1]


class Client:
    """One `AgentClient`."""

    def __init__(self, node: Node, key: str, numbers: Iterator[int]) -> None:
        self._node = node
        self._key = key
        self._numbers = numbers

    def next(self) -> list[Any]:
        """The next thing that happens, or has happened: see `open` in clients/node.mjs."""
        event: list[Any] = self._node("next", self._key)
        return event

    def until(self, kind: str) -> list[Any]:
        """The next event of a kind, without those before it."""
        while (event := self.next())[0] != kind:
            pass
        return event

    def frames(self) -> list[Frame]:
        """What the server has sent since this was asked last."""
        return [json.loads(frame) for frame in self._node("frames", self._key)]

    def ready(self) -> Frame:
        """When it has resolved its `ready`: what it knows of itself then."""
        about: Frame = self._node("ready", self._key)
        return about

    def about(self) -> Frame:
        about: Frame = self._node("about", self._key)
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
        return value_of(self._node("call", self._key, method, arguments, options))

    def stub(self, method: str, *arguments: Any) -> Any:
        return value_of(self._node("stub", self._key, method, arguments))

    def start(self, method: str, *arguments: Any, **options: Any) -> Pending:
        """A call whose answer is not waited for."""
        name = f"call {next(self._numbers)}"
        self._node("start", name, self._key, method, arguments, options)
        return Pending(self._node, name)

    def stream(self, method: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """What the callbacks of a streaming call were told, and what became of the call itself."""
        answer = self._node("stream", self._key, method, arguments, options)
        return answer["told"], answer["end"]

    def probe(self) -> list[str]:
        names: list[str] = self._node("probe", self._key)
        return names

    def set_state(self, state: Any) -> None:
        self._node("setState", self._key, state)

    def send(self, message: str | list[int]) -> None:
        self._node("send", self._key, message)

    def reconnect(self) -> None:
        self._node("reconnect", self._key)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._node("close", self._key, code, reason)


Connect = Callable[..., Client]


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    node = Node()
    yield node
    node.stop()


@pytest.fixture
def version() -> str:
    """Of the client, where a test does not take `both`."""
    return NEWER


@pytest.fixture
def connect(node: Node, party: Party, version: str) -> Iterator[Connect]:
    """Makes an `AgentClient` for an agent; the options are its own. It is closed at the end."""
    numbers = itertools.count()

    def connect(agent: str, name: str | None = "lobby", **options: Any) -> Client:
        key = f"client {next(numbers)}"
        if name is not None:
            options["name"] = name
        node("open", key, version, {"host": party.url, "agent": agent, **options})
        return Client(node, key, numbers)

    yield connect
    warnings = node("closeAll")
    unhandled = [warning for warning in warnings if warning.startswith("unhandled")]
    assert unhandled == []
