"""What a room keeps: queries for one row and for JSON, transactions, key-value entries."""

from __future__ import annotations

import pytest

from .scripted import eventually

UNTOLD = "cannot be called from outside"


@pytest.fixture
def room(party, binding):
    return party.room(binding("Storing"), "x")


@pytest.fixture
def check(room):
    return lambda name: room.fetch(f"/{name}").json()


def call(party, binding, what):
    return party.fetch(f"/storing/{what}/{binding('Storing')}").json()


# --- queries --------------------------------------------------------------------------


def test_one_row_and_one_value(check):
    found = check("one")
    told = found.pop("told")
    several = "SQLError: there is more than one row: choose one, as by `limit 1`"
    assert found == {
        "row": "{'a': 1, 'b': 'x'}",
        "no row": "None",
        "no columns": "None",
        "several": several,
        "endless": several,  # it is not read to its end
        "closed": "[]",  # a table whose rows are still being read cannot be dropped
        "refused": found["refused"],
        "no query": "TypeError: a query is a str or a t-string, not int",
        "value": "5",
        "blob": repr(b"\x00\xff"),
        "null": "None",
        "no value": "None",
        "several values": several,
        "same names": "{'a': 2}",
        "templates": [{"name": "x", "length": 1}, "x"],
    }
    assert found["refused"].startswith("SQLError: no such column: nope")
    assert [one.partition(":")[0] for one in told] == [
        *["there is more than one row"] * 2,
        "no such column",
        "there is more than one row",
    ]


def test_a_column_may_be_called_proto_also_where_the_query_does_not_say_so(check):
    row = {"__proto__": "x", "a": 1}
    assert check("proto") == [[row] * 3, [row] * 3, [{"n": 1}] * 3]


def test_rows_are_json_of_the_same_values(check):
    found = check("json")
    assert found["differ"] == []
    assert found["written"] == ["[]", '[{"a":1},{"a":null}]']
    assert found["templates"] == '[{"name":"x"}]'


def test_what_json_has_not_is_an_error_that_names_its_column(check):
    found = check("json")
    *refused, wrong = found["refused"].values()
    blob, huge = "holds a BLOB, which JSON has not", "holds an infinite number, which JSON has not"
    for answer, (column, what) in zip(
        refused,
        [
            *[("raw", blob), ("raw", blob), ("huge", huge), ("huge", huge)],
            *[("__proto__", blob), ("__proto__", huge)],
        ],
        strict=True,
    ):
        assert answer.startswith(f"SQLError: the column '{column}' {what}")
    assert wrong.startswith("SQLError: no such column: nope")
    assert found["told"] == 7


# --- transactions ---------------------------------------------------------------------


def test_a_transaction_that_raises_is_undone_and_its_error_comes_out_itself(check):
    found = check("undone")
    assert found.pop("after all") == [[], None]
    assert found.pop("JsException").startswith("JsException: SyntaxError")
    assert found.pop("SQLError").startswith("SQLError: near ")
    assert found.pop("blocking").startswith("RuntimeError: Cannot stack switch")
    assert set(found) >= {"ValueError", "SystemExit", "CancelledError", "Own", "GeneratorExit"}
    for seen in found.values():
        assert seen == [True, [True, True], ["writing", "<lambda>", "raising"], [[], None]]


def test_a_transaction_gives_what_its_function_returns(check):
    found, written, proxies, are_destroyed = check("results")
    assert found == [True, 7, None, "inside", "ValueError: v"]
    assert written == [["t1"], 1]
    assert (proxies, are_destroyed) == (5, True)


def test_a_transaction_inside_of_another_is_undone_alone_or_with_it(check):
    caught, after, outer, after_all, is_deep, endless = check("nested")
    assert caught == [[["t1"], 1], [["t1", "t3"], 3]]
    assert after == [["t1", "t3"], 3]
    assert outer == "ValueError: outer"
    assert after_all == after
    assert is_deep
    assert endless.startswith("RecursionError: a transaction has at most 63 others around it")


def test_what_would_be_done_after_its_end_is_no_transaction(check):
    found, written = check("refused")
    plain = "TypeError: a transaction takes a plain function, "
    called = "TypeError: a transaction takes a function, and its arguments after it, not "
    assert found.pop("a coroutine") == called + "coroutine"
    assert found.pop("nothing") == called + "NoneType"
    assert len(found) == 9
    assert all(answer.startswith(plain) for answer in found.values()), found
    assert written == [[], None]


def test_a_transaction_may_be_anywhere_in_a_rooms_life(party, binding, room, check):
    assert room.fetch("/before").json() == [1, False]
    assert call(party, binding, "by_a_call") == [2, True]


def test_an_exit_in_a_transaction_ends_its_event_alone(party, binding, room, evict):
    with room.connect() as socket, party.room(binding("Storing"), "y").connect() as other:
        evict(room)
        socket.send("exit now")
        assert eventually(lambda: "SystemExit: in a transaction" in str(party.logs))
        socket.send("read now")
        assert socket.receive() == "{}"
        other.send("read now")
        assert other.receive() == "{}"


# --- the key-value storage ------------------------------------------------------------


def test_it_is_a_mapping(check):
    found = check("mapping")
    half, is_there = found.pop("half an update")
    assert half.startswith(
        "TypeError: a stored value is made of dict, list, tuple, set, str, int, "
    )
    assert "None, bytes and datetime, not object: " in half
    assert not is_there
    assert found == {
        "same": [True, True, 3, "<the room's key-value storage>"],
        "order": ["a", "b", "ä", False, False, False],
        "items": [[["a", None], ["b", 2], ["ä", {"x": [1]}]], [None, 2, {"x": [1]}]],
        "get": [None, None, None, 1],
        "missing": ["KeyError: 'c'", "KeyError: 'c'", "KeyError: '\\ud800'"],
        "defaults": [2, [1], [1], 0],
        "updated": [1, 2, 3, ["a", None], False],
        "by the SDK": [{"a": [1, None]}, {"x": [1]}],
        "after deleteAll": [{}, 1],
    }


def test_keys_are_listed_in_order_and_by_options(check):
    found = check("listing")
    assert found["all"] == [52, 52, True]
    assert found["values"] == {"k10": 10, "k11": 11}
    assert found["range"] == ["k10", "k11"]
    assert found["last"] == ["k49", "k48"]
    assert found["none"] == [[], [], [], []]
    assert [one.partition(":")[0] for one in found["refused"]] == [
        *["ValueError", "TypeError", "TypeError"]
    ]
    assert found["left"] == ["j", "l"]


def test_what_cannot_be_stored_changes_nothing(check):
    found = check("wrong")
    *values, no_key, none, binary = found["keys"]
    assert [one.partition(":")[0] for one in values] == ["ValueError"] * 5
    assert "is 2049 bytes, and the limit is 2048 bytes" in values[1]
    assert "is 2050 bytes, and the limit is 2048 bytes" in values[2]
    for answer in (no_key, none, binary, *found["no keys"]):
        assert answer.startswith("TypeError: a storage key is a str, not ")
    assert [one.partition(":")[0] for one in found["values"]] == [
        *["TypeError"] * 3,
        *["ValueError"] * 2,
        *["TypeError"] * 2,
    ]
    for answer in found["sizes"]:
        assert answer.startswith("ValueError: the value of 'k' is 20971")
        assert "bytes with its key, and the limit is 2097152 bytes" in answer
    assert found["kept"] == "kept"
    assert found["fit"] == [2097152 - 2048 - 6, True, True]


def test_any_word_may_be_a_key_and_what_is_copied_is_what_comes_back(check):
    assert check("words") == []


def test_the_size_of_a_value_is_the_platforms(check):
    sizes = check("sizes")
    assert len(sizes) == 20
    assert all(size <= platforms <= size * 1.01 for size, platforms in sizes), sizes


@pytest.mark.parametrize("seed", range(5))
def test_a_sleep_changes_no_value(room, evict, seed):
    with room.connect() as socket:
        socket.send(f"put {seed}")
        at_once = socket.receive()
        assert len(at_once) > 100
        evict(room)
        socket.send("read now")
        assert socket.receive() == at_once


def test_the_name_that_an_object_was_given_is_no_entry(party, binding):
    listed, found, outcomes, *left = call(party, binding, "unnamed")
    assert listed == ["_", "__ps_namf", "constructed", "started", False, 4, ["__ps_namf"], ["_"]]
    assert found == [["__ps_namf"], ["_"]]
    assert outcomes[0] == "KeyError: '__ps_name'"
    assert "is where the room's name is kept" in outcomes[1]
    assert left == [[], "given", "given"]


# --- callers from outside -------------------------------------------------------------


@pytest.mark.log_may_hold("Uncaught PythonError")  # of a call, whose caller gets the error
def test_callers_over_rpc_have_no_way_into_it(party, binding):
    answers = call(party, binding, "outside")
    assert [answer.partition(": ")[2].partition(":")[0] for answer in answers] == [
        f"{binding('Storing')}.{name} {UNTOLD}"
        for name in ("sql_one", "sql_value", "sql_json", "transaction")
    ]
