"""The chat of fixtures/chat, as people in two browsers meet it."""

import re

import pytest
from partyserver.testing import Party
from playwright.sync_api import Locator, Page, expect

from .conftest import OpenPage

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCRIPT = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b> &amp;"


class Person:
    """Someone in front of a page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name

    def join(self, room: str | None = None) -> None:
        self.page.get_by_label("Your name").fill(self.name)
        if room is not None:
            self.page.get_by_label("Room").fill(room)
        self.page.get_by_role("button", name="Join").click()
        expect(self.status).to_have_text("Connected")

    def write(self, text: str) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def leave(self) -> None:
        self.page.get_by_role("button", name="Leave").click()

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#messages .text")

    def sees_messages(self, *texts: str) -> None:
        expect(self.messages).to_have_text(list(texts))

    def sees_people(self, *names: str) -> None:
        people = self.page.get_by_role("list", name="Here now").get_by_role("listitem")
        expect(people.locator("[dir]")).to_have_text(list(names))

    def sees_notice(self, text: str) -> None:
        expect(self.page.locator("#messages .notice").last).to_have_text(text)


@pytest.fixture
def ada(open_page: OpenPage) -> Person:
    person = Person(open_page("/?room=engine"), "Ada")
    person.join()
    return person


@pytest.fixture
def grace(open_page: OpenPage, ada: Person) -> Person:
    person = Person(open_page("/?room=engine", **PHONE), "Grace")
    person.join()
    ada.sees_people("Ada", "Grace")
    return person


def test_both_see_what_both_say(ada: Person, grace: Person) -> None:
    ada.write("Is the engine ready?")
    grace.sees_messages("Is the engine ready?")
    grace.write("Almost")
    for person in (ada, grace):
        person.sees_messages("Is the engine ready?", "Almost")


def test_own_messages_stand_apart(ada: Person, grace: Person) -> None:
    ada.write("mine")
    grace.sees_messages("mine")
    grace.write("hers")
    for person, own in ((ada, "mine"), (grace, "hers")):
        expect(person.page.locator("#messages .own .text")).to_have_text([own])


def test_the_page_shows_who_comes_and_goes(ada: Person, grace: Person) -> None:
    ada.sees_notice("Grace joined")
    grace.sees_people("Ada", "Grace")
    grace.leave()
    ada.sees_notice("Grace left")
    ada.sees_people("Ada")
    expect(grace.page.get_by_role("heading", name="Join the chat")).to_be_visible()


def test_a_closed_window_is_a_leave(ada: Person, grace: Person) -> None:
    grace.page.close()
    ada.sees_people("Ada")


def test_a_reload_finds_the_history_and_the_name(ada: Person, grace: Person) -> None:
    ada.write("first")
    grace.write("second")
    ada.sees_messages("first", "second")
    grace.page.reload()
    expect(grace.status).to_have_text("Connected")
    grace.sees_messages("first", "second")
    grace.sees_people("Ada", "Grace")


def test_who_is_back_finds_where_the_new_begins(ada: Person, grace: Person) -> None:
    ada.write("seen")
    grace.sees_messages("seen")
    grace.leave()
    ada.sees_notice("Grace left")
    ada.write("not seen")
    ada.write("nor this")
    ada.sees_messages("seen", "not seen", "nor this")
    grace.join()
    lines = grace.page.locator("#messages li")
    expect(lines).to_have_text(
        [*map(re.compile, ("seen", "New since you left", "not seen", "nor this"))]
    )
    expect(grace.page.locator("#messages .byline:visible")).to_have_text([re.compile("Ada")] * 2)


def test_two_tabs_are_one_person(ada: Person, grace: Person) -> None:
    tab = Person(grace.page.context.new_page(), "Grace")
    tab.page.goto("/?room=engine")
    tab.join()
    tab.sees_people("Ada", "Grace")
    ada.sees_people("Ada", "Grace")
    grace.page.close()
    tab.write("still here")
    ada.sees_messages("still here")
    ada.sees_people("Ada", "Grace")
    expect(ada.page.locator("#messages .notice")).to_have_text(["Grace joined"])


def test_who_may_not_come_in_is_told_why(ada: Person) -> None:
    ada.page.evaluate("sessionStorage.setItem('name', 'x'.repeat(33))")
    ada.page.reload()
    expect(ada.page.get_by_role("alert")).to_have_text("A name has 1 to 32 characters.")
    expect(ada.page.get_by_role("heading", name="Join the chat")).to_be_visible()
    ada.join()
    ada.sees_people("Ada")
    expect(ada.page.get_by_role("alert")).to_have_count(0)


def test_the_page_says_that_older_messages_are_gone(
    party: Party, ada: Person, open_page: OpenPage
) -> None:
    socket = party.room("Chat", "engine").connect(query={"name": "Bob"})
    for number in range(101):
        socket.send_json({"type": "say", "text": str(number)})
    ada.sees_messages(*map(str, range(101)))
    alan = Person(open_page("/?room=engine"), "Alan")
    alan.join()
    alan.sees_messages(*map(str, range(1, 101)))
    alan.sees_notice("Some messages are no longer kept")


def test_rooms_are_apart(ada: Person, open_page: OpenPage) -> None:
    other = Person(open_page("/"), "Alan")
    other.join(room="a room / 2?")
    ada.write("in the engine room")
    ada.sees_messages("in the engine room")
    other.write("elsewhere")
    other.sees_messages("elsewhere")
    other.sees_people("Alan")
    ada.sees_people("Ada")
    ada.sees_messages("in the engine room")


def test_the_link_leads_others_into_the_room(open_page: OpenPage) -> None:
    ada = Person(open_page("/"), "Ada")
    ada.join(room="é & #1")
    grace = Person(open_page(ada.page.url), "Grace")
    grace.join()
    ada.sees_people("Ada", "Grace")
    expect(grace.page.get_by_role("heading", level=1)).to_have_text("é & #1")


def test_what_others_type_is_text(ada: Person, grace: Person) -> None:
    ada.write(SCRIPT)
    grace.sees_messages(SCRIPT)
    expect(grace.messages.locator("*")).to_have_count(0)
    expect(grace.page).to_have_title("engine · Chat")


def test_a_name_is_text(ada: Person, open_page: OpenPage) -> None:
    other = Person(open_page("/?room=engine"), "<b>Bob</b>")
    other.join()
    ada.sees_people("<b>Bob</b>", "Ada")
    ada.sees_notice("<b>Bob</b> joined")


def test_everyone_is_back_after_the_server_restarts(
    party: Party, ada: Person, grace: Person
) -> None:
    ada.write("before")
    grace.sees_messages("before")
    ada.page.evaluate("""
        window.states = [];
        const status = document.querySelector("[role=status]");
        new MutationObserver(() => states.push(status.textContent))
            .observe(status, { childList: true });
    """)

    party.restart()
    other = party.room("Chat", "engine").connect(query={"name": "Bob"})
    other.send_json({"type": "say", "text": "meanwhile"})
    other.receive_json(until={"type": "event"})
    other.close()

    ada.page.wait_for_function("states.includes('Reconnecting…') && states.at(-1) === 'Connected'")
    expect(grace.status).to_have_text("Connected")
    for person in (ada, grace):
        person.sees_people("Ada", "Grace")
        person.sees_messages("before", "meanwhile")
    grace.write("after")
    for person in (ada, grace):
        person.sees_messages("before", "meanwhile", "after")


def test_a_room_that_slept_knows_who_is_in_it(party: Party, ada: Person, grace: Person) -> None:
    ada.write("good night")
    grace.sees_messages("good night")
    party.room("Chat", "engine").hibernate()
    grace.write("good morning")
    ada.sees_messages("good night", "good morning")
    expect(ada.page.locator("#messages .message").last.locator("b")).to_have_text("Grace")
    ada.sees_people("Ada", "Grace")


def test_the_newest_message_is_in_view(ada: Person, grace: Person) -> None:
    for number in range(30):
        ada.write(f"line {number}")
        expect(ada.messages).to_have_count(number + 1)
    expect(grace.messages.last).to_have_text("line 29")
    expect(grace.messages.last).to_be_in_viewport()


def test_a_reader_of_old_messages_is_left_alone(ada: Person, grace: Person) -> None:
    ada.write("\n".join(map(str, range(80))))
    expect(grace.messages).to_have_count(1)
    expect(grace.page.locator("#newest")).to_be_hidden()
    grace.page.locator("#log").evaluate(
        "log => new Promise(done => {log.onscroll = done; log.scrollTop = 0 })"
    )
    ada.write("new")
    grace.page.get_by_role("button", name="New messages").click()
    expect(grace.messages.last).to_be_in_viewport()


def test_a_phone_need_not_scroll_sideways(ada: Person, grace: Person) -> None:
    ada.write("w" * 500)
    grace.write("x" * 500)
    expect(grace.messages).to_have_count(2)
    width = grace.page.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE["viewport"]["width"]  # type: ignore[index]
    for control in (grace.page.get_by_label("Message", exact=True), grace.status):
        expect(control).to_be_in_viewport(ratio=1)


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page("/?room=engine")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Connected")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type("hello")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("world")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").locator(".text")).to_have_text(["hello\nworld"])
