"""Lines of the log say where they come from, and nothing that they hold forges one."""

from __future__ import annotations

import json
import logging

import pytest

from ..contracts.scripted import eventually

LEVELS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    25: "info",
    logging.WARNING: "warn",
    logging.ERROR: "error",
    logging.CRITICAL: "error",
}


@pytest.fixture(autouse=True)
def as_text(party):
    assert party.fetch("/form/text").text == "text"


@pytest.fixture
def as_json(party, as_text):
    assert party.fetch("/form/json").text == "json"


def join(room, id):
    socket = room.connect(id=id)
    assert socket.receive_json() == "connected"
    return socket


def do(socket, *command):
    socket.send_json(list(command))
    assert socket.receive_json() == "done"


def objects(party, message):
    """The lines with that message, as objects."""
    lines = [line for line in party.logs if line.message.startswith("{")]
    return [found for line in lines if (found := json.loads(line.message))["message"] == message]


def line_of(party, message):
    """The only object with that message."""
    [found] = eventually(lambda: objects(party, message))
    return found


# --- where a line comes from ----------------------------------------------------------


def test_a_line_of_a_hook_has_its_room_and_its_connection(party, binding, evict):
    kind = binding("Speaking")
    room = party.room(kind, "lobby")
    with join(room, "alice") as a:
        do(a, "say", logging.INFO, "said")
        do(a, "pause", "pausing")
        do(a, "wait_until", "waiting")
        party.logs.wait_for("waiting after")
        evict(room)
        do(a, "say", logging.INFO, "said after a sleep")
    party.logs.wait_for("on_close")
    told = {line.message for line in party.logs}
    assert {
        "in the worker",
        f"[{kind}:lobby] __init__",
        f"[{kind}:lobby] of a task of __init__",
        f"[{kind}:lobby] on_start",
        f"[{kind}:lobby] on_start awaits",
        *(
            f"[{kind}:lobby alice] {text}"
            for text in (
                *("get_connection_tags", "on_connect", "said", "said after a sleep"),
                *("pausing before", "pausing after", "waiting after", "on_close"),
            )
        ),
    } <= told
    assert not [line for line in told if "alice] on_start" in line]
    assert not [line for line in told if line in ("__init__", "of a task of __init__")]


def test_an_event_of_no_connection_has_none(party, binding):
    kind = binding("Speaking")
    room = party.room(kind, "lobby")
    with join(room, "alice") as a:
        do(a, "set_alarm")
        room.fetch("/")
        party.fetch(f"/rpc/{kind}/lobby/called")
        room.run_alarm()
        for text in ("on_request", "called", "on_alarm"):
            assert party.logs.wait_for(text).message == f"[{kind}:lobby] {text}"


@pytest.mark.no_party_chaos  # the tasks are in memory
def test_what_a_hook_starts_keeps_its_room_and_its_connection(party, binding):
    kind = binding("Speaking")
    lobby, attic = party.room(kind, "lobby"), party.room(kind, "attic")
    with join(lobby, "alice") as a, join(lobby, "bob") as b, join(attic, "bob") as other:
        do(a, "later", "of alice")
        do(b, "later", "of bob")  # in the place of the task of alice's, which goes on
        do(other, "later", "of the other bob")
        for socket in (a, other):
            socket.send_json(["pause", "both"])
        for socket in (a, other):
            assert socket.receive_json() == "done"
        do(other, "release")
        do(b, "release")
        for text, place in [
            ("of alice", "lobby alice"),
            ("of bob", "lobby bob"),
            ("of the other bob", "attic bob"),
        ]:
            assert party.logs.wait_for(text).message == f"[{kind}:{place}] {text}"
    told = {line.message for line in party.logs}
    for when in ("before", "after"):
        for place in ("lobby alice", "attic bob"):
            assert f"[{kind}:{place}] both {when}" in told


@pytest.mark.no_party_chaos
def test_a_hook_that_blocks_shares_its_connection_with_no_other_event(party, binding):
    kind = binding("Blocking")
    room = party.room(kind, "lobby")
    with join(room, "alice") as a, join(room, "bob") as b:
        a.send_json(["block", "unblocked"])
        room.fetch("/")
        do(b, "say", logging.INFO, "meanwhile")
        do(b, "release")
        assert a.receive_json() == "done"
        for text, place in [
            ("on_request", "lobby"),
            ("meanwhile", "lobby bob"),
            ("unblocked", "lobby alice"),
        ]:
            assert party.logs.wait_for(text).message == f"[{kind}:{place}] {text}"


def test_a_party_of_partykit_has_them_too(party):
    with party.room("Speaker", "lobby").connect(id="alice") as a:
        a.send("hello")
        assert party.logs.wait_for("hello").message == "[Speaker:lobby alice] hello"


# --- levels ---------------------------------------------------------------------------


def test_each_line_has_its_level(party, binding):
    with join(party.room(binding("Speaking"), "lobby"), "alice") as a:
        for level, name in LEVELS.items():  # with a variable of wrangler.toml: debug, too
            do(a, "say", level, f"level {level}")
            assert party.logs.wait_for(f"level {level}").level == name


@pytest.mark.once("nothing of it depends on rooms")
def test_lines_at_import_have_theirs(party):
    party.restart()
    party.fetch("/form/text")
    before = party.logs.wait_for("at import, before it is enabled")
    text = "WARNING:root:at import, before it is enabled"  # by logging's own basicConfig
    assert (before.level, before.message) == ("warn", text)
    after = party.logs.wait_for("at import, when it is enabled")
    assert (after.level, after.message) == ("info", "at import, when it is enabled")


@pytest.mark.once("nothing of it depends on rooms")
def test_the_level_is_that_of_enable(party):
    expected = [30, 40, 10, 25, "ValueError", "TypeError", 20]
    assert party.fetch("/check/levels").json() == expected


@pytest.mark.once("nothing of it depends on rooms")
def test_variables_count_for_more(party):
    assert party.fetch("/check/variables").json() == {
        "None None": [20, False],
        "debug json": [10, True],
        " WARNING text": [30, False],
        "loud json": [20, True],
        "error xml": [40, False],
    }
    for text in ("PARTYSERVER_LOG_LEVEL is no level", "PARTYSERVER_LOG_FORMAT is neither"):
        assert party.logs.wait_for(text).level == "error"
    assert "loud" not in str(party.logs)
    assert "xml" not in str(party.logs)


# --- handlers -------------------------------------------------------------------------


@pytest.mark.once("nothing of it depends on rooms")
def test_it_takes_the_place_of_what_writes_there_and_of_nothing_else(party):
    names = ["StreamHandler", "NullHandler", "ConsoleHandler"]
    assert party.fetch("/check/handlers").json() == [1, names, True]


@pytest.mark.once("nothing of it depends on rooms")
def test_a_handler_of_ones_own_may_fail_format_and_be_configured(party):
    assert party.fetch("/check/own_handlers").text == '"lived"'
    assert party.logs.wait_for("own WARNING formatted").level == "warn"
    assert line_of(party, "configured")["level"] == "INFO"
    assert "too low" not in party.logs
    assert "the formatter fails" in party.logs


@pytest.mark.once("nothing of it depends on rooms")
def test_what_is_logged_by_logging_ends(party):
    assert party.fetch("/check/recursion").json() == 1
    party.logs.wait_for("after it")
    assert len([line for line in party.logs if line.message == "talkative"]) == 1


@pytest.mark.once("nothing of it depends on rooms")
def test_whatever_a_record_holds_a_line_comes_of_it(party, as_json):
    assert party.fetch("/check/strange").text == '"lived"'
    strange = line_of(party, "strange")
    assert strange["circular"] == {"itself": "..."}
    assert (strange["nan"], strange["bytes"]) == ("nan", r"b'\x00'")
    assert strange["unspeakable"] == "<Unspeakable>"
    assert strange["script"].startswith("<module 'sys'")
    assert (strange["room_"], "room" in strange) == ("forged", False)
    assert "\\ud800" in str(party.logs)
    for text in ("do not fit: TypeError", "do not fit: ValueError: no text", "no exception"):
        assert text in party.logs


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_client_says_forges_no_line(party, binding, form):
    party.fetch(f"/form/{form}")
    kind = binding("Speaking")
    forged = f"[{kind}:lobby admin] forged"
    with join(party.room(kind, "lobby"), f"alice] {forged}") as a:
        do(a, "say", logging.INFO, f"hi\n{forged}\r\x1b[2K{forged}")
        do(a, "say", logging.INFO, "that was it")
        party.logs.wait_for("that was it")
    lines = [line for entry in party.logs for line in entry.message.splitlines()]
    assert [line for line in lines if "forged" in line]
    assert not [line for line in lines if line.startswith(forged)]
    assert "\x1b" not in str(party.logs)


# --- failures -------------------------------------------------------------------------


def test_a_failure_is_one_object_with_the_id_that_the_client_has(party, binding, as_json):
    kind = binding("Speaking")
    with party.room(kind, "lobby").connect(id="alice", query={"fail": "yes"}) as a:
        error_id = a.receive_json()["id"]
        a.wait_closed()
    failure = line_of(party, f"Exception in {kind}:lobby")
    assert failure.pop("exception").startswith("Traceback (most recent call last)")
    del failure["time"]
    assert failure == {
        "level": "ERROR",
        "logger": "partyserver",
        "message": f"Exception in {kind}:lobby",
        "class": kind,
        "room": "lobby",
        "connection": "alice",
        "error_id": error_id,
    }
    assert len([line for line in party.logs if "on_connect fails" in line.message]) == 1
    assert "\n  Traceback (most recent call last):\n" in str(party.logs)


def test_what_on_exception_logs_has_the_id_too(party, binding, as_json):
    kind = binding("Handling")
    with join(party.room(kind, "lobby"), "alice") as a:
        a.send_json(["fail", "secret"])
        caught, still = line_of(party, "caught secret"), line_of(party, "still secret")
        do(a, "say", logging.INFO, "something else")
    ids = {line["error_id"] for line in (caught, still)}
    assert len(ids) == 1
    summary = line_of(party, f"{kind}:lobby: ValueError: secret (error id {ids.pop()})")
    assert {caught["error_id"]} == {still["error_id"], summary["error_id"]}
    assert (still["where"], "exception" in caught) == ("lobby", False)
    assert still["exception"].endswith(f"error id: {caught['error_id']}")
    for line in (caught, still, summary):
        assert (line["class"], line["room"], line["connection"]) == (kind, "lobby", "alice")
    assert "error_id" not in line_of(party, "something else")
    party.fetch("/form/text")
    with join(party.room(kind, "lobby"), "bob") as b:
        b.send_json(["fail", "another"])
        message = party.logs.wait_for("caught another").message
    assert message.startswith(f"[{kind}:lobby bob, error id ")
