"""The unchanged clients of npm share a document: see UPSTREAM.md."""

from __future__ import annotations

import pytest

from .providers import PARTYSERVER, both, enter, kind, node, open

__all__ = ["enter", "kind", "node", "open"]


@both
def test_a_newcomer_gets_text_maps_and_arrays(open):
    a = open()
    a.edit(["append", "Hello"], ["set", "k", {"deep": [1]}], ["push", 1, "two", None])
    b = open()
    b.says("Hello", m={"k": {"deep": [1]}}, a=[1, "two", None])


@both
def test_an_edit_is_seen_at_once_by_those_who_are_here(open):
    a, b = open(), open()
    a.edit(["append", "Hello 😀"])
    b.says("Hello 😀")
    b.edit(["delete", 0, 5], ["set", "k", 1], ["push", "x"])
    a.says(" 😀", m={"k": 1}, a=["x"])
    a.edit(["unset", "k"])
    b.says(" 😀", a=["x"])


@both
def test_edits_at_the_same_time_lead_all_to_one_document(open):
    three = [open() for _ in range(3)]
    for letter, one in zip("abc", three, strict=True):
        one.edit(*[["insert", 0, letter] for _ in range(20)], ["set", "k", letter])
    whole = open()
    for one in three:
        one.edit(["push", one.key])
        whole.edit(["push", one.key])
    for one in three:
        one.until_content(_settled(whole, three))
    assert len(whole.content["t"]) == 60


def _settled(whole, writers):
    """What one has when it has heard of all that each of the others has written."""
    for one in writers:
        one.until_same(whole)
    return whole.content


@both
def test_those_who_were_offline_give_and_get_what_was_written_meanwhile(open):
    a, b = open(), open()
    a.edit(["append", "base "])
    b.says("base ")
    a.disconnect()
    a.edit(["append", "of a "], ["set", "a", 1])
    b.edit(["insert", 0, "b: "], ["set", "b", 2])
    c = open()
    c.says("b: base ", m={"b": 2})
    b.disconnect()
    b.edit(["delete", 0, 1])
    a.connect()
    c.says("b: base of a ", m={"a": 1, "b": 2})
    b.connect()
    for one in (a, b, c):
        one.says(": base of a ", m={"a": 1, "b": 2})


@both
def test_one_whose_socket_is_closed_connects_again_and_goes_on(open):
    a, b = open(), open()
    a.drop()
    a.until_connections(2)
    a.edit(["append", "x"])
    b.says("x")


@both
def test_rooms_know_nothing_of_each_other(open):
    a, other = open("Ada"), open("Bob", room="elsewhere")
    a.edit(["append", "here"])
    other.edit(["append", "there"])
    open("Cy").says("here")
    newcomer = open(room="elsewhere")
    newcomer.says("there")
    newcomer.until_present(["Bob"])


def test_after_a_thousand_edits_a_newcomer_has_them_all(open, room):
    a, b = open(), open()
    for start in range(0, 1000, 100):
        a.edit(*[["append", f"{number} "] for number in range(start, start + 100)])
        b.edit(["set", str(start), start])
    text = "".join(f"{number} " for number in range(1000))
    roots = {"m": {str(start): start for start in range(0, 1000, 100)}}
    b.says(text, **roots)
    a.says(text, **roots)
    open().says(text, **roots)
    count = "select count(*) as n from _partyserver_yjs"
    assert room.fetch("/sql", "POST", content=count).json()[0]["n"] < 400
    room.evict()
    open().says(text, **roots)


def test_a_document_in_a_document_is_there_by_its_name(open):
    a = open()
    a.edit(["subdocument", "inner"], ["append", "outer"])
    b = open()
    b.until_subdocuments(["inner"])
    assert b.content["t"] == "outer"


# --- what is not the document -------------------------------------------------------------


def test_custom_messages_go_both_ways(open):
    a, b = open(), open()
    a.send("hello")
    assert a.text() == "you said hello"
    a.send("others to the others")
    assert b.text() == "to the others"
    a.send("")
    assert a.text() == "you said "


@both
def test_one_who_may_only_read_is_told_so_and_its_edits_stay_its_own(open, node):
    editor, reader = open(), open("Rea", params={"readonly": "true"})
    editor.edit(["append", "hello"])
    reader.says("hello")
    reader.edit(["append", " mine"])
    editor.until_present(["Rea"])
    reader.point({"name": "Reader"})
    editor.until_present(["Reader"])
    assert editor.content == {"t": "hello"}
    assert [warning.split("\n")[-1] for warning in node("warnings")] == [
        "This document is read-only"
    ]
    editor.edit(["insert", 0, "> "])
    reader.says("> hello mine")
    open().says("> hello")


def test_parameters_are_asked_for_before_each_connection(open):
    a = open(params=[{"readonly": "true", "none": None}, {"readonly": "false"}])
    b = open()
    a.edit(["append", "later"])
    assert a.url().endswith("&readonly=true")
    a.drop()
    a.until_connections(2)
    assert a.url().endswith("&readonly=false")
    b.says("later")


def test_a_connection_has_the_id_that_the_client_wants(open, room):
    open(connectionId="my-id").send("who")
    assert room.fetch("/connections").json() == ["my-id"]


@pytest.mark.parametrize("kind", [PARTYSERVER])
def test_a_prefix_is_the_whole_path(open, room):
    path = "/" + room.url.split("/", 3)[3]
    a = open(prefix=path, room="ignored")
    a.edit(["append", "x"])
    open().says("x")
