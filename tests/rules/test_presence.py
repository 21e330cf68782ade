import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.presence import (
    MAX_KEY_SIZE,
    MAX_META_DEPTH,
    Change,
    Entry,
    Roster,
    check_key,
    meta_json,
)


@pytest.mark.parametrize("key", ["a", " ", "\0", "__proto__", "😀", "é" * 128, "a" * MAX_KEY_SIZE])
def test_a_key_is_any_short_text(key):
    check_key(key)


@pytest.mark.parametrize(
    ("key", "error", "match"),
    [
        (None, TypeError, "is a str, not NoneType: None"),
        (7, TypeError, "is a str, not int: 7"),
        (b"a", TypeError, "is a str, not bytes"),
        ("", ValueError, "is not empty"),
        ("a" * 257, ValueError, "at most 256 UTF-8 bytes, not 257"),
        ("€" * 86, ValueError, "not 258"),
        ("\ud83d", ValueError, "no half surrogate pair"),
    ],
)
def test_anything_else_is_no_key(key, error, match):
    with pytest.raises(error, match=match):
        check_key(key)


@pytest.mark.parametrize(
    ("meta", "text"),
    [(None, "null"), ({"a": (1, 2.0)}, '{"a":[1,2.0]}'), ("é\ud83d", '"\\u00e9\\ud83d"')],
)
def test_a_meta_is_json(meta, text):
    assert meta_json(meta) == text


@pytest.mark.parametrize(
    ("meta", "error", "match"),
    [
        (b"", TypeError, "a presence meta is a value that JSON has: .*bytes"),
        ({"a": {1}}, TypeError, "set is not JSON serializable"),
        (float("nan"), ValueError, "nan is not JSON compliant"),
    ],
)
def test_what_json_has_not_is_no_meta(meta, error, match):
    with pytest.raises(error, match=match):
        meta_json(meta)


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_the_deepest_meta_is_read_back():
    room = Room()
    room.track("a", "ann", nested(MAX_META_DEPTH))
    assert room.roster.present() == {"ann": [nested(MAX_META_DEPTH)]}
    with pytest.raises(ValueError, match="a presence meta is nested at most 498 levels deep"):
        meta_json(nested(MAX_META_DEPTH + 1))


class Room:
    """Connections, and what is told to somebody who was there before them."""

    def __init__(self):
        self.open = set()
        self.roster = Roster(self.open.__contains__)
        self.kept = {}
        self.heard = []

    def track(self, who, key, meta=None):
        self.open.add(who)
        entry = self.roster.entry_for(who, key, meta_json(meta))
        if entry is None:
            return None
        self.kept[who] = entry
        return self.tell(self.roster.put(who, entry))

    def drop(self, who):
        del self.kept[who]
        return self.tell(self.roster.drop(who))

    def close(self, who):
        self.open.discard(who)

    def sleep(self):
        self.roster = Roster(self.open.__contains__)
        self.roster.find(self.kept.items())

    def tell(self, change):
        """The keys for which `on_join` and `on_leave` are called."""
        if message := change.message():
            self.heard.append(json.loads(message))
            assert self.heard[-1].pop("type") == "presence_diff"
        return change.joined and change.joined.key, change.leaves

    def said(self):
        """What was told since it was asked last."""
        heard, self.heard = self.heard, []
        return [(diff["joins"], diff["leaves"]) for diff in heard]


def test_somebody_comes_and_goes():
    room = Room()
    assert room.track("a", "ann", {"n": 1}) == ("ann", [])
    assert room.said() == [({"ann": [{"n": 1}]}, [])]
    assert room.roster.present() == {"ann": [{"n": 1}]}
    assert "a" in room.roster
    assert room.drop("a") == (None, ["ann"])
    assert room.said() == [({}, ["ann"])]
    assert room.roster.present() == {}
    assert "a" not in room.roster


def test_the_messages_as_they_are_sent():
    room = Room()
    room.track("a", "ann", {"n": 1})
    room.track("b", 'b"')
    assert room.roster.state() == (
        '{"type":"presence_state","presence":{"ann":[{"n":1}],"b\\"":[null]}}'
    )
    change = room.roster.put("a", room.roster.entry_for("a", "é", "1"))
    assert change.message() == (
        '{"type":"presence_diff","joins":{"\\u00e9":[1]},"leaves":["ann"]}'
    ).replace("\\u00e9", "é")
    assert Change().message() is None


def test_one_key_with_three_connections_comes_once_and_goes_once():
    room = Room()
    assert room.track("a", "ann", 1) == ("ann", [])
    assert room.track("b", "ann", 2) == (None, [])
    assert room.track("c", "ann", 2) == (None, [])
    assert room.said()[-1] == ({"ann": [1, 2, 2]}, [])
    assert room.drop("b") == (None, [])
    assert room.drop("a") == (None, [])
    assert room.said() == [({"ann": [1, 2]}, []), ({"ann": [2]}, [])]
    assert room.drop("c") == (None, ["ann"])


def test_a_changed_meta_keeps_its_place_and_the_same_again_is_nothing():
    room = Room()
    room.track("a", "ann", 1)
    room.track("b", "ann", 2)
    room.said()
    assert room.track("a", "ann", 3) == (None, [])
    assert room.said() == [({"ann": [3, 2]}, [])]
    assert room.track("a", "ann", 3) is None
    assert room.said() == []
    assert room.track("b", "ann", 2.0) == (None, [])  # 2.0 is another JSON than 2


def test_another_key_is_a_leave_and_a_join_in_one():
    room = Room()
    room.track("a", "ann", 1)
    room.track("b", "ann", 2)
    room.track("c", "cy", 3)
    room.said()
    assert room.track("a", "bob", 1) == ("bob", [])
    assert room.track("b", "cy", 2) == (None, ["ann"])
    assert room.said() == [
        ({"ann": [2], "bob": [1]}, []),
        ({"cy": [3, 2]}, ["ann"]),
    ]


def test_who_is_closed_is_not_here_and_has_not_left_before_their_end():
    room = Room()
    room.track("a", "ann", 1)
    room.track("b", "ann", 2)
    room.track("c", "cy")
    room.said()
    room.close("c")
    assert room.roster.present() == {"ann": [1, 2]}
    room.close("a")
    assert room.roster.present() == {"ann": [2]}
    assert room.drop("a") == (None, [])
    assert room.drop("c") == (None, ["cy"])
    assert room.said() == [({"ann": [2]}, []), ({}, ["cy"])]


def test_a_key_with_two_connections_that_close_at_once_leaves_once():
    room = Room()
    for who in "ab":
        room.track(who, "ann")
    for who in "ab":
        room.close(who)
    room.said()
    assert room.drop("a") == (None, ["ann"])
    assert room.drop("b") == (None, [])
    assert room.said() == [({}, ["ann"])]


@pytest.mark.parametrize("meta", [1, 2])
def test_a_connection_in_the_place_of_a_closed_one_is_no_join_and_no_leave(meta):
    room = Room()
    room.track("a", "ann", 1)
    room.close("a")
    room.said()
    assert room.track("b", "ann", meta) == (None, [])
    assert room.said() == ([] if meta == 1 else [({"ann": [meta]}, [])])
    assert room.drop("a") == (None, [])
    assert room.said() == []


def test_who_comes_back_comes_last():
    room = Room()
    for who in "abc":
        room.track(who, who)
    room.track("d", "a")
    room.drop("a")
    room.drop("b")
    room.track("b", "b")
    assert list(room.roster.present()) == ["a", "c", "b"]
    room.track("a", "a")
    room.sleep()
    assert list(room.roster.present()) == ["a", "c", "b"]
    assert room.track("e", "e")
    assert list(room.roster.present()) == ["a", "c", "b", "e"]


def test_after_a_sleep_the_others_know_of_those_who_were_lost_in_it():
    room = Room()
    room.track("a", "ann", 1)
    room.track("b", "ann", 2)
    room.track("c", "cy")
    room.said()
    for who in "abc":
        room.close(who)
    room.sleep()
    assert room.roster.present() == {}
    assert room.track("d", "cy") == (None, [])  # it has not left
    assert [room.drop(who) for who in "abc"] == [(None, ["ann"]), (None, []), (None, [])]
    assert room.said() == [({}, ["ann"])]


def test_somebody_whom_the_platform_did_not_list_leaves_all_the_same():
    room = Room()
    room.track("a", "ann", 1)
    room.track("b", "bob", 1)
    lost = room.kept.pop("b")
    room.close("b")
    room.sleep()
    room.said()
    room.roster.find([("b", lost)])
    room.kept["b"] = lost
    assert room.roster.present() == {"ann": [1]}
    assert room.drop("b") == (None, ["bob"])


def test_an_entry_is_four_values_that_a_socket_keeps():
    room = Room()
    room.track("a", "ann", {"n": 1})
    assert room.kept["a"] == Entry(1, 1, "ann", '{"n":1}')
    room.track("b", "ann")
    assert list(room.kept["b"]) == [1, 2, "ann", "null"]


actions = st.lists(
    st.tuples(
        st.sampled_from(["track", "track", "track", "close", "drop", "sleep"]),
        st.sampled_from("abcde"),
        st.sampled_from(["x", "y", "1"]),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(actions)
def test_whatever_happens_others_see_who_is_here_and_keys_come_and_go_in_turn(actions):
    room, others, here, gone = Room(), {}, set(), set()

    def follow(happened):
        if happened is not None:
            joined, left = happened
            assert not set(left) - here
            here.difference_update(left)
            if joined:
                assert joined not in here
                here.add(joined)
        for joins, leaves in room.said():
            others.update(joins)
            for key in leaves:
                del others[key]

    for action, who, key, meta in actions:
        if action == "sleep":
            before = list(room.roster.present().items())
            room.sleep()
            assert sorted(before) == sorted(room.roster.present().items())
        elif who in gone:
            continue
        elif action == "track" and who not in room.kept.keys() - room.open:
            follow(room.track(who, key, meta))
        elif action == "close" and who in room.open:
            room.close(who)
        elif action == "drop" and who in room.kept:
            if who not in room.open:
                gone.add(who)
            follow(room.drop(who))
        present = room.roster.present()
        assert json.loads(room.roster.state())["presence"] == present
        assert {key: len(metas) for key, metas in present.items()} == count(room)
        if not room.kept.keys() - room.open:
            assert others == present
            assert here == {*present}
    for who in list(room.kept):
        room.close(who)
        follow(room.drop(who))
    assert (others, here) == ({}, set())
    assert re.fullmatch(r"\{\}", room.roster.json())


def count(room):
    keys = [entry.key for who, entry in room.kept.items() if who in room.open]
    return {key: keys.count(key) for key in keys}
