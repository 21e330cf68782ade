"""The notebook of fixtures/notes, as two people with browsers meet it."""

import json
import re

import pytest
from partyserver.testing import Party
from partyserver.yjs import frames
from playwright.sync_api import Locator, Page, WebSocket, expect

from ..yjs.wire import pointers, points
from .conftest import Note, OpenPage, Visit, status

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCRIPT = '<img src=x onerror="window.hacked = 1"><b>bold</b>'


def text(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Note")


def has(page: Page, *lines: str) -> None:
    """Wait until these are the note's lines. Cursors of others hold names, and no text of it."""
    page.wait_for_function(
        """lines => JSON.stringify(lines) === JSON.stringify(
            [...document.querySelectorAll("#editor .cm-line")].map(line => {
                const copy = line.cloneNode(true);
                for (const one of copy.querySelectorAll(".cm-ySelectionCaret, .cm-placeholder"))
                    one.remove();
                return copy.textContent;
            }))""",
        arg=list(lines),
    )


def type_at_end(page: Page, words: str) -> None:
    text(page).focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type(words)


def cursors(page: Page) -> Locator:
    """The names at the cursors of others."""
    return page.locator("#editor .cm-ySelectionInfo")


def people(page: Page) -> Locator:
    return page.get_by_role("list", name="Who is here").get_by_role("listitem")


@pytest.fixture
def ada(visit: Visit) -> Page:
    return visit("Ada Lovelace")


@pytest.fixture
def bob(visit: Visit) -> Page:
    return visit("Bob", color="#2e7d32", **PHONE)


def test_two_people_write_and_see_each_others_cursors(ada: Page, bob: Page) -> None:
    type_at_end(ada, "# Plans\nTrain")
    has(bob, "# Plans", "Train")
    expect(bob.locator(".heading1").last).to_have_text("Plans")
    expect(cursors(bob)).to_have_text(["Ada Lovelace"])
    type_at_end(bob, " at 7")
    has(ada, "# Plans", "Train at 7")
    expect(cursors(ada)).to_have_text(["Bob"])
    expect(ada.locator(".cm-ySelectionCaret")).to_have_css("border-left-color", "rgb(46, 125, 50)")
    expect(people(ada)).to_have_text(["AL", "B"])
    expect(people(bob)).to_have_text(["B", "AL"])
    for page in (ada, bob):
        expect(page).to_have_title("Plans")
    bob.context.close()
    expect(people(ada)).to_have_text(["AL"])
    expect(cursors(ada)).to_have_count(0)


def test_a_mark_and_what_undo_undoes(ada: Page, bob: Page) -> None:
    type_at_end(ada, "seven")
    has(bob, "seven")
    ada.keyboard.press("ControlOrMeta+a")
    ada.keyboard.press("ControlOrMeta+b")
    has(bob, "**seven**")
    expect(bob.locator(".strong:not(.sign)")).to_have_css("font-weight", "700")
    ada.get_by_role("button", name="Bold").click()
    has(bob, "seven")
    type_at_end(bob, " or eight")
    has(ada, "seven or eight")
    undo = ada.get_by_role("button", name="Undo")
    ada.keyboard.press("ControlOrMeta+z")
    while undo.is_enabled():
        undo.click()
    has(ada, " or eight")
    has(bob, " or eight")
    ada.keyboard.press("ControlOrMeta+z")
    type_at_end(ada, "!")
    has(bob, " or eight!")
    bob.get_by_role("button", name="Undo").click()
    has(bob, "!")
    bob.get_by_role("button", name="Redo").click()
    has(ada, " or eight!")


def test_both_go_offline_and_come_back(ada: Page, bob: Page) -> None:
    type_at_end(ada, "middle")
    has(bob, "middle")
    for page in (ada, bob):
        page.context.set_offline(True)
        status(page, "Offline")
        expect(page.get_by_role("alert")).to_have_text(
            "You are offline. Your edits are kept here, and sent when you are back."
        )
    text(ada).focus()
    ada.keyboard.press("ControlOrMeta+Home")
    ada.keyboard.type("begin ")
    type_at_end(bob, " end")
    has(ada, "begin middle")
    has(bob, "middle end")
    for page in (ada, bob):
        page.context.set_offline(False)
        status(page, "Connected")
        expect(page.get_by_role("alert")).to_be_hidden()
    for page in (ada, bob):
        has(page, "begin middle end")
        expect(people(page)).to_have_count(2)


def test_what_is_typed_offline_outlives_its_page(note: Note, ada: Page, bob: Page) -> None:
    ada.context.set_offline(True)
    status(ada, "Offline")
    type_at_end(ada, "on the train")
    has(ada, "on the train")
    ada.evaluate(STORED)
    url, context = ada.url, ada.context
    ada.close()
    context.set_offline(False)
    has(bob, "")
    reader = context.new_page()
    reader.goto(note.link("read"))
    status(reader, "Not saved")
    expect(reader.get_by_role("alert")).to_have_text(
        "This document is read-only. Your last edits are in this browser alone."
    )
    has(reader, "on the train")
    has(bob, "")
    context.new_page().goto(url)
    has(bob, "on the train")


#: Resolves when what has been typed is in the browser's database: later transactions come after.
STORED = """async () => {
    const [{ name }] = await indexedDB.databases();
    const db = await new Promise((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
    });
    const counting = db.transaction("updates", "readwrite").objectStore("updates").count();
    await new Promise((resolve) => (counting.onsuccess = resolve));
    db.close();
}"""


#: The page has forgotten the note: what it shows after a reload is from the server.
FORGOTTEN = """async () => {
    const [{ name }] = await indexedDB.databases();
    await new Promise((resolve, reject) => {
        const deleting = indexedDB.deleteDatabase(name);
        deleting.onsuccess = resolve;
        deleting.onerror = deleting.onblocked = reject;
    });
}"""


def test_a_note_is_kept_and_the_page_connects_again(
    party: Party, note: Note, ada: Page, bob: Page
) -> None:
    type_at_end(ada, "before ")
    has(bob, "before ")
    note.room.hibernate()
    ada.evaluate(FORGOTTEN)
    ada.reload()
    status(ada, "Connected")
    has(ada, "before ")
    bob.evaluate("""() => {
        window.states = [];
        const status = document.querySelector("#status");
        new MutationObserver(() => states.push(status.textContent))
            .observe(status, { subtree: true, childList: true, characterData: true });
    }""")
    party.restart()
    bob.wait_for_function("() => states.includes('Reconnecting…') && states.at(-1) === 'Connected'")
    assert "a secret that everybody knows" in str(party.logs)
    type_at_end(bob, "after")
    has(ada, "before after")
    ada.evaluate(FORGOTTEN)
    ada.reload()
    has(ada, "before after")


def test_a_room_sleeps_between_two_keys(note: Note, ada: Page, bob: Page, visit: Visit) -> None:
    type_at_end(ada, "a")
    has(bob, "a")
    note.room.hibernate()
    type_at_end(bob, "b")
    has(ada, "ab")
    note.room.hibernate()
    eve = visit("Eve")
    has(eve, "ab")
    expect(people(eve)).to_have_count(3)
    expect(cursors(eve)).to_have_count(2)
    note.room.hibernate()
    bob.context.close()
    expect(people(ada)).to_have_count(2)


def test_who_may_only_read_sees_all_and_changes_nothing(ada: Page, visit: Visit) -> None:
    type_at_end(ada, "to be read")
    reader = visit("Reader", "read", **PHONE)
    has(reader, "to be read")
    expect(reader.get_by_text("Read only", exact=True)).to_be_visible()
    expect(reader.get_by_role("toolbar")).to_be_hidden()
    expect(text(reader)).to_have_attribute("contenteditable", "false")
    text(reader).focus()
    reader.keyboard.type("not this")
    reader.keyboard.press("ControlOrMeta+b")
    type_at_end(ada, ", live")
    has(reader, "to be read, live")
    has(ada, "to be read, live")
    expect(people(ada)).to_have_text(["AL", "R"])
    reader.get_by_role("button", name="Share").click()
    expect(reader.get_by_label("To edit")).to_be_hidden()
    expect(reader.get_by_label("To read only")).to_have_value(reader.url)


def test_links_are_shared(note: Note, ada: Page, party: Party) -> None:
    ada.get_by_role("button", name="Share").click()
    expect(ada.get_by_label("To edit")).to_have_value(ada.url)
    expect(ada.get_by_label("To read only")).to_have_value(party.url + note.link("read"))


@pytest.mark.parametrize("end", ["x", ""])
def test_a_link_that_is_none_is_told(open_page: OpenPage, note: Note, end: str) -> None:
    page = open_page(f"/#{note.name}.{end}")
    status(page, "Refused")
    expect(page.get_by_role("alert")).to_have_text("This link is none of a note. Ask for it again.")
    expect(text(page)).to_have_attribute("contenteditable", "false")
    expect(page.get_by_role("button", name="Share")).to_be_disabled()


def test_a_server_without_a_secret_says_what_to_do(open_page: OpenPage, party: Party) -> None:
    page = open_page("/icon.svg")
    # Chromium finds it at the same address, and the worker takes it for the internet's.
    page.goto(party.url.replace("127.0.0.1", "notes.localhost"))
    status(page, "Refused")
    expect(page.get_by_role("alert")).to_contain_text("npx wrangler secret put NOTES_SECRET")


def test_a_new_note_asks_once_for_a_name(open_page: OpenPage) -> None:
    page = open_page("/")
    status(page, "Connected")
    assert re.search(r"/#[\w-]{16}\.[\w-]{24}$", page.url)
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_role("radio").last.check()
    page.keyboard.press("Enter")
    expect(people(page)).to_have_text(["GH"])
    page.reload()
    expect(people(page)).to_have_text(["GH"])
    expect(page.get_by_role("dialog")).to_have_count(0)
    first = page.url
    page.get_by_role("link", name="New").click()
    page.wait_for_url(re.compile(r"#[\w-]+\.[\w-]+$"))
    status(page, "Connected")
    assert page.url != first


def test_what_others_say_of_themselves_is_text(ada: Page, visit: Visit) -> None:
    mallory = visit(SCRIPT, color="red; background: url(https://example.org/)")
    type_at_end(mallory, SCRIPT)
    has(ada, SCRIPT)
    expect(cursors(ada)).to_have_text([SCRIPT[:40]])
    # The same colour as what is not of the list.
    bob = visit("Bob")
    type_at_end(bob, "!")
    expect(cursors(ada)).to_have_text([SCRIPT[:40], "Bob"])
    bob.get_by_role("button", name="Bob (you)").click()
    bob.get_by_label("Your name").fill("Robert")
    bob.keyboard.press("Enter")
    expect(cursors(ada)).to_have_text([SCRIPT[:40], "Robert"])
    bob.context.close()
    expect(ada.locator("#editor img:not(.cm-widgetBuffer), #people img, .cm-line b")).to_have_count(
        0
    )
    expect(people(ada).last.locator("span")).to_have_css("background-color", "rgb(192, 57, 43)")
    assert ada.evaluate("window.hacked") is None


def test_others_break_no_cursors_and_are_not_one_self(note: Note, ada: Page, bob: Page) -> None:
    type_at_end(ada, "here")
    has(bob, "here")
    expect(cursors(bob)).to_have_text(["Ada Lovelace"])
    end = {"type": None, "tname": "content", "item": None, "assoc": 0}
    with note.room.connect(query={"key": note.read}) as mallory:
        while isinstance(message := mallory.receive(), str) or message[0] != frames.AWARENESS:
            pass
        [client] = (id for id, _, state in pointers(message) if "Ada" in state)
        for number, place in enumerate(({}, 5, {"item": {}}, {"tname": "x"}, end), 1):
            state = {
                "user": {"name": f"Mallory {number}"},
                "cursor": {"anchor": place, "head": place},
            }
            mallory.send(points((1, number, json.dumps(state))))
        # Those before have come, too.
        expect(cursors(bob)).to_have_text(["Ada Lovelace", "Mallory 5"])
        state = {"user": {"name": "Not Ada"}, "cursor": {"anchor": {}, "head": 5}}
        mallory.send(points((client, 1000, json.dumps(state))))
        told = None
        while told is None or told[1] <= 1000:
            message = mallory.receive()
            if isinstance(message, bytes) and message[0] == frames.AWARENESS:
                told = next((one for one in pointers(message) if one[0] == client), told)
        assert "Ada Lovelace" in told[2]
        type_at_end(ada, "!")
        has(bob, "here!")
        expect(cursors(bob)).to_have_text(["Ada Lovelace", "Mallory 5"])
        expect(people(ada)).to_have_text(["AL", "M5", "B"])


def test_the_page_fits(visit: Visit, ada: Page) -> None:
    text(ada).focus()
    ada.keyboard.insert_text(f"# {'w' * 200}")  # each key by itself would be over the rate
    ada.keyboard.press("Enter")
    ada.keyboard.insert_text("long " * 60)
    page = visit("N" * 40)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        expect(page.locator(".heading1").last).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.querySelector('.cm-scroller').scrollWidth <= innerWidth")
        for name in ("History", "Share", "Undo"):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        expect(page.locator("#status")).to_be_in_viewport(ratio=1)


def test_the_page_asks_nobody_else(open_page: OpenPage, party: Party, note: Note) -> None:
    page = open_page("/icon.svg")
    asked: list[str] = []
    sockets: list[str] = []
    sent: list[str | bytes] = []

    def watch(socket: WebSocket) -> None:
        sockets.append(socket.url)
        socket.on("framesent", lambda payload: sent.append(payload))

    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", watch)
    page.goto(note.link())
    status(page, "Connected")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    with note.room.connect(query={"key": note.read}) as other:
        other.send(points((1, 1, '{"user": {"name": "Bob"}}')))
        expect(people(page)).to_have_text(["A", "B"])
    expect(people(page)).to_have_text(["A"])
    page.get_by_role("button", name="History").click()
    expect(page.locator("#told")).to_contain_text("Nothing yet")
    assert {"notes.js", "style.css"} <= {url.rpartition("/")[2] for url in asked}
    assert all(url.startswith(party.url) for url in asked)
    # A log of requests has the key of the socket alone.
    assert not any(note.edit in url for url in asked)
    address = f"{party.url.replace('http', 'ws')}/parties/notes/{note.name}?"
    assert sockets
    assert all(url.startswith(address) and f"key={note.edit}" in url for url in sockets)
    # What others say of themselves, it does not send back.
    pointed = [frame for frame in sent if isinstance(frame, bytes) and frame[0] == frames.AWARENESS]
    assert pointed
    assert not any(client == 1 for frame in pointed for client, _, _ in pointers(frame))
