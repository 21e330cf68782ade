"""The clients of Yjs documents of npm, in Node.js: fixtures for the modules that import them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from partyserver.testing import Party
from partyserver.testing.party import Room

from tests.node import Node

CLIENTS = Path(__file__).with_name("clients") / "node.mjs"

PARTYSERVER, WEBSOCKET = "y-partyserver", "y-websocket"
both = pytest.mark.parametrize("kind", [PARTYSERVER, WEBSOCKET])


class Provider:
    """One provider with a document of its own. Its methods are the commands of clients/node.mjs."""

    def __init__(self, node: Node, key: str) -> None:
        self._node = node
        self.key = key

    def __getattr__(self, command: str) -> Callable[..., Any]:
        def obey(*arguments: Any) -> Any:
            return self._node(command, self.key, *arguments)

        return obey

    def until_same(self, other: Provider) -> None:
        self._node("until_same", self.key, other.key)

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = self._node("content", self.key)
        return content

    def says(self, text: str, **roots: Any) -> None:
        """Wait until its document has exactly this."""
        self.until_content({"t": text, **roots})


Open = Callable[..., Provider]


class Place(NamedTuple):
    """A room in one mode, for clients of one kind."""

    room: Room
    open: Open


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    node = Node(CLIENTS)
    yield node
    node.stop()


@pytest.fixture
def kind() -> str:
    """Of the client, where a test does not take `both`."""
    return PARTYSERVER


@pytest.fixture
def enter(node: Node, party: Party) -> Iterator[Open]:
    """Makes a provider of a kind for a room, and waits until it is synced. It is closed at the end.

    The options are its own; `name` is what the others see of it.
    """
    numbers = itertools.count()

    def enter(
        room: Room, kind: str, /, name: str | None = None, *, synced: bool = True, **options: Any
    ) -> Provider:
        key = f"client {next(numbers)}"
        party_name, room_name = room.url.split("/")[-2:]
        address = {"host": party.url.removeprefix("http://"), "party": party_name}
        node("open", key, kind, {**address, "room": room_name, **options})
        provider = Provider(node, key)
        if synced:
            provider.until_synced()
        if name is not None:
            provider.point({"name": name})
        return provider

    yield enter
    warnings = node("closeAll")
    assert [warning for warning in warnings if warning.startswith("unhandled")] == []


@pytest.fixture
def open(enter: Open, room: Room, kind: str) -> Open:
    return partial(enter, room, kind)


@pytest.fixture
def places(enter: Open, party: Party) -> list[Place]:
    """Both modes with both kinds of clients, which share what takes long: a restart."""
    return [
        Place(room, partial(enter, room, kind))
        for mode in ("", "Sleepy")
        for kind in (PARTYSERVER, WEBSOCKET)
        for room in [party.room(f"Notes{mode}", kind)]
    ]
