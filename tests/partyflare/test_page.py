"""The example of fixtures/partyflare, in two browsers."""

from pathlib import Path

import pytest
from partyserver.testing import Party
from playwright.sync_api import Page, expect

from ..chromium import OpenPage

FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "partyflare"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def party_config() -> Path:
    return FIXTURE / "wrangler.toml"


def say(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_have_text("Connected")
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_what_one_says_all_others_hear(party: Party, open_page: OpenPage) -> None:
    ada, grace = open_page("/"), open_page("/", **PHONE)
    expect(grace.get_by_role("status")).to_have_text("Connected")
    say(ada, "<b>hello</b>")
    expect(grace.locator("#messages li")).to_have_text(["<b>hello</b>"])
    party.room("MyParty", "lobby").hibernate()
    say(grace, "w" * 500)
    expect(ada.locator("#messages li")).to_have_text(["w" * 500, "<b>hello</b>"])
    assert grace.evaluate("document.documentElement.scrollWidth") == 390
    assert "to room lobby" in str(party.logs)


def test_rooms_are_apart(open_page: OpenPage) -> None:
    ada, grace, other = open_page("/"), open_page("/"), open_page("/?room=a%2Fb")
    for page in (grace, other):
        expect(page.get_by_role("status")).to_have_text("Connected")
    say(ada, "to the lobby")
    expect(grace.locator("#messages li")).to_have_count(1)
    say(other, "elsewhere")
    say(ada, "again")
    expect(grace.locator("#messages li")).to_have_text(["again", "to the lobby"])
    expect(other.locator("#messages li")).to_have_text(["elsewhere"])
