"""`Room.storage`: Python values in and out, on the platform's own helpers."""

from __future__ import annotations

import pytest

MiB = 1024 * 1024


@pytest.fixture
def check(party, mode):
    room = party.room("Main" if mode == "in memory" else "MAIN_SLEEPY", "storage")
    return lambda name: room.fetch(f"/check/{name}").json()


def test_values_are_read_back_equal_and_of_the_same_type(check):
    assert check("values") == [{}, True]


def test_any_word_may_be_a_key_of_a_value(check):
    assert check("words") == [{}, "{'9': 0, '10': inf, 'b': 1}"]


def test_a_value_is_read_back_at_once_as_it_will_be_later(check):
    assert check("normalised") == {}


def test_values_are_stored_up_to_a_depth(check):
    answers = check("depth")
    assert answers[:2] == ["None", True]
    assert answers[2:] == ["ValueError: a stored value is nested at most 500 levels deep", False]


def test_what_cannot_be_stored_is_a_type_error(check):
    answers = check("wrong_values")
    assert answers.pop("nothing stored") == "{}"
    assert all(answer.startswith("TypeError: ") for answer in answers.values()), answers
    assert "str keys only, not 1" in answers["key in dict"]
    assert "datetime, not object" in answers["object"]


def test_keys_are_listed_read_and_deleted(check):
    answers = check("keys")
    assert answers["all"] == [["a", 1], ["b", 2], ["c", 3], ["pa", 4], ["pb", 5]]
    assert answers["prefix"] == [["pa", 4], ["pb", 5]]
    assert answers["range"] == [["b", 2], ["c", 3]]
    assert answers["after"] == [["c", 3]]
    assert answers["last"] == [["pb", 5], ["pa", 4]]
    assert answers["missing"] is None
    assert answers["several"] == {"a": 1, "c": 3}
    assert answers["deleted"] == [True, False]
    assert answers["deleted several"] == 2
    assert answers["left"] == ["pa", "pb"]
    assert answers["emptied"] == [None, {}]


def test_the_limits_are_errors_that_name_them(check):
    answers = check("limits")
    assert answers["fit"] == ["None", "None"]
    for answer in answers["too big"]:
        assert answer.startswith("StorageLimitError: the stored value of 'k' is over ")
        assert "limit of 2097152 bytes" in answer
    assert answers["kept"] == 2_000_000
    fits, *too_long = answers["keys"]
    assert fits == "None"
    assert all("StorageLimitError" in one and "limit of 2048 bytes" in one for one in too_long)


def test_a_transaction_is_done_as_a_whole_or_not_at_all(check):
    assert check("transactions") == [7, "ValueError: only 7 left", 7]


def test_an_alarm_is_set_read_and_deleted(check):
    before, same, kind, later, seconds, deleted = check("alarms")
    assert (before, same, kind, later, deleted) == (None, True, "int", 1000, None)
    assert seconds.startswith("ValueError: an alarm is set in milliseconds")
