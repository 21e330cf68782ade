"""The room of fixtures/notes with a secret, by frames; and its history, also in Chromium.

Here a snapshot for each second stays, and one of 1,000 bytes is too large.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from partyserver.testing import Party, Socket
from partyserver.yjs import frames
from playwright.sync_api import Page, WebSocket, expect

from ..yjs import vectors
from ..yjs.wire import answers, edit, news
from .conftest import FIXTURE, Note, Visit, module, status
from .test_page import STORED, has, text, type_at_end

SECRET = "a secret of the tests, of some length"

MAIN = """
import math

import snapshots

snapshots.SPANS = ((math.inf, 1),)
snapshots.LARGEST = 1000

import worker
from worker import Default


class Notes(worker.Notes):
    options = {**worker.Notes.options, "max_message_size": 5000}
"""

links = module("links")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    for name in ("worker.py", "links.py", "snapshots.py"):
        (folder / name).write_text((FIXTURE / name).read_text())
    (folder / "main.py").write_text(MAIN)
    for name in ("public", "python_modules"):
        (folder / name).symlink_to(FIXTURE / name)
    config = (FIXTURE / "wrangler.toml").read_text().partition("[build]")[0]
    assert 'main = "worker.py"' in config
    (folder / "wrangler.toml").write_text(config.replace('"worker.py"', '"main.py"'))
    (folder / ".dev.vars").write_text(f'NOTES_SECRET="{SECRET}"\n')
    return folder


@pytest.fixture
def party_config(project: Path) -> Path:
    return project / "wrangler.toml"


def come(note: Note, key: str) -> Socket:
    """Somebody with this key, who has been told what they may do."""
    socket = note.room.connect(query={"key": key})
    while not isinstance(socket.receive(), str):
        pass
    return socket


def ask(note: Note, path: str, key: str, method: str = "GET") -> httpx.Response:
    return note.room.fetch(path, method, headers={"Authorization": f"Bearer {key}".strip()})


def history(note: Note, key: str) -> list[int]:
    answer = ask(note, "/history", key)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    times: list[int] = answer.json()
    return times


def test_the_keys_are_made_by_the_secret(party: Party, note: Note) -> None:
    assert note.edit == links.make_key(SECRET, note.name, "edit")
    assert note.read == links.make_key(SECRET, note.name, "read")
    assert "a secret that everybody knows" not in str(party.logs)


def test_who_may_read_is_not_told_how_to_edit(note: Note) -> None:
    told = []
    with note.room.connect(query={"key": note.read}) as socket:
        told += [socket.receive(), socket.receive()]
        socket.send(frames.step_1(b"\0"))
        told.append(socket.receive())
    assert told[1] == "__YPS:" + json.dumps({"right": "read", "read": note.read})
    assert note.edit not in str(told)


def test_an_edit_of_who_may_only_read_is_not_taken(note: Note) -> None:
    editor, other, reader = (come(note, key) for key in (note.edit, note.edit, note.read))
    with editor, other, reader:
        edit(editor, vectors.HI)
        assert news(reader) == news(other) == vectors.HI
        note.room.hibernate()
        for refused in (vectors.MARK, vectors.DELETE):
            reader.send(frames.update(refused))
            reader.send(frames.step_2(refused))
        assert answers(reader)[-1] == vectors.HI
        edit(editor, vectors.MARK)
        assert news(other) == vectors.MARK  # and nothing before it


def test_without_a_key_of_the_note_nobody_comes_in(party: Party, note: Note) -> None:
    other = party.fetch("/notes", method="POST").json()["key"]
    for key in ("", "x", other, note.edit[:-1], note.edit.lower(), "%F0%9F%98%80"):
        for path in ("/", "/history", "/history/1"):
            refused = ask(note, path, key)
            assert refused.status_code == 403
            assert note.edit not in refused.text
        with note.room.connect(query={"key": key}) as socket:
            assert "none of a note" in str(socket.receive())
            socket.wait_closed()
            assert socket.close_code == 1008


def test_the_history_takes_no_key_of_a_url(note: Note) -> None:
    assert note.room.fetch(f"/history?key={note.edit}").status_code == 403
    basic = {"Authorization": f"Basic {note.edit}"}
    assert note.room.fetch("/history", headers=basic).status_code == 403


def test_no_other_site_shows_the_page_in_a_frame(party: Party) -> None:
    headers = party.fetch("/").headers
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_notes_are_made_by_post(party: Party) -> None:
    assert party.fetch("/notes").status_code == 405
    assert party.fetch("/elsewhere").status_code == 404
    made = party.fetch("/notes", method="POST")
    assert made.headers["cache-control"] == "no-store"
    assert made.json().keys() == {"name", "key"}


def test_an_edit_makes_a_snapshot_and_nothing_else_does(note: Note) -> None:
    assert history(note, note.read) == []
    with come(note, note.edit) as editor:
        edit(editor, vectors.HI)
        note.room.hibernate()  # which waits for what is being saved
        [first] = history(note, note.read)
        edit(editor, vectors.HI)
        note.room.hibernate()
        assert history(note, note.read) == [first]
        edit(editor, vectors.MARK)
        note.room.hibernate()  # two seconds after the edit: never within the same one
    second, *rest = history(note, note.edit)
    assert rest == [first]
    assert second > first
    kept = ask(note, f"/history/{first}", note.read)
    assert kept.content == vectors.HI
    assert ask(note, f"/history/{second}", note.read).content != vectors.HI
    for path in (f"{first - 1}", "", "x", "-1", "9" * 13, "1/2", "%D9%A1"):
        assert ask(note, f"/history/{path}", note.read).status_code == 404
    assert ask(note, "/history", note.edit, "POST").status_code == 405


def test_a_note_that_is_too_large_has_no_snapshot(party: Party, note: Note, visit: Visit) -> None:
    ada = visit("Ada")
    text(ada).fill("x" * 1000)
    has(ada, "x" * 1000)
    ada.context.close()
    with come(note, note.read) as reader:
        assert len(answers(reader)[-1]) > 1000
    note.room.hibernate()
    assert history(note, note.edit) == []
    assert "is too large for a snapshot" in str(party.logs)


def test_what_is_too_large_to_be_sent_is_told_and_can_be_taken_out(
    party: Party, note: Note, visit: Visit
) -> None:
    ada = visit("Ada")
    sockets: list[WebSocket] = []
    ada.on("websocket", lambda socket: sockets.append(socket))
    text(ada).fill("x" * 6000)
    status(ada, "Not saved")
    expect(ada.get_by_role("alert")).to_contain_text("too much at once")
    ada.evaluate("new Promise(done => setTimeout(done, 1000))")  # it would be back after 100 ms
    assert not sockets
    status(ada, "Not saved")
    text(ada).fill("less")
    ada.evaluate(STORED)
    ada.reload()
    status(ada, "Connected")
    expect(ada.get_by_role("alert")).to_be_hidden()
    reader = visit("Reader", "read")
    has(reader, "less")


def test_an_earlier_state_is_looked_at_and_restored(note: Note, visit: Visit) -> None:
    ada, reader = visit("Ada"), visit("Reader", "read")
    for words in ("first", ", then second"):
        type_at_end(ada, words)
        has(reader, *(["first"] if words == "first" else ["first, then second"]))
        note.room.hibernate()
    for page in (ada, reader):
        page.get_by_role("button", name="History").click()
        snapshots = page.get_by_role("list", name="Snapshots").get_by_role("button")
        expect(snapshots).to_have_count(2)
        past(page, "first, then second")
        snapshots.last.click()
        past(page, "first")
        expect(page.locator("#told")).to_contain_text("As it was on")
    has(reader, "first, then second")
    expect(reader.get_by_role("button", name="Restore")).to_be_disabled()
    ada.get_by_role("button", name="Restore").click()
    for page in (ada, reader):
        has(page, "first")
    ada.get_by_role("button", name="Undo").click()
    has(reader, "first, then second")


def past(page: Page, words: str) -> None:
    expect(page.locator("#past .cm-line")).to_have_text([words])


def test_a_note_without_a_history_says_so(visit: Visit) -> None:
    page = visit("Ada")
    page.get_by_role("button", name="History").click()
    expect(page.locator("#told")).to_contain_text("Nothing yet")
    page.get_by_role("button", name="Close").click()
    status(page, "Connected")
