"""What clients choose as keys, as depth and as numbers is kept as it is, or refused."""

from __future__ import annotations

import ast
import json

import pytest

from ..worker.words import WORDS


def told(socket, message):
    socket.send(message)
    return socket.receive()


@pytest.mark.parametrize("seed", range(25))
def test_a_sleep_changes_no_state(party, binding, evict, seed):
    room = party.room(binding("Keeping"), "x")
    with room.connect() as socket:
        at_once = told(socket, f"set {seed}")
        assert told(socket, "read now") == at_once
        evict(room)
        assert told(socket, "read later") == at_once


@pytest.mark.parametrize("seed", range(3))
def test_a_state_is_the_same_whether_it_is_written_as_json_or_not(party, binding, seed):
    with party.room(binding("Keeping"), "x").connect() as socket:
        assert told(socket, f"each {seed}") == "[]"


def test_a_second_state_is_handed_over_by_the_shortcut(party, binding, pytestconfig):
    is_off = "PARTYSERVER_SHORTCUTS=off" in pytestconfig.getini("party_vars")
    with party.room(binding("Keeping"), "x").connect() as socket:
        assert told(socket, "handed over") == str([False, not is_off])


@pytest.mark.parametrize("word", WORDS)
def test_any_word_may_be_a_key_of_a_state(party, binding, evict, word):
    room = party.room(binding("Keeping"), "x")
    with room.connect() as socket:
        at_once = told(socket, f"words {word}")
        assert ast.literal_eval(at_once)[0] == {word: 1}
        evict(room)
        assert told(socket, "read later") == at_once


@pytest.mark.parametrize(("depth", "is_kept"), [(498, True), (500, True), (501, False)])
def test_a_state_is_kept_up_to_a_depth_and_refused_beyond(party, binding, evict, depth, is_kept):
    room = party.room(binding("Keeping"), "x")
    with room.connect() as socket:
        at_once = told(socket, f"deep {depth}")
        assert ("nested at most 500 levels" in at_once) == (not is_kept)
        evict(room)
        assert (told(socket, "read later") == at_once) == is_kept


def call(party, what):
    return party.fetch(f"/keeping/{what}").json()


def test_any_word_may_be_the_name_of_a_column(party):
    columns = call(party, "columns")
    assert columns == {word: {"a": 1, word: 2} for word in [*WORDS, "10", "9"]}


@pytest.mark.parametrize("word", WORDS)
def test_any_word_may_be_a_key_of_what_is_sent_over_rpc_or_stored(party, word):
    values = [1, "x", None, [], {"name": "Object"}, {"name": "Map"}]
    taken, held = call(party, f"word-{word}")
    assert taken == [repr(([{word: value}],)) for value in values]
    assert held == [repr([{word: value}]) for value in values]


def test_what_looks_like_an_error_over_rpc_is_what_was_sent(party):
    assert call(party, "error") == repr(({"name": "a", "message": "b", "stack": "c"}, 1, None))


@pytest.mark.log_may_hold("levels deep", "Maximum call stack")
@pytest.mark.parametrize("how", ["deep", "deeply-constructed"])
@pytest.mark.parametrize("depth", [600, 1_000, 2_000, 3_000, 5_000, 20_000])
def test_a_deep_value_over_rpc_fails_its_call_only(party, binding, how, depth):
    with party.room(binding("Keeping"), "x").connect() as socket:
        before = told(socket, "set 1")
        # The platform itself cannot send more than some thousands.
        error = call(party, f"{how}-{depth}")
        assert "levels deep" in error or "Maximum call stack size exceeded" in error
        assert told(socket, "read later") == before


def test_a_value_of_usual_depth_over_rpc_arrives(party):
    assert call(party, "deep-400") == f"({'[' * 400}{']' * 400},)"


#: To a room, to the worker, and to a hook before a room.
JSON_READERS = ["/parties/keeping/x", "/json", "/routed/json/parties/keeping/x"]


@pytest.mark.parametrize("path", JSON_READERS)
@pytest.mark.parametrize("depth", [501, 5_000, 20_000, 100_000])
def test_deep_json_in_a_body_is_a_value_error(party, binding, path, depth):
    with party.room(binding("Keeping"), "bystander").connect() as bystander:
        before = told(bystander, "set 1")
        body = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
        response = party.fetch(path, "POST", content=body)
        assert response.status_code == 400
        assert response.text.startswith("JSONDecodeError: JSON nested more than 500 levels deep")
        assert told(bystander, "read later") == before


@pytest.mark.parametrize("path", JSON_READERS)
def test_other_json_in_a_body_is_read(party, path):
    value = {"a": ["[" * 1000, 1.0, 1e300], "constructor": None, "10": 1, "9": 2}
    response = party.fetch(path, "POST", json=value)
    assert response.status_code == 200
    assert json.dumps(response.json()) == json.dumps(value)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_a_number_that_json_cannot_hold_is_read_from_no_message(party, binding, number):
    with party.room(binding("Scripted"), "x").connect(id="a") as a:
        assert a.receive_json()[0] == "connected"
        a.send_json(["parse", f'{{"x": {number}}}'])
        assert a.receive_json()[0] == "raised"


@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_number_that_json_cannot_hold_is_sent_to_nobody(party, binding, number):
    with party.room(binding("Scripted"), "x").connect(id="a") as a:
        assert a.receive_json()[0] == "connected"
        a.send_json(["send_number", number])
        assert a.receive_json() == [
            "raised",
            "ValueError",
            f"{number} is not JSON compliant: it is at $.x[1]",
        ]
