"""The tests of fixtures/notes, on the real runtime, and in Chromium."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from partyserver.testing import Party
from partyserver.testing.party import Room
from playwright.sync_api import Page, expect

from ..chromium import OpenPage, browser, open_page

__all__ = ["OpenPage", "browser", "open_page"]

FIXTURE = Path(__file__).parents[2] / "fixtures" / "notes"


def module(name: str) -> Any:
    """A module of the fixture that is plain Python."""
    spec = spec_from_file_location(f"fixtures_notes_{name}", FIXTURE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def party_config() -> Path:
    assert not (FIXTURE / ".dev.vars").exists(), "with its secret, a missing one is not seen"
    return FIXTURE / "wrangler.toml"


class Note(NamedTuple):
    room: Room
    name: str
    #: The keys.
    edit: str
    read: str

    def link(self, right: str = "edit") -> str:
        return f"/#{self.name}.{getattr(self, right)}"


@pytest.fixture
def note(party: Party) -> Note:
    made = party.fetch("/notes", method="POST").json()
    room = party.room("Notes", made["name"])
    with room.connect(query={"key": made["key"]}) as socket:
        socket.receive()  # the step 1
        text = socket.receive()
    assert isinstance(text, str)
    told = json.loads(text.removeprefix("__YPS:"))
    return Note(room, made["name"], made["key"], told["read"])


Visit = Callable[..., Page]


@pytest.fixture
def visit(open_page: OpenPage, party: Party, note: Note) -> Visit:
    """Opens the note as somebody who has told their name before."""

    def visit(
        name: str, right: str = "edit", color: str = "#c0392b", ready: bool = True, **options: Any
    ) -> Page:
        me = {"name": "notes-me", "value": json.dumps({"name": name, "color": color})}
        kept = {"origins": [{"origin": party.url, "localStorage": [me]}], "cookies": []}
        page = open_page(note.link(right), storage_state=kept, **options)
        if ready:
            status(page, "Connected")
        return page

    return visit


def status(page: Page, text: str) -> None:
    expect(page.locator("#status")).to_have_text(text)
