"""The game of fixtures/game, as two players and somebody who watches meet it."""

import pytest
from playwright.sync_api import Locator, Page, expect

from ..chromium import OpenPage

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCRIPT = '<b onclick="x">Ada</b>'


def sit(page: Page, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Take a seat").click()


def cell(page: Page, number: int) -> Locator:
    return page.locator("#board button").nth(number)


def sees(page: Page, status: str) -> None:
    expect(page.get_by_role("status")).to_have_text(status)


@pytest.fixture
def ada(open_page: OpenPage) -> Page:
    page = open_page("/")
    sit(page, "Ada")
    sees(page, "Send somebody the link")
    return page


@pytest.fixture
def grace(open_page: OpenPage, ada: Page) -> Page:
    page = open_page(ada.url, **PHONE)
    sit(page, "Grace")
    sees(page, "Ada's turn")
    return page


def test_a_game_on_a_desktop_and_a_phone(open_page: OpenPage, ada: Page, grace: Page) -> None:
    watching = open_page(ada.url)
    sees(watching, "Ada's turn")
    expect(ada.locator("#watching")).to_have_text("1 is watching")
    expect(watching.locator("#board button:enabled")).to_have_count(0)
    for number, (player, other) in zip(
        [0, 3, 1, 4, 2], [(ada, grace), (grace, ada)] * 3, strict=False
    ):
        sees(player, "Your turn")
        expect(other.locator("#board button:enabled")).to_have_count(0)
        cell(player, number).click()
    sees(ada, "You have won")
    sees(grace, "You have lost")
    sees(watching, "Ada has won")
    expect(watching.locator("#board .won")).to_have_count(3)
    grace.get_by_role("button", name="Play again").click()
    sees(grace, "Your turn")
    sees(watching, "Grace's turn")


def test_a_reload_finds_the_running_game(ada: Page, grace: Page) -> None:
    cell(ada, 4).click()
    sees(grace, "Your turn")
    ada.reload()
    expect(cell(ada, 4)).to_have_text("\u00d7")
    cell(grace, 0).click()
    sees(ada, "Your turn")
    expect(ada.locator("#player-x")).to_contain_text("Ada (you)")


def test_the_clock_runs_on_the_page(ada: Page, grace: Page) -> None:
    expect(ada.locator("#player-x .clock")).to_have_text("28 s")
    expect(ada.locator("#player-o .clock")).to_have_text("")


def test_who_leaves_is_away_and_what_they_type_is_text(open_page: OpenPage) -> None:
    page = open_page("/")
    sit(page, SCRIPT)
    other = open_page(page.url, **PHONE)
    expect(other.locator("#player-x .name")).to_have_text(SCRIPT)
    page.close()
    expect(other.locator("#player-x .name")).to_have_text(f"{SCRIPT} (away)")


def test_the_page_fits(open_page: OpenPage) -> None:
    for options in ({}, PHONE, {"viewport": {"width": 320, "height": 568}}):
        page = open_page("/", **options)
        sees(page, "The game needs two players")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
