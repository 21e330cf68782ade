"""The assistant of fixtures/agent, as somebody with a browser meets it."""

import itertools
import re

import pytest
from partyserver.testing import Party
from playwright.sync_api import Locator, Page, expect

from .conftest import NAME, OpenPage, OpenTab, run_due

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCRIPT = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b> &amp;"
LAST_WORDS = "With a key of a real model I can do the rest."

#: Keeps what stands in the answer whenever that has changed.
WATCHING = """
    window.seen = [];
    new MutationObserver(() => {
        const text = document.querySelector(".answering .text:not(.dots)")?.textContent;
        if (text && text !== seen.at(-1)) seen.push(text);
    }).observe(document, { subtree: true, childList: true, characterData: true });
"""


def status(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_have_text(text)


def ask(page: Page, text: str) -> None:
    page.get_by_label("Question").fill(text)
    page.keyboard.press("Enter")


def said(page: Page) -> Locator:
    return page.locator("li:not(.answering) > .text")


def answered(page: Page, count: int) -> None:
    expect(page.locator("li.assistant:not(.answering)")).to_have_count(count)


def reminders(page: Page) -> Locator:
    return page.get_by_role("list", name="Reminders").get_by_role("listitem")


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    page = open_page(f"/?chat={NAME}")
    status(page, "Connected")
    return page


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    page = open_page(f"/?chat={NAME}", **PHONE)
    status(page, "Connected")
    return page


def test_an_answer_grows_word_by_word(page: Page) -> None:
    page.evaluate(WATCHING)
    ask(page, "Hello?")
    answered(page, 1)
    seen = page.evaluate("seen")
    whole = said(page).last.text_content()
    assert len(seen) > 2
    assert all(whole.startswith(text) for text in seen)
    assert all(len(one) < len(next) for one, next in itertools.pairwise(seen))
    assert whole.endswith(LAST_WORDS)
    expect(page.get_by_label("Question")).to_have_value("")
    expect(page.get_by_label("Question")).to_be_focused()


def test_a_reload_finds_the_conversation(party: Party, page: Page) -> None:
    ask(page, "Hello?")
    answered(page, 1)
    before = said(page).all_text_contents()
    for change in (lambda: None, party.room("Assistant", NAME).hibernate, party.restart):
        change()
        page.reload()
        expect(said(page)).to_have_text(before)


def test_a_second_page_sees_it(page: Page, phone: Page) -> None:
    ask(page, "Hello?")
    expect(phone.locator(".answering")).to_contain_text("An answer is being written")
    for one in (page, phone):
        expect(said(one)).to_have_text(["Hello?", re.compile(LAST_WORDS)])
    ask(phone, "And now?")
    expect(said(page)).to_have_count(4)
    expect(page.locator("li.user .text")).to_have_text(["Hello?", "And now?"])


def test_words_of_an_earlier_answer_stand_for_no_other(page: Page, open_tab: OpenTab) -> None:
    ask(page, "Hello?")
    answered(page, 1)
    open_tab().start("ask", "And from another page?")
    expect(page.locator(".answering")).to_contain_text("An answer is being written")
    answered(page, 2)


def test_an_answer_comes_though_its_page_was_reloaded(page: Page) -> None:
    ask(page, "Hello?")
    expect(page.locator(".answering")).to_contain_text("You said")
    page.reload()
    expect(said(page)).to_have_text(["Hello?", re.compile(LAST_WORDS)])


def test_a_reminder_comes_after_the_agent_has_slept(party: Party, page: Page) -> None:
    ask(page, "Remind me in 2 hours to stretch")
    expect(reminders(page)).to_have_text([re.compile("stretch")])
    answered(page, 1)
    party.room("Assistant", NAME).hibernate()
    assert run_due(party) == 1
    expect(page.locator("li.reminder .text")).to_have_text("stretch")
    expect(reminders(page)).to_have_count(0)
    page.reload()
    expect(page.locator("li.reminder .text")).to_have_text("stretch")


def test_a_reminder_is_cancelled_on_all_pages(party: Party, page: Page, phone: Page) -> None:
    for text in ("stretch", "drink"):
        ask(page, f"Remind me in 2 hours to {text}")
        expect(page.locator("li.assistant:not(.answering)").last).to_contain_text(text)
    phone.get_by_role("button", name="Cancel: stretch").click()
    for one in (page, phone):
        expect(reminders(one)).to_have_text([re.compile("drink")])
    assert run_due(party) == 1
    expect(page.locator("li.reminder .text")).to_have_text(["drink"])


def test_a_question_that_was_cut_off_is_asked_again(party: Party, page: Page) -> None:
    ask(page, "Hello?")
    expect(page.locator(".answering")).to_contain_text("You said")
    party.restart()
    page.get_by_role("button", name="Ask again").click()
    expect(said(page)).to_have_text(["Hello?", re.compile(LAST_WORDS)])
    expect(page.get_by_role("button", name="Ask again")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_page_connects_again(party: Party, page: Page) -> None:
    page.evaluate("""
        window.states = [];
        const status = document.querySelector("[role=status]");
        new MutationObserver(() => states.push(status.textContent))
            .observe(status, { subtree: true, childList: true, characterData: true });
    """)
    party.restart()
    page.wait_for_function("states.includes('Reconnecting…') && states.at(-1) === 'Connected'")
    ask(page, "Hello?")
    answered(page, 1)


def test_without_a_network_the_page_says_so_and_keeps_what_is_typed(page: Page) -> None:
    page.context.set_offline(True)
    status(page, "Offline")
    ask(page, "Hello?")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    expect(page.get_by_label("Question")).to_have_value("Hello?")
    page.context.set_offline(False)
    status(page, "Connected")
    page.get_by_role("button", name="Send").click()
    answered(page, 1)


def test_who_is_refused_is_told_why(open_page: OpenPage) -> None:
    page = open_page("/?chat=short")
    status(page, "Refused")
    told = page.get_by_role("alert")
    expect(told).to_have_text("The name of a conversation has 16 to 64 letters, digits, - and _.")
    expect(page.get_by_label("Question")).to_be_disabled()
    page.get_by_role("link", name="New conversation").click()
    status(page, "Connected")


def test_a_question_that_is_refused_is_told(page: Page, open_tab: OpenTab) -> None:
    page.evaluate("document.querySelector('#text').maxLength = 9999")
    ask(page, "x" * 2001)
    expect(page.get_by_role("alert")).to_have_text("text: Expected `str` of length <= 2000")
    tab = open_tab()
    assert tab.said() == []
    ask(page, "Hello?")
    answered(page, 1)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_new_conversation_has_a_name_that_nobody_can_guess(open_page: OpenPage) -> None:
    page = open_page("/")
    status(page, "Connected")
    assert re.search(r"\?chat=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", page.url)
    expect(page.get_by_role("heading", name="How can I help?")).to_be_visible()
    page.get_by_role("button", name="What time is it?").click()
    expect(said(page).last).to_contain_text("UTC")
    first = page.url
    page.get_by_role("link", name="New conversation").click()
    expect(page.get_by_role("heading", name="How can I help?")).to_be_visible()
    assert page.url != first


def test_what_is_said_is_text(page: Page) -> None:
    ask(page, SCRIPT)
    answered(page, 1)
    expect(said(page).first).to_have_text(SCRIPT)
    expect(said(page).locator("*")).to_have_count(0)
    expect(page).to_have_title("Assistant")


def test_the_keyboard_is_enough(page: Page) -> None:
    expect(page.get_by_label("Question")).to_be_focused()
    page.keyboard.type("Remind me in 2 hours to stretch")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("my legs")
    page.keyboard.press("Enter")
    cancel = page.get_by_role("button", name="Cancel: stretch")
    expect(cancel).to_be_visible()
    answered(page, 1)
    expect(said(page).first).to_have_text("Remind me in 2 hours to stretch\nmy legs")
    for _ in range(9):
        if cancel.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(reminders(page)).to_have_count(0)
    expect(page.get_by_label("Question")).to_be_focused()


def test_a_screen_reader_hears_an_answer_when_it_is_whole(page: Page) -> None:
    log = page.get_by_role("log", name="Conversation")
    expect(log).to_have_attribute("aria-busy", "false")
    ask(page, "Hello?")
    expect(log).to_have_attribute("aria-busy", "true")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(log).to_contain_text(LAST_WORDS)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_fits(open_page: OpenPage, width: int) -> None:
    page = open_page(f"/?chat={NAME}", viewport={"width": width, "height": 640})
    status(page, "Connected")
    for count, text in enumerate(("w" * 300, f"Remind me in 2 hours to {'x' * 150}"), 1):
        ask(page, text)
        answered(page, count)
    expect(reminders(page)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('#log').scrollWidth <= innerWidth")
    for shown in (said(page).last, page.get_by_label("Question"), page.get_by_role("status")):
        expect(shown).to_be_in_viewport(ratio=1)


def test_the_page_asks_nobody_else(open_page: OpenPage, party: Party) -> None:
    page = open_page("/icon.svg")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/?chat={NAME}")
    status(page, "Connected")
    assert {"assistant.js", "style.css"} <= {url.rpartition("/")[2] for url in asked}
    assert all(url.startswith(party.url) for url in asked)
