"""Who is here: what clients are told, what hooks are called, and that nobody stays."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest

from ..contracts.scripted import eventually


@pytest.fixture
def room(party, binding):
    return party.room(binding("Here"), "room")


@pytest.fixture
def sockets():
    """Closes what a test leaves open."""
    with ExitStack() as stack:
        yield stack


def do(room, *command):
    return room.fetch("/", "POST", content=json.dumps(command)).json()


def log(room, *names):
    """What hooks have recorded since it was asked last, but for `start` if it is not named."""
    entries = do(room, "log")
    return [entry for entry in entries if entry[0] in names or (not names and entry[0] != "start")]


def wait_for(room, name):
    """All that was recorded up to the first entry of this name."""
    seen = []

    def look():
        seen.extend(log(room))
        return any(entry[0] == name for entry in seen)

    eventually(look)
    return seen


def join(room, id, key=None, meta=None, **query):
    """Connect, and be tracked by `on_connect`; with the state that it is sent."""
    if key is not None:
        query |= {"key": key, "meta": json.dumps(meta)}
    socket = room.connect(id=id, query=query)
    return socket, state_of(socket) if key is not None else None


def state_of(socket):
    message = socket.receive_json()
    assert message["type"] == "presence_state"
    assert message.keys() == {"type", "presence"}
    return message["presence"]


def diff(socket):
    message = socket.receive_json()
    assert message.pop("type") == "presence_diff"
    assert message.keys() == {"joins", "leaves"}
    return message["joins"], message["leaves"]


def hears_nothing(room, *sockets):
    """Nothing is on its way to these."""
    for socket in sockets:
        socket.send_json(["present"])
        answer = socket.receive_json()
        assert answer[0] == "done"
    return True


def test_the_tracked_gets_the_state_and_all_others_hear_of_it(room, evict, sockets):
    quiet, _ = join(room, "quiet")
    a, state = join(room, "a", "ann", {"n": 1})
    assert state == {"ann": [{"n": 1}]}
    assert diff(quiet) == ({"ann": [{"n": 1}]}, [])
    evict(room)
    b, state = join(room, "b", "bob")
    assert state == {"ann": [{"n": 1}], "bob": [None]}
    assert diff(quiet) == diff(a) == ({"bob": [None]}, [])
    evict(room)
    # A changed meta, and the same again.
    assert do(room, "track", "a", "ann", 2) is None
    evict(room)
    assert do(room, "track", "a", "ann", 2) is None
    assert diff(quiet) == diff(b) == ({"ann": [2]}, [])
    evict(room)
    # Another key.
    assert do(room, "track", "a", "cy", 2) is None
    assert diff(quiet) == diff(b) == ({"cy": [2]}, ["ann"])
    assert do(room, "present") == {"bob": [None], "cy": [2]}
    evict(room)
    assert do(room, "untrack", "a") is None
    assert diff(quiet) == diff(b) == ({}, ["cy"])
    assert do(room, "untrack", "a") is do(room, "untrack", "quiet") is None
    evict(room)
    assert do(room, "track", "a", "ann") is None
    assert state_of(a) == {"bob": [None], "ann": [None]}
    assert diff(quiet) == diff(b) == ({"ann": [None]}, [])
    b.close()
    assert diff(quiet) == diff(a) == ({}, ["bob"])
    assert hears_nothing(room, quiet, a)
    assert [entry for entry in log(room) if entry[0] in ("join", "leave")] == [
        ["join", "ann", {"n": 1}],
        ["join", "bob", None],
        ["leave", "ann", {"bob": [None], "cy": [2]}],
        ["join", "cy", 2],
        ["leave", "cy", {"bob": [None]}],
        ["join", "ann", None],
        ["leave", "bob", {"ann": [None]}],
    ]


def test_one_key_on_three_tabs_comes_and_goes_once(room, evict):
    a, _ = join(room, "a", "ann", 1)
    b, state = join(room, "b", "ann", 2)
    assert state == {"ann": [1, 2]}
    evict(room)
    c, state = join(room, "c", "ann", 2)
    assert state == {"ann": [1, 2, 2]}
    assert [diff(a), diff(a), diff(b)] == [
        ({"ann": [1, 2]}, []),
        ({"ann": [1, 2, 2]}, []),
        ({"ann": [1, 2, 2]}, []),
    ]
    evict(room)
    a.close()
    assert diff(b) == diff(c) == ({"ann": [2, 2]}, [])
    evict(room)
    b.drop()
    assert diff(c) == ({"ann": [2]}, [])
    assert do(room, "present") == {"ann": [2]}
    evict(room)
    c.close()
    entries = wait_for(room, "left")
    assert [entry for entry in entries if entry[0] != "close"] == [
        ["join", "ann", 1],
        ["leave", "ann", {}],
        ["left", "ann"],
    ]


def test_the_order_is_that_in_which_they_came_also_after_a_sleep(room, evict):
    """Of the text: a test of equality would not notice."""
    others = [join(room, id)[0] for id in "abcd"]
    for id, key in [("c", "x"), ("a", "y"), ("d", "x"), ("b", "z")]:
        do(room, "track", id, key, id)
    do(room, "untrack", "c")
    do(room, "track", "c", "y", "c")
    expected = [["x", ["d"]], ["y", ["a", "c"]], ["z", ["b"]]]
    assert list(map(list, do(room, "present").items())) == expected
    evict(room)
    assert list(map(list, do(room, "present").items())) == expected
    late, state = join(room, "e", "z", "e")
    assert list(state) == ["x", "y", "z"]
    assert state["z"] == ["b", "e"]
    for one in [late, *others]:
        one.close()


@pytest.mark.parametrize("same_meta", [True, False])
def test_a_client_that_is_back_before_its_old_socket_has_ended_causes_no_leave(
    room, evict, same_meta
):
    other, _ = join(room, "other", "bob")
    old, _ = join(room, "me", "ann", 1)
    evict(room)
    new, _ = join(room, "me", "ann", 1 if same_meta else 2)
    evict(room)
    old.drop()
    metas = [1, 1] if same_meta else [1, 2]
    assert [diff(other) for _ in range(3)] == [
        ({"ann": [1]}, []),
        ({"ann": metas}, []),
        ({"ann": metas[1:]}, []),
    ]
    assert hears_nothing(room, other)
    assert log(room, "join", "leave") == [["join", "bob", None], ["join", "ann", 1]]
    new.close()


def test_a_connection_that_takes_anothers_place_causes_no_leave(party, binding, evict):
    room = party.room(binding("Replacing"), "room")
    other, _ = join(room, "other", "bob")
    old, _ = join(room, "me", "ann", 1)
    assert diff(other) == ({"ann": [1]}, [])
    evict(room)
    new, state = join(room, "me", "ann", 2)
    assert state == {"bob": [None], "ann": [2]}
    assert diff(other) == ({"ann": [2]}, [])
    old.wait_closed()
    assert old.close_code == 4409
    newest, state = join(room, "me", "ann", 2)
    new.wait_closed()
    assert state == {"bob": [None], "ann": [2]}
    wait_for(room, "close")
    assert hears_nothing(room, other, newest)  # its list has not changed
    assert do(room, "present") == state
    assert log(room, "leave") == []
    newest.close()
    assert diff(other) == ({}, ["ann"])


def test_peers_that_vanish_while_the_room_sleeps_are_gone_at_once(room, evict):
    """Two lost in one sleep may meet in one wake."""
    other, _ = join(room, "other")
    first = [join(room, id, "ann", id)[0] for id in "ab"]
    second = [join(room, id, id, 1)[0] for id in "cd"]
    for _ in range(4):
        diff(other)
    log(room)
    evict(room)
    for socket in first + second:
        socket.drop()
    left, entries = [], []
    while len(left) < 3:
        joins, leaves = diff(other)
        assert joins in ({}, {"ann": ["b"]}, {"ann": ["a"]})
        left += leaves
    while len([entry for entry in entries if entry[0] == "left"]) < 3:
        entries += wait_for(room, "left")
    assert sorted(left) == ["ann", "c", "d"]
    assert sorted(entry[1] for entry in entries if entry[0] == "leave") == ["ann", "c", "d"]
    for name, who, *present in entries:
        if name == "close":
            assert not {who, *("ab" if who in "ab" else "")} & present[0].keys()
        elif name == "leave":
            assert who not in present[0]
    assert do(room, "present") == {}
    assert hears_nothing(room, other)


def test_who_is_lost_is_not_present_when_the_room_wakes_for_it(room, evict):
    a, _ = join(room, "a", "ann")
    b, _ = join(room, "b", "bob")
    assert do(room, "log")
    evict(room)
    a.drop()
    assert diff(b) == ({}, ["ann"])
    entries = []

    def look():
        entries.extend(do(room, "log"))
        return ["left", "ann"] in entries

    eventually(look)
    for name, *rest in entries:
        if name in ("start", "leave", "close"):
            assert rest[-1] == {"bob": [None]}, name


@pytest.mark.parametrize("when", ["fail", "fail later"])
def test_an_on_connect_that_fails_leaves_nobody_behind(room, evict, when):
    other, _ = join(room, "other", "bob")
    evict(room)
    with room.connect(id="a", query={"key": "ann", "meta": "1", "then": when}) as a:
        assert a.receive_json()["error"] == "Internal error"
        a.wait_closed()
    assert [diff(other), diff(other)] == [({"ann": [1]}, []), ({}, ["ann"])]
    assert do(room, "present") == {"bob": [None]}
    assert hears_nothing(room, other)
    assert [entry[:2] for entry in log(room, "join", "leave", "close")] == [
        ["join", "bob"],
        ["join", "ann"],
        ["leave", "ann"],
    ]


def test_who_is_closed_while_on_connect_runs_is_not_tracked_by_it(room):
    with room.connect(id="a", query={"then": "close"}) as a:
        a.wait_closed()
    [entry] = log(room, "closed")
    assert entry[1] == "ConnectionClosedError: connection 'a' is closed and cannot be tracked"
    assert do(room, "present") == {}


def test_who_is_not_open_yet_is_not_tracked(room):
    with room.connect(id="a", query={"then": "too early"}):
        [entry] = log(room, "early")
        assert entry[1].startswith("ConnectionClosedError: connection 'a' is")
        assert do(room, "present") == {}


def test_what_is_no_connection_is_not_tracked(room):
    with room.connect(id="a"):
        assert do(room, "track_others") == [
            "ConnectionClosedError: connection 'a' is closed and cannot be tracked",
            "TypeError: presence is tracked of connections, not of 'a'",
            "TypeError: presence is tracked of connections, not of None",
        ]


BAD_KEYS = {None: "TypeError", 7: "TypeError", "": "ValueError", "x" * 300: "ValueError"}
BAD_VALUES = {
    "bytes": "TypeError: a presence meta",
    "set": "TypeError: a presence meta",
    "nan": "ValueError",
    "deep": "ValueError: a presence meta is nested at most",
    "deeper": "ValueError: a presence meta is nested at most",
    "large": "StateTooLargeError: ",
}


def test_what_cannot_be_tracked_changes_nothing(room, evict):
    other, _ = join(room, "other")
    a, _ = join(room, "a", "ann", 1)
    diff(other)
    for key, error in BAD_KEYS.items():
        assert do(room, "track", "a", key).startswith(error)
    for value, error in BAD_VALUES.items():
        for id, key in [("a", "ann"), ("a", "bob"), ("other", "ann")]:
            evict(room)
            assert do(room, "track_value", id, key, value).startswith(error)
    assert "(about: id, tags and URL" in do(room, "track_value", "a", "ann", "large")
    assert "presence 17" in do(room, "track_value", "a", "ann", "large")
    evict(room)
    assert do(room, "present") == {"ann": [1]}
    assert hears_nothing(room, other, a)
    assert [entry[:2] for entry in log(room, "join", "leave")] == [["join", "ann"]]
    # Half a surrogate pair is no UTF-8, and JSON has it all the same.
    assert do(room, "track_value", "a", "ann", "half") is None
    assert diff(other) == ({"ann": ["\ud83d"]}, [])
    evict(room)
    assert do(room, "present") == {"ann": ["\ud83d"]}


def test_presence_stands_beside_the_state_and_both_are_copies(room, evict):
    a, _ = join(room, "a", "a", {"10": 1.0, "9": []})
    before = do(room, "present")
    assert do(room, "change", "a") == [before, {"mine": 1}]
    evict(room)
    assert do(room, "change", "a") == [before, {"mine": 1}]
    assert json.dumps(before) == json.dumps({"a": [{"10": 1.0, "9": []}]})
    odd = {"constructor": 1, "__proto__": {"a": 2}, "1": 3}
    for key in ("__proto__", "constructor", "10"):
        do(room, "track", "a", key, odd)
        evict(room)
        assert do(room, "present") == {key: [odd]}
    a.close()


def test_who_is_closed_by_the_room_is_not_present_and_leaves_once(room, evict):
    other, _ = join(room, "other", "bob")
    for id in "ab":
        join(room, id, "ann")
    for _ in range(2):
        diff(other)
    log(room)
    evict(room)
    assert do(room, "kick", "a", "b") == {"bob": [None]}
    new, state = join(room, "c", "cy")
    assert state.keys() == {"bob", "cy"}
    seen = [diff(other), diff(other)]
    assert ({}, ["ann"]) in seen
    assert ({"cy": [None]}, []) in seen
    wait_for(room, "left")
    assert hears_nothing(room, other)
    assert do(room, "untrack_closed", "c") == {"bob": [None]}
    assert diff(other) == ({}, ["cy"])
    new.wait_closed()
    assert hears_nothing(room, other)


def test_what_is_lost_with_the_room_is_lost_for_all(room, binding):
    a, _ = join(room, "a", "ann")
    log(room)
    room.evict()
    a.wait_closed()
    b, state = join(room, "b", "bob")
    assert state == {"bob": [None]}
    assert log(room, "leave", "join") == [["join", "bob", None]]
    b.close()


@pytest.mark.no_party_chaos  # another start would have worked
def test_where_on_start_fails_nobody_stays_and_no_hook_runs(party):
    room = party.room("HereSleepy", "broken")
    other, _ = join(room, "other")
    a, _ = join(room, "a", "ann")
    diff(other)
    log(room)
    do(room, "break")
    room.hibernate()
    a.close()
    assert diff(other) == ({}, ["ann"])
    assert do(room, "present") == {}
    assert log(room) == []


@pytest.mark.parametrize(
    ("key", "error"), [("joins badly", "in on_join"), ("leaves badly", "in on_leave")]
)
def test_a_hook_that_fails_fails_nothing_but_itself(party, room, key, error):
    other, _ = join(room, "other")
    a, state = join(room, "a", key)
    assert state == {key: [None]}
    assert diff(other) == ({key: [None]}, [])
    a.close()
    assert diff(other) == ({}, [key])
    assert eventually(lambda: f"SystemExit: {error}" in str(party.logs))
    wait_for(room, "close")
    assert "error id" in str(party.logs)
    assert hears_nothing(room, other)


def test_hooks_that_track_are_called_in_the_order_of_what_happened(room):
    with room.connect(id="a", query={"key": "restless"}):
        do(room, "track", "a", "away")
        log = [entry[:2] for entry in do(room, "log") if entry[0] in ("join", "leave")]
        assert log == [
            ["join", "restless"],
            ["leave", "restless"],
            ["join", "away"],
            ["leave", "away"],
            ["join", "home"],
        ]


def test_hooks_that_track_without_end_are_stopped(party, room):
    with room.connect(id="a"):
        do(room, "track", "a", "ping")
        assert party.logs.wait_for("RecursionError: on_join and on_leave track somebody")
        assert len(do(room, "present")) == 1


@pytest.mark.log_may_hold("Uncaught PythonError")  # of calls, whose callers get the errors
def test_the_mixins_methods_are_not_for_callers_and_an_authors_own_are(party, binding):
    def call(name, method, *arguments):
        query = json.dumps(arguments)
        return party.fetch(f"/rpc/{binding(name)}/room/{method}?{query}").json()

    for method in ("track", "untrack", "present"):
        assert "cannot be called from outside" in call("Here", method, "a", "b")
    room = party.room(binding("OwnNames"), "room")
    with room.connect(id="a") as a:
        assert state_of(a) == {"a": [None]}
        assert call("OwnNames", "track", "she") == "she is on the track"
        assert call("OwnNames", "present", "a book") == "a present: a book"
    assert log(room) == [["track", "she"]]


def test_a_hundred_come_and_each_hears_of_those_behind(party, sockets):
    room = party.room("HereSleepy", "crowd")
    crowd = []
    for number in range(100):
        socket, state = join(room, str(number), f"key{number}")
        assert len(state) == number + 1
        crowd.append(sockets.enter_context(socket))
    room.hibernate()
    for number, socket in enumerate(crowd):
        heard = [diff(socket) for _ in range(99 - number)]
        assert [key for joins, _ in heard for key in joins] == [
            f"key{later}" for later in range(number + 1, 100)
        ]
    assert len(do(room, "present")) == 100
