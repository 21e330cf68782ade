"""The poll of fixtures/partykit, as people in two browsers meet it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from partyserver.testing import Party
from playwright.sync_api import Locator, Page, expect

from ..chromium import OpenPage

FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "partykit"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCRIPT = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b> &amp;"


@pytest.fixture
def party_config() -> Path:
    return FIXTURE / "wrangler.toml"


def start_poll(page: Page, question: str, *options: str) -> None:
    page.get_by_label("Question").fill(question)
    for number, option in enumerate(options, 1):
        if number > 2:
            page.get_by_role("button", name="Add an option").click()
        page.get_by_label(f"Option {number}").fill(option)
    page.get_by_role("button", name="Start the poll").click()
    expect(page.get_by_role("status")).to_have_text("Open")


def choice(page: Page, text: str) -> Locator:
    return page.locator(".choice", has_text=text)


def sees_votes(page: Page, *votes: int) -> None:
    expect(page.locator(".choice .count")).to_have_text([str(one) for one in votes])


@pytest.fixture
def ada(open_page: OpenPage) -> Page:
    page = open_page("/")
    start_poll(page, "Where shall we eat?", "Pizza", "Sushi", "Falafel")
    return page


@pytest.fixture
def grace(open_page: OpenPage, ada: Page) -> Page:
    page = open_page(ada.url, **PHONE)
    expect(page.get_by_role("status")).to_have_text("Open")
    return page


def test_votes_come_in_on_both_pages(ada: Page, grace: Page) -> None:
    expect(grace.get_by_role("heading", level=1)).to_have_text("Where shall we eat?")
    choice(ada, "Sushi").click()
    for page in (ada, grace):
        sees_votes(page, 0, 1, 0)
    choice(grace, "Falafel").click()
    for page in (ada, grace):
        sees_votes(page, 0, 1, 1)
        expect(page.locator("#total")).to_have_text("2 votes")
    expect(choice(ada, "Sushi")).to_have_attribute("aria-pressed", "true")
    expect(choice(grace, "Sushi")).to_have_attribute("aria-pressed", "false")


def test_a_vote_can_be_changed_and_survives_a_reload(ada: Page) -> None:
    choice(ada, "Sushi").click()
    sees_votes(ada, 0, 1, 0)
    choice(ada, "Pizza").click()
    sees_votes(ada, 1, 0, 0)
    ada.reload()
    sees_votes(ada, 1, 0, 0)
    expect(choice(ada, "Pizza")).to_have_attribute("aria-pressed", "true")


def test_a_poll_that_slept_still_counts(party: Party, ada: Page, grace: Page) -> None:
    choice(ada, "Sushi").click()
    sees_votes(grace, 0, 1, 0)
    party.room("Poll", ada.url.partition("poll=")[2]).hibernate()
    choice(grace, "Sushi").click()
    for page in (ada, grace):
        sees_votes(page, 0, 2, 0)


def test_the_timer_closes_the_poll_on_the_pages(party: Party, ada: Page, grace: Page) -> None:
    choice(ada, "Sushi").click()
    sees_votes(grace, 0, 1, 0)
    poll = party.room("Poll", ada.url.partition("poll=")[2])
    assert poll.run_due(at=datetime.now(UTC) + timedelta(days=8)) == 1
    for page in (ada, grace):
        expect(page.get_by_role("status")).to_have_text("Closed")
        expect(choice(page, "Pizza")).to_be_disabled()
        sees_votes(page, 0, 1, 0)


def test_the_pages_are_back_after_the_server_restarts(party: Party, ada: Page, grace: Page) -> None:
    choice(ada, "Sushi").click()
    sees_votes(grace, 0, 1, 0)
    party.restart()
    expect(ada.get_by_role("status")).to_have_text("Open")
    choice(grace, "Sushi").click()
    for page in (ada, grace):
        sees_votes(page, 0, 2, 0)


def test_the_open_polls_are_listed(open_page: OpenPage) -> None:
    start_poll(open_page("/"), "Who is listed?", "I", "You")
    page = open_page("/")
    polls = page.get_by_role("navigation", name="Open polls")
    polls.get_by_role("link", name="Who is listed?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is listed?")


def test_what_others_type_is_text(open_page: OpenPage) -> None:
    page = open_page("/")
    start_poll(page, SCRIPT, f"{SCRIPT[:60]} 1", "plain")
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    expect(page.locator("h1 *, .choice .text *")).to_have_count(0)
    other = open_page("/")
    expect(other.get_by_role("navigation").get_by_role("link", name=SCRIPT)).to_be_visible()
    for one in (page, other):
        expect(one).not_to_have_title(re.compile("^hacked"))


def test_what_is_wrong_with_a_poll_is_said(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_label("Question").fill("Same?")
    for number in (1, 2):
        page.get_by_label(f"Option {number}").fill("the same")
    page.get_by_role("button", name="Start the poll").click()
    expect(page.get_by_role("alert")).to_have_text("A poll has 2 to 8 different options.")


def test_a_poll_that_does_not_exist_says_so(open_page: OpenPage) -> None:
    page = open_page("/?poll=nothing")
    expect(page.get_by_role("alert")).to_have_text("There is no such poll.")
    expect(page.get_by_role("status")).to_have_text("Not found")


def test_a_phone_need_not_scroll_sideways(open_page: OpenPage) -> None:
    page = open_page("/", **PHONE)
    start_poll(page, "w" * 200, "x" * 80, "y" * 80)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(choice(page, "x")).to_be_in_viewport()


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.get_by_label("Question")).to_be_focused()
    for text in ("Tea?", "Yes", "No"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Open")
    choice(page, "Yes").focus()
    page.keyboard.press("Space")
    sees_votes(page, 1, 0)
    expect(choice(page, "Yes")).to_be_focused()
