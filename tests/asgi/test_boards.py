"""fixtures/fastapi, as people in two browsers meet it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..chromium import browser, open_page

__all__ = ["browser", "open_page"]

FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "fastapi"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def party_config():
    return FIXTURE / "wrangler.toml"


class Person:
    """Someone in front of a page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name

    def log_in(self, passphrase="tea at four", board=None):
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_label("Passphrase").fill(passphrase)
        if board is not None:
            self.page.get_by_label("Board").fill(board)
        self.page.get_by_role("button", name="Log in").click()

    def is_connected(self):
        expect(self.page.get_by_role("status")).to_have_text("Connected")

    def add(self, text):
        self.page.get_by_label("New item").fill(text)
        self.page.keyboard.press("Enter")

    def sees_items(self, *texts):
        expect(self.page.locator("#items .text")).to_have_text(list(texts))

    def sees_people(self, *names):
        people = self.page.get_by_role("list", name="Here now").get_by_role("listitem")
        expect(people).to_have_text(list(names))


@pytest.fixture
def ada(open_page):
    person = Person(open_page("/?board=garden"), "Ada")
    person.log_in()
    person.is_connected()
    return person


@pytest.fixture
def grace(open_page, ada):
    person = Person(open_page("/?board=garden", **PHONE), "Grace")
    person.log_in()
    person.is_connected()
    return person


def test_both_see_what_either_does(ada, grace):
    ada.sees_people("Ada", "Grace")
    ada.add("Water the beans")
    grace.sees_items("Water the beans")
    grace.add("Pick the <b>plums</b>")
    ada.sees_items("Water the beans", "Pick the <b>plums</b>")
    expect(ada.page.locator("#items small")).to_have_text(["Ada", "Grace"])

    box = grace.page.get_by_role("checkbox", name="Water the beans")
    ada.page.get_by_role("checkbox", name="Water the beans").check()
    expect(box).to_be_checked()
    grace.page.get_by_role("button", name="Remove Water the beans").click()
    ada.sees_items("Pick the <b>plums</b>")
    grace.page.get_by_role("button", name="Log out").click()
    ada.sees_people("Ada")


def test_a_wrong_passphrase(open_page):
    person = Person(open_page("/"), "Ada")
    person.log_in("coffee")
    expect(person.page.get_by_role("alert")).to_have_text("That is not the passphrase.")
    expect(person.page.get_by_role("heading", name="Log in")).to_be_visible()
    person.log_in(board="a board / 2?")
    person.is_connected()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("a board / 2?")


def test_an_item_that_the_server_refuses(ada):
    ada.add("   ")
    expect(ada.page.get_by_role("alert")).to_contain_text("at least 1 character")
    ada.add("something")
    expect(ada.page.locator("#error")).to_be_hidden()
    ada.sees_items("something")


def test_a_reload_stays_logged_in(ada):
    ada.add("one")
    ada.sees_items("one")
    ada.page.reload()
    ada.is_connected()
    ada.sees_items("one")
    ada.sees_people("Ada")


def test_a_token_that_is_no_longer_good_leads_back_to_the_login(ada):
    ada.page.evaluate("sessionStorage.setItem('token', 'expired.token')")
    ada.page.reload()
    expect(ada.page.get_by_role("alert")).to_have_text("Your login has expired.")
    ada.log_in()
    ada.is_connected()


def test_everyone_is_back_after_the_server_restarts(party, ada, grace):
    ada.add("before")
    grace.sees_items("before")
    party.restart()
    for person in (ada, grace):
        person.sees_people("Ada", "Grace")
    grace.add("after")
    ada.sees_items("before", "after")


def test_a_phone_need_not_scroll_sideways(ada, grace):
    ada.add("w" * 200)
    grace.add("x" * 100)
    expect(grace.page.locator("#items li")).to_have_count(2)
    assert grace.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_keyboard_is_enough(open_page):
    page = open_page("/")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type("tea at four")
    page.keyboard.press("Enter")
    expect(page.get_by_label("New item")).to_be_focused()
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    expect(page.locator("#items .text")).to_have_text(["typed"])
