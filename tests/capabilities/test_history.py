"""What a client missed: in order, each once, before anything newer, and a word where it is gone."""

from __future__ import annotations

import json

import pytest

from ..interop.test_partysocket import NodeClient
from .test_presence import do


@pytest.fixture
def room(party, binding):
    return party.room(binding("Past"), "room")


def connect(room, id, since=None, **query):
    """Connect with `?since=`, and what came before `on_connect` has greeted."""
    if since is not None:
        query["since"] = since
    socket = room.connect(id=id, query=query)
    heard = []
    while (message := socket.receive_json()) != {"type": "connected"}:
        heard.append(message)
    return socket, heard


def resume(room, since, **query):
    socket, heard = connect(room, "resuming", since, **query)
    socket.close()
    return heard


def event(number, value):
    return {"type": "event", "seq": number, "data": value}


def gap(first):
    return {"type": "history_gap", "first": first}


def values(heard):
    return [(message["seq"], message["data"]) for message in heard]


def test_what_a_client_missed_it_gets_in_order_once_and_before_anything_newer(room, evict):
    a, heard = connect(room, "a")
    assert heard == []
    assert do(room, "publish", {"n": [1, "é", None]}, 2) == [1, 2]
    assert [a.receive_json(), a.receive_json()] == [event(1, {"n": [1, "é", None]}), event(2, 2)]
    a.drop()
    evict(room)
    assert do(room, "publish", "3") == [3]
    evict(room)
    assert do(room, "publish", "4") == [4]
    evict(room)
    a, heard = connect(room, "a", 2)
    assert heard == [event(3, "3"), event(4, "4")]
    assert do(room, "publish", "5") == [5]
    assert a.receive_json() == event(5, "5")
    evict(room)
    # One that is up to date, one that has nothing, and one that does not ask.
    assert resume(room, 5) == []
    assert values(resume(room, 0)) == [
        (1, {"n": [1, "é", None]}),
        (2, 2),
        (3, "3"),
        (4, "4"),
        (5, "5"),
    ]
    assert resume(room, None) == []
    a.send_json(["read"])
    assert a.receive_json() == ["done", [[n, v] for n, v in values(resume(room, 0))]]


def test_what_is_replayed_is_what_was_sent(room):
    a, _ = connect(room, "a")
    do(room, "publish", {"1": 1.0, "b": "\ud83d", "a": "\x00\u2028😀"}, 10**20)
    sent = [a.receive(), a.receive()]
    with room.connect(id="b", query={"since": 0}) as b:
        assert [b.receive(), b.receive()] == sent
    assert sent[0].endswith(r'"data":{"1":1.0,"b":"\ud83d","a":"\u0000\u2028\ud83d\ude00"}}')
    a.close()


def test_a_client_is_told_of_what_is_gone(room, evict):
    assert resume(room, 0) == []
    assert resume(room, 1) == [gap(1)]  # nothing was published yet
    assert do(room, "publish", *"abcdefgh") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert do(room, "stored") == [4, 5, 6, 7, 8]
    kept = [event(number, letter) for number, letter in enumerate("defgh", 4)]
    for since in ("3", "4", "0007", "8"):
        evict(room)
        assert resume(room, since) == kept[int(since) - 3 :]
    never = ["9", "-1", "9007199254740993", "9" * 400]
    no_number = [
        "",
        "abc",
        "1.5",
        "1e1",
        " 5",
        "+5",
        "5 ",
        "\u0665",
        "\uff15",
        "0x5",
        "null",
        "\x00",
        "[1]",
    ]
    for since in ("0", "1", "2", *never, *no_number):
        assert resume(room, since) == [gap(4), *kept], since
    # The last one counts.
    with room.connect(query=[("since", "2"), ("since", "7")]) as socket:
        assert [socket.receive_json(), socket.receive_json()] == [kept[-1], {"type": "connected"}]


def test_events_pass_out_of_it_by_their_age(room, evict):
    day = 86_400
    do(room, "publish_ago", [2 * day, "a"], [day + 60, "b"], [day - 600, "c"], [60, "d"])
    evict(room)
    assert do(room, "read") == [[3, "c"], [4, "d"]]
    assert resume(room, 1) == [gap(3), event(3, "c"), event(4, "d")]
    assert resume(room, 2) == [event(3, "c"), event(4, "d")]
    assert do(room, "stored") == [3, 4]
    # All of them are gone, and the numbers go on.
    late = room._party.room(room._address.room_class.binding, "late")
    do(late, "publish_ago", [3 * day, "a"], [2 * day, "b"])
    evict(late)
    assert do(late, "read") == []
    assert resume(late, 0) == resume(late, 1) == resume(late, 3) == [gap(3)]
    assert resume(late, 2) == []
    evict(late)
    assert do(late, "publish", "c") == [3]
    assert do(late, "stored") == [3]
    assert resume(late, 2) == [event(3, "c")]


def test_a_clock_that_goes_back_takes_nothing_with_it(room, evict):
    do(room, "publish_ago", [-3600, "in an hour"])
    evict(room)
    do(room, "publish_ago", [7 * 86_400, "a week ago"], [0, "now"])
    assert values(resume(room, 0)) == [(1, "in an hour"), (2, "a week ago"), (3, "now")]
    assert do(room, "stored") == [1, 2, 3]


def test_the_connecting_one_hears_what_its_own_hooks_publish_once(party, room, evict, binding):
    assert values(resume(room, 0, hello="")) == [(1, ["hello", "resuming"])]
    evict(room)
    assert values(resume(room, None, hello="")) == [(2, ["hello", "resuming"])]
    evict(room)
    # Before it is accepted.
    assert values(resume(room, 2, early="")) == [(3, ["early", "resuming"])]
    assert resume(room, None, early="") == []
    starting = party.room(binding("Past"), "starting")
    assert values(resume(starting, 0))[0] == (1, "started")


def test_who_is_left_out_gets_it_when_it_resumes(room, evict):
    a, b, twin = (connect(room, id)[0] for id in "abb")
    evict(room)
    assert do(room, "publish_excluding", 1, ["a"], []) == 1
    assert do(room, "publish_excluding", 2, [], ["b"]) == 2  # the newer one alone
    assert do(room, "publish_excluding", 3, ["b"], ["a"]) == 3
    assert do(room, "publish", 4) == [4]
    assert values([a.receive_json(), a.receive_json()]) == [(2, 2), (4, 4)]
    assert values([b.receive_json() for _ in range(3)]) == [(1, 1), (2, 2), (4, 4)]
    assert values([twin.receive_json(), twin.receive_json()]) == [(1, 1), (4, 4)]
    assert values(resume(room, 0)) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    for socket in (a, b, twin):
        socket.close()


def test_what_cannot_be_published_is_not_numbered(room, evict):
    a, _ = connect(room, "a")
    do(room, "publish", 1)
    errors = {
        "bytes": "TypeError: a published value is a value that JSON has",
        "set": "TypeError",
        "nan": "ValueError: nan is not JSON compliant",
        "deep": "ValueError: a published value is nested at most 500 levels deep",
        "deeper": "ValueError: a published value is nested at most 500 levels deep",
    }
    for value, error in errors.items():
        assert do(room, "publish_value", value).startswith(error)
    evict(room)
    assert "at most 1,900,000 bytes as JSON" in do(room, "publish_large", 2_500_000)
    assert do(room, "publish_badly").startswith("TypeError: exclude takes ids and connections")
    assert "the disk is full" in do(room, "publish_when_full", "x")
    evict(room)
    assert do(room, "publish", 2) == [2]
    assert values([a.receive_json(), a.receive_json()]) == [(1, 1), (2, 2)]
    assert do(room, "read") == [[1, 1], [2, 2]]
    a.close()


def test_the_largest_value_is_replayed(party, room):
    assert do(room, "publish_large", 1_899_998) == 1
    [message] = resume(room, 0)
    assert len(message["data"]) == 1_899_998


@pytest.mark.no_party_chaos  # in one life
def test_numbers_do_not_go_back_when_all_is_deleted(room, evict):
    do(room, "publish", 1, 2)
    evict(room)
    assert do(room, "wipe") == [[]]
    assert resume(room, 1) == [gap(3)]
    assert resume(room, 2) == []
    assert do(room, "wipe", 3) == [[], 3]
    evict(room)
    assert resume(room, 0) == [gap(3), event(3, 3)]
    assert resume(room, 2) == [event(3, 3)]


def test_of_a_transaction_that_is_undone_nobody_hears(room, evict):
    a, _ = connect(room, "a")
    do(room, "publish", 1)
    assert do(room, "publish_and_undo", "undone") == "ZeroDivisionError"
    evict(room)
    assert do(room, "publish", 2) == [2]
    assert do(room, "publish_and_undo", "undone, in the same life") == "ZeroDivisionError"
    assert do(room, "publish", 3) == [3]
    heard = [(1, 1), (2, 2), (3, 3)]
    assert values([a.receive_json() for _ in range(3)]) == heard
    assert values(resume(room, 0)) == heard
    a.close()


def test_what_is_published_in_a_transaction_is_sent_at_its_end(room, evict):
    a, _ = connect(room, "a")
    assert do(room, "publish_in_transactions", "x", "undone", "y") == [1, 2, 2, "the end"]
    assert a.receive_json() == ["in the transaction"]
    heard = [(1, "x"), (2, "y")]
    assert values([a.receive_json() for _ in range(2)]) == heard
    evict(room)
    assert values(resume(room, 0)) == heard
    assert do(room, "publish", 3) == [3]
    a.close()


def test_events_are_read(room, evict):
    assert do(room, "read") == []
    do(room, "publish", *"abcdefg")
    evict(room)
    everything = [[3, "c"], [4, "d"], [5, "e"], [6, "f"], [7, "g"]]
    assert do(room, "read") == do(room, "read", -5, 10**30) == everything
    assert do(room, "read", 0, 2) == everything[:2]
    assert do(room, "read", 5) == everything[3:]
    assert do(room, "read", 7) == do(room, "read", 10**30) == []
    assert do(room, "read", "1").startswith("TypeError")
    assert do(room, "read", 0, 0).startswith("ValueError")


@pytest.mark.parametrize("options", ["a dict", "None", "the class"])
def test_options_are_looked_at_when_the_class_is_created(room, options):
    assert do(room, "define", options).startswith("TypeError: Room.history_options must be")


@pytest.mark.log_may_hold("Uncaught PythonError")  # of calls, whose callers get the errors
def test_the_mixins_methods_are_not_for_callers(party, binding):
    for method in ("publish", "read_events"):
        answer = party.fetch(f"/rpc/{binding('Past')}/room/{method}?{json.dumps([1])}").json()
        assert "cannot be called from outside" in answer


def test_a_thousand_large_events_are_replayed(party, binding, evict):
    room = party.room(binding("Large"), "room")
    for start in range(0, 1100, 100):
        do(room, "publish", *(f"{number} {'x' * 5000}" for number in range(start, start + 100)))
    evict(room)
    heard = resume(room, 100)
    assert [message["seq"] for message in heard] == list(range(101, 1101))
    assert all(message["data"].split()[0] == str(message["seq"] - 1) for message in heard)
    # Some leave in the middle.
    for _ in range(3):
        room.connect(query={"since": 0}).drop()
    assert len(resume(room, 0)) == 1001


def test_they_wait_for_nothing_while_others_speak(room, evict):
    """Somebody resumes while others publish: all is heard once, in order."""
    speaker, _ = connect(room, "speaker")
    heard, last = [], 0
    for round in range(5):
        for number in range(3):
            speaker.send_json(["publish", [round, number]])
        socket, missed = connect(room, "listener", last)
        heard += missed
        evict(room)
        do(room, "publish", "end")
        while (message := socket.receive_json())["data"] != "end":
            heard.append(message)
        heard.append(message)
        last = message["seq"]
        socket.drop()
    assert [message["seq"] for message in heard] == list(range(1, last + 1))


@pytest.fixture
def node():
    """npm partysocket, as it is, in Node.js."""
    client = NodeClient()
    yield client
    client.stop()


def test_partysocket_resumes(party, room, binding, evict, node):
    """Whatever ends its connections, it hears each event once, in order."""
    heard = []

    def listen_for(value):
        """Up to this event, through reconnections."""
        while [data for _, data in heard][-1:] != [value]:
            kind, *details = node("next")
            if kind == "message" and (message := json.loads(details[0]))["type"] != "connected":
                assert message["type"] == "event"
                heard.append((message["seq"], message["data"]))

    party_name = "past" if binding("Past") == "Past" else "past-sleepy"
    node("resume", {"host": party.url, "party": party_name, "room": "room", "id": "me"})
    assert node("next") == ["open"]
    do(room, "publish", "a", "b")
    listen_for("b")
    evict(room)
    node("send", json.dumps(["kick_and_publish", "me", "c", "d"]))
    listen_for("d")
    do(room, "publish", "e")
    listen_for("e")
    room.evict()  # as a deployment does
    do(room, "publish", "f")
    listen_for("f")
    node("reconnect")
    do(room, "publish", "g")
    listen_for("g")
    assert heard == list(enumerate("abcdefg", 1))


def test_partysocket_hears_of_a_gap_and_goes_on_from_there(party, node):
    room = party.room("PastSleepy", "room")
    node("resume", {"host": party.url, "party": "past-sleepy", "room": "room", "id": "me"})
    assert [node("next")[0] for _ in range(2)] == ["open", "message"]
    do(room, "publish", "a")
    assert json.loads(node("next")[1]) == event(1, "a")
    node("send", json.dumps(["kick_and_publish", "me", *"bcdefgh"]))
    assert node("next")[0] == "close"
    do(room, "publish", "i")
    heard = []
    while heard[-1:] != [event(9, "i")]:
        kind, *details = node("next")
        if kind == "message" and (message := json.loads(details[0]))["type"] != "connected":
            heard.append(message)
    first = heard[0]["first"]
    assert heard[0] == gap(first)
    assert [message["seq"] for message in heard[1:]] == list(range(first, 10))
