"""The tests of fixtures/agent, on the real runtime, and in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from partyserver.testing import Party

from ..agents.wire import MCP_SERVERS, STATE
from ..chromium import OpenPage, browser, open_page

__all__ = ["OpenPage", "browser", "open_page"]

FIXTURE = Path(__file__).parents[2] / "fixtures" / "agent"

NAME = "a-conversation-of-the-tests"

Frame = dict[str, Any]


@pytest.fixture
def party_config() -> Path:
    assert not (FIXTURE / ".dev.vars").exists(), "with its key, the tests would ask a real model"
    return FIXTURE / "wrangler.toml"


class Tab:
    """A page of one conversation, in the frames of the Agents SDK's clients."""

    def __init__(self, party: Party, name: str) -> None:
        self.socket = party.connect(f"/agents/assistant/{name}")
        self.state: Frame = {}
        #: All that has come.
        self.raw: list[str] = []
        #: The chunks of each call.
        self.chunks: dict[str, list[str]] = {}
        self._calls = 0

    def start(self, method: str, *args: Any) -> str:
        """Call a method. The answer is for `finish`."""
        self._calls += 1
        id = str(self._calls)
        self.chunks[id] = []
        self.socket.send_json({"type": "rpc", "id": id, "method": method, "args": args})
        return id

    def next(self) -> Frame:
        text = self.socket.receive(timeout=60)
        assert isinstance(text, str)
        self.raw.append(text)
        frame: Frame = json.loads(text)
        if frame["type"] == STATE:
            self.state = frame["state"]
        elif frame["type"] == "rpc" and frame["success"] and not frame["done"]:
            self.chunks[frame["id"]].append(frame["result"])
        return frame

    def hears(self, id: str) -> None:
        """Wait for the first chunk."""
        while not self.chunks[id]:
            self.next()

    def finish(self, id: str) -> str | None:
        """Wait for the end of a call: the error, if that is one."""
        while True:
            frame = self.next()
            if frame["type"] == "rpc" and frame["id"] == id and frame.get("done", True):
                return frame.get("error")

    def call(self, method: str, *args: Any) -> str | None:
        return self.finish(self.start(method, *args))

    def until(self, holds: Callable[[Frame], Any]) -> None:
        """Wait for a state."""
        while not (self.state and holds(self.state)):
            self.next()

    def said(self) -> list[tuple[str, str]]:
        return [(one["role"], one["text"]) for one in self.state["messages"]]


def run_due(party: Party) -> int:
    """Run the conversation's timers, also those of reminders."""
    return party.room("Assistant", NAME).run_due(at=datetime.now(UTC) + timedelta(days=40))


OpenTab = Callable[..., Tab]


@pytest.fixture
def open_tab(party: Party) -> Iterator[OpenTab]:
    with ExitStack() as stack:

        def open_tab(name: str = NAME) -> Tab:
            tab = Tab(party, name)
            stack.enter_context(tab.socket)
            while tab.next()["type"] != MCP_SERVERS:  # which ends the greeting
                pass
            return tab

        yield open_tab
