"""Connections: ids, tags, state, and who is found."""

from __future__ import annotations

import re

import pytest
from partyserver.testing import UpgradeError

from .scripted import command, events, open_socket

STATES = [
    None,
    True,
    0,
    -1.5,
    2**40,
    2**53 + 1,
    1e300,
    "",
    "grüße 😀\0",
    [],
    {},
    [1, [2, [None, {}]]],
    {"a": None, "b": [True, False], "ünï": {"deep": {"er": "x"}}, "": 0, "__proto__": 1},
]


def test_a_connection_without_an_id_gets_a_url_safe_one(party, binding):
    room = party.room(binding("Scripted"), "ids")
    with room.connect() as first, room.connect(query={"_pk": ""}) as second:
        ids = {socket.receive_json()[1] for socket in (first, second)}
        assert len(ids) == 2
        assert all(re.fullmatch(r"[\w-]{16,}", one) for one in ids)


@pytest.mark.parametrize("bad", ["x" * 257, "a\0b", "a\nb", "\x7f"], ids=repr)
def test_an_id_that_is_too_long_or_has_control_characters_is_refused(party, binding, bad):
    with pytest.raises(UpgradeError) as refusal:
        party.room(binding("Scripted"), "ids").connect(id=bad)
    assert refusal.value.response.status_code == 400


@pytest.mark.parametrize("good", ["x" * 256, "grüße", "a b/c?d&e=f#g%", "😀" * 64], ids=len)
def test_an_id_may_hold_other_characters(party, binding, evict, good):
    room = party.room(binding("Scripted"), "ids")
    with open_socket(room, good) as socket:
        evict(room)
        assert command(socket, "describe")["id"] == good


def test_what_describes_a_connection_survives_an_eviction(party, binding, evict):
    room = party.room(binding("Scripted"), "describe")
    with room.connect(id="a", query={"tag": "vip", "x": "1"}) as a:
        a.receive()
        before = command(a, "describe")
        assert before["id"] == "a"
        assert before["tags"] == ["a", "vip"]
        assert before["server"] == before["name"] == "describe"
        assert before["uri"].endswith("/describe?_pk=a&tag=vip&x=1")
        assert before["is_open"] is True
        evict(room)
        assert command(a, "describe") == before


def test_get_connections_filters_by_all_given_tags(party, binding, evict):
    room = party.room(binding("Scripted"), "tags")
    tags = {"a": ["red"], "b": ["red", "big"], "c": ["big"], "d": []}
    sockets = {
        id: open_socket(room, id, query=[("tag", tag) for tag in some]) for id, some in tags.items()
    }
    for _ in range(2):
        assert command(sockets["a"], "ids") == ["ids", ["a", "b", "c", "d"]]
        assert command(sockets["a"], "ids", "red") == ["ids", ["a", "b"]]
        assert command(sockets["a"], "ids", "red", "big") == ["ids", ["b"]]
        assert command(sockets["a"], "ids", "c") == ["ids", ["c"]]
        assert command(sockets["a"], "ids", "none") == ["ids", []]
        evict(room)
    sockets["b"].close()
    assert command(sockets["a"], "ids", "red") == ["ids", ["a"]]


def test_what_get_connections_gives_has_a_len_of_those_to_come(party, binding, evict):
    room = party.room(binding("Scripted"), "counted")
    with open_socket(room, "a") as a, open_socket(room, "b"), open_socket(room, "c"):
        evict(room)
        assert command(a, "len") == [3, True, "a", 2, ["b", "c"], 0, False, "no more"]
        assert command(a, "len", "b") == [1, True, "b", 0, [], 0, False, "no more"]


def test_connections_are_found_in_the_order_they_came_when_an_id_is_anothers_tag(
    party, binding, evict
):
    room = party.room(binding("Scripted"), "id-and-tag")
    with (
        open_socket(room, "a", query={"tag": "b"}) as a,
        open_socket(room, "b"),
        open_socket(room, "c", query={"tag": "b"}),
    ):
        for _ in range(2):
            assert command(a, "ids", "b") == ["ids", ["a", "b", "c"]]
            evict(room)


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ([str(number) for number in range(10)], "ValueError"),
        (["x" * 257], "ValueError"),
        ([""], "ValueError"),
    ],
    ids=["ten", "long", "empty"],
)
def test_bad_tags_fail_the_upgrade_and_the_room_lives(party, binding, tags, error):
    room = party.room(binding("Scripted"), "bad-tags")
    with open_socket(room, "witness") as witness:
        with room.connect(id="a", query=[("tag", tag) for tag in tags]) as a:
            assert a.receive_json()["error"] == "Internal error"
            a.wait_closed()
            assert a.close_code == 1011
        assert command(witness, "ids") == ["ids", ["witness"]]
        [(_, exception)] = events(room, "exception")
        assert exception.startswith(error)


@pytest.mark.parametrize("state", STATES, ids=lambda state: repr(state)[:20])
def test_state_is_read_back_equal_after_an_eviction(party, binding, evict, state):
    room = party.room(binding("Scripted"), "state")
    with open_socket(room, "a") as a:
        assert command(a, "state") == ["state", None]
        assert command(a, "set_state", state) == ["state", state]
        evict(room)
        assert command(a, "state") == ["state", state]


def test_what_a_connection_remembers_is_what_its_room_has_found(party, binding, evict):
    """Asked for late, it is neither newer nor lost, whatever the socket has said since."""
    room = party.room(binding("Scripted"), "late")
    with (
        open_socket(room, "a") as a,
        open_socket(room, "b", query={"tag": "red", "x": "1"}) as b,
        open_socket(room, "b", query={"tag": "blue", "x": "2"}) as newest,
    ):
        assert command(b, "set_state", {"n": 1}) == ["state", {"n": 1}]
        assert command(newest, "set_state", {"n": 2}) == ["state", {"n": 2}]
        for known, n, tag in ((newest, 2, "blue"), (b, 1, "red")):
            evict(room)
            assert command(a, "read_late", "b") == ["b", {"n": n}, ["b", tag], str(n)]
            known.wait_closed()
        assert command(a, "ids") == ["ids", ["a"]]


def test_set_state_takes_a_function_of_the_previous_state(party, binding, evict):
    room = party.room(binding("Scripted"), "count")
    with open_socket(room, "a") as a:
        for count in (1, 2, 3):
            assert command(a, "count") == ["state", count]
            evict(room)


def test_a_state_over_the_limit_is_refused_and_the_old_one_stands(party, binding, evict):
    room = party.room(binding("Scripted"), "large")
    with open_socket(room, "a") as a:
        name, size, limit, state = command(a, "try_state", 20_000)
        assert (name, limit, state) == ("StateTooLargeError", 16_384, "kept")
        assert 20_000 < size < 21_000
        evict(room)
        assert command(a, "state") == ["state", "kept"]


def test_a_url_that_leaves_no_room_for_a_state_is_refused_with_414(party, binding):
    with pytest.raises(UpgradeError) as refusal:
        party.room(binding("Scripted"), "long-url").connect(query={"x": "y" * 17_000})
    assert refusal.value.response.status_code == 414


def test_connections_with_the_same_id_are_allowed_and_the_newest_is_found(party, binding, evict):
    room = party.room(binding("Scripted"), "twins")
    with (
        open_socket(room, "a") as first,
        open_socket(room, "a") as second,
        open_socket(room, "b") as b,
    ):
        for _ in range(2):
            b.send_json(["tell", "a", "newest"])
            assert second.receive() == "newest"
            assert command(b, "ids") == ["ids", ["a", "a", "b"]]
            evict(room)
        b.send_json(["broadcast", "not to a", ["a"]])
        assert b.receive() == "not to a"
        second.close()
        b.send_json(["tell", "a", "the other"])
        assert first.receive() == "the other"


def test_duplicate_ids_can_be_rejected(party, binding, evict):
    room = party.room(binding("Strict"), "reject")
    with open_socket(room, "a") as a:
        evict(room)
        with pytest.raises(UpgradeError) as refusal:
            room.connect(id="a")
        assert refusal.value.response.status_code == 409
        assert command(a, "ids") == ["ids", ["a"]]
    with open_socket(room, "a"):
        pass


def test_a_duplicate_id_can_replace_the_older_connection(party, binding, evict):
    room = party.room(binding("Replacing"), "replace")
    with open_socket(room, "a") as older:
        evict(room)
        with open_socket(room, "a") as newer:
            older.wait_closed()
            assert older.close_code == 4409
            assert command(newer, "ids") == ["ids", ["a"]]


def test_a_connection_is_equal_to_itself_however_it_was_found(party, binding, evict):
    room = party.room(binding("Scripted"), "identity")
    with open_socket(room, "a") as a:
        evict(room)
        assert command(a, "identity") == [True, True, True]


def test_sockets_that_user_code_accepted_are_ignored(party):
    room = party.room("Foreign", "strangers")
    with room.connect(path="/own") as own, open_socket(room, "a") as a:
        own.send('["broadcast", "x"]')
        a.send_json(["broadcast", "to ours"])
        assert a.receive() == "to ours"
        room.hibernate()
        own.send("still nobody listens")
        a.send_json(["broadcast", "again"])
        assert a.receive() == "again"
        assert command(a, "ids") == ["ids", ["a"]]
        with pytest.raises(TimeoutError):
            own.receive(timeout=0.1)
        own.drop()  # nobody answers its close


def test_a_subprotocol_that_the_client_offers_is_chosen(party, binding):
    room = party.room(binding("Scripted"), "protocols")
    with room.connect(id="a", subprotocols=["chat.v2", "chat.v1"]) as a:
        assert a.receive_json() == ["connected", "a"]
        assert a.subprotocol == "chat.v2"
