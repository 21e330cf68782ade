"""A user's names are the user's: methods that are called as the library's break nothing."""

from __future__ import annotations

import pytest

from .scripted import eventually

METHODS = [
    "broadcast",
    "sql",
    "get_connection",
    "get_connections",
    "party_fetch",
    "transaction",
]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_with_a_name_of_the_librarys_waits_for_the_start(party, binding, method):
    answer = party.fetch(f"/rpc/{binding('Named')}/fresh/{method}/x")
    assert answer.json() == [method, True]


def test_the_library_does_not_call_it(party, binding, evict):
    room = party.room(binding("Named"), "lobby")
    with room.connect(id="a") as first:
        assert first.receive_json()[0] == "lobby"
        evict(room)
        with room.connect(id="a") as second:
            first.wait_closed()
            assert first.close_code == 4409  # found by its id, and replaced
            second.receive()
            evict(room)
            second.send("to all")
            assert second.receive() == "to all"
    assert room.fetch("/").status_code == 500
    assert eventually(lambda: "in a request of Named" in str(party.logs))


def test_a_mixins_hook_without_the_mixin_is_warned_of_once(party):
    """In no other test: an isolate warns of a class once."""
    for name in ("a", "b"):
        party.room("Hopeful", name).fetch("/")
    warnings = [line for line in party.logs if "Hopeful.on_join is a hook of" in line.message]
    assert [line.level for line in warnings] == ["warn"]
