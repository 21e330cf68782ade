"""Messages: what arrives, where, and in which order."""

from __future__ import annotations

import pytest

from .scripted import command, events, eventually, open_socket

TEXTS = ["hello", "", "\0", "a\0b", "grüße", "😀🎉", "\u2028\u2029", "x" * 100_000, '{"json": 1}']


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:12]))
def test_text_arrives_as_sent(party, binding, text):
    with open_socket(party.room(binding("Scripted"), "texts"), "a") as a:
        a.send_json(["echo", text])
        assert a.receive() == text


@pytest.mark.parametrize("data", [b"", b"\0", bytes(range(256)), b"\xff" * 70_000], ids=len)
def test_binary_arrives_as_sent(party, binding, data):
    with open_socket(party.room(binding("Scripted"), "binary"), "a") as a:
        a.send(data)
        assert a.receive() == data


def test_a_half_surrogate_becomes_the_replacement_character_as_in_javascript(party, binding):
    with open_socket(party.room(binding("Scripted"), "surrogates"), "a") as a:
        a.send('["echo", "\\ud800"]')
        assert a.receive() == "\ufffd"


def test_an_async_hook_that_suspends_is_finished(party, binding):
    with open_socket(party.room(binding("Scripted"), "later"), "a") as a:
        a.send_json(["echo_later", "in a while"])
        assert a.receive() == "in a while"


def test_messages_of_one_sender_keep_their_order_across_an_eviction(party, binding, evict):
    room = party.room(binding("Scripted"), "order")
    with open_socket(room, "a") as a:
        for number in range(50):
            a.send_json(["echo", str(number)])
        assert [a.receive() for _ in range(50)] == [str(n) for n in range(50)]
        evict(room)
        for number in range(50):
            a.send_json(["echo", str(number)])
        assert [a.receive() for _ in range(50)] == [str(n) for n in range(50)]


def test_a_broadcast_reaches_everyone_but_the_excluded(party, binding, evict):
    room = party.room(binding("Scripted"), "broadcast")
    with (
        open_socket(room, "a") as a,
        open_socket(room, "b") as b,
        open_socket(room, "c") as c,
    ):
        a.send_json(["broadcast", "to all"])
        assert [s.receive() for s in (a, b, c)] == ["to all"] * 3
        evict(room)
        b.send_json(["broadcast", "to others", ["b", "nobody"]])
        assert [s.receive() for s in (a, c)] == ["to others"] * 2
        evict(room)
        c.send_json(["broadcast_bytes", [0, 1, 255]])
        assert [s.receive() for s in (a, b, c)] == [b"\0\1\xff"] * 3


def test_exclude_may_be_a_single_id(party, binding):
    room = party.room(binding("Scripted"), "exclude-one")
    with open_socket(room, "abc") as abc, open_socket(room, "a") as a:
        a.send_json(["broadcast", "not to abc", "abc"])
        assert a.receive() == "not to abc"
        a.send_json(["broadcast", "to all"])
        assert abc.receive() == "to all"


def test_exclude_takes_connections_which_are_left_out_alone(party, binding, evict):
    room = party.room(binding("Scripted"), "exclude-connections")
    with (
        open_socket(room, "a") as a,
        open_socket(room, "a") as another,
        open_socket(room, "b") as b,
        open_socket(room, "c") as c,
    ):
        evict(room)
        a.send_json(["broadcast_json", {"to": ["another a", "c"], "1": 1.5}, "b"])
        assert [s.receive() for s in (another, c)] == ['{"to":["another a","c"],"1":1.5}'] * 2
        a.send_json(["broadcast", "to b and c", ["a", "nobody"]])
        a.send_json(["broadcast", "to all"])
        assert [s.receive() for s in (b, c)] == ["to b and c"] * 2
        assert [s.receive() for s in (a, another, b, c)] == ["to all"] * 4


def test_exclude_takes_nothing_else(party, binding):
    room = party.room(binding("Scripted"), "exclude-others")
    with open_socket(room, "a") as a:
        for exclude in ([7], [None], ["b", {}], 7):
            assert command(a, "try_broadcast", exclude)[0] == "raised", exclude
        assert command(a, "ids") == ["ids", ["a"]]


def test_one_broken_socket_does_not_stop_a_broadcast(party, binding):
    room = party.room(binding("Scripted"), "broken")
    sockets = [open_socket(room, id) for id in "abcde"]
    a, *others = sockets
    a.send_json(["break_socket", "c"])
    a.send_json(["broadcast", "still here"])
    survivors = [socket for socket in sockets if socket.id != "c"]
    assert [socket.receive() for socket in survivors] == ["still here"] * 4
    c = others[1]
    c.wait_closed()
    assert c.close_code == 3333
    assert command(a, "ids") == ["ids", ["a", "b", "d", "e"]]


def test_a_broadcast_may_go_to_some(party, binding, evict):
    """Six are red, for whom one call into JavaScript is worth it, and two are blue."""
    room = party.room(binding("Scripted"), "broadcast-to")
    sockets = {
        id: open_socket(room, id, query={"tag": "blue" if id in "ab" else "red"})
        for id in "abcdefgh"
    }

    def told(text, *ids):
        a.send_json(["broadcast", "next"])
        for id, socket in sockets.items():
            assert [text, "next"][id not in ids] == socket.receive()
            assert id not in ids or socket.receive() == "next"

    a = sockets["a"]
    for _ in range(2):
        evict(room)
        for tag, ids in (("red", "cdefgh"), ("blue", "ab"), ("nobody's", "")):
            a.send_json(["broadcast_to", "to a tag", tag])
            told("to a tag", *ids)
        a.send_json(["broadcast_to", "but for some", "red", ["a", "c", "d"]])
        told("but for some", *"efgh")
        a.send_json(["broadcast_to", "to all with the tag", "red"])
        told("to all with the tag", *"cdefgh")
        a.send_json(["broadcast_to", "to those", ["b", "c", "b", "d"], "d"])
        told("to those", "b", "c")
        a.send_json(["broadcast_to", "to none", []])
        a.send_json(["broadcast_to", "to an id", "c"])
        told("to an id", "c")
        a.send_json(["broadcast_json_to", {"to": "b"}, "b"])
        told('{"to":"b"}', "b")
        a.send_json(["broadcast_bytes_to", [0, 255], "red"])
        told(b"\0\xff", *"cdefgh")


def test_those_who_come_and_go_are_in_what_goes_to_their_tag(party, binding):
    room = party.room(binding("Scripted"), "broadcast-to-changing")
    sockets = {id: open_socket(room, id, query={"tag": "red"}) for id in "abcde"}
    a = sockets["a"]
    a.send_json(["broadcast_to", "one", "red"])
    assert [socket.receive() for socket in sockets.values()] == ["one"] * 5
    sockets["f"] = open_socket(room, "f", query={"tag": "red"})
    assert command(a, "broadcast_to_kept", "e") == ["sent"]
    sockets.pop("e").wait_closed()
    a.send_json(["break_socket", "d"])
    a.send_json(["broadcast_to", "two", "red"])
    sockets.pop("d").wait_closed()
    assert [socket.receive() for socket in sockets.values()] == ["two"] * 4
    # Somebody may call himself as a tag is called, and is one of those then.
    sockets["red"] = open_socket(room, "red")
    a.send_json(["broadcast_to", "three", "red"])
    assert [socket.receive() for socket in sockets.values()] == ["three"] * 5
    for socket in [*sockets.values()][1:]:
        socket.close()
    assert eventually(lambda: command(a, "ids")[1] == ["a"])
    a.send_json(["broadcast_to", "four", "red"])
    assert a.receive() == "four"


def test_a_broadcast_to_anything_else_reaches_nobody(party, binding):
    room = party.room(binding("Scripted"), "broadcast-to-others")
    with open_socket(room, "a", query={"tag": "red"}) as a:
        for to in (7, True, [None], {"red": 1}, ["red", 1]):
            error = command(a, "try_broadcast_to", to)
            assert error[1].startswith("to takes a connection, several connections, or a tag"), to
        for tag, exclude, message in (("red", [7], "x"), ("red", [], ["x"]), ("no", [], None)):
            assert command(a, "try_broadcast_to", tag, exclude, message)[0] == "raised"
        assert command(a, "ids") == ["ids", ["a"]]


def test_a_message_to_one_connection_reaches_only_that(party, binding, evict):
    room = party.room(binding("Scripted"), "tell")
    with open_socket(room, "a") as a, open_socket(room, "b") as b:
        evict(room)
        a.send_json(["tell", "b", "psst"])
        assert b.receive() == "psst"
        assert command(a, "ids") == ["ids", ["a", "b"]]


def test_a_message_over_the_limit_of_the_options_closes_its_connection(party, binding):
    room = party.room(binding("Strict"), "limit")
    with open_socket(room, "a") as a, open_socket(room, "b") as b:
        a.send_json(["echo", "x" * 80])
        assert a.receive() == "x" * 80
        a.send_json(["echo", "€" * 50])  # 62 characters, but more than 100 bytes
        a.wait_closed()
        assert a.close_code == 1009
        assert command(b, "ids") == ["ids", ["b"]]
        assert [detail[:2] for _, detail in events(room, "close")] == [["a", 1009]]


@pytest.mark.parametrize(
    ("value", "error"),
    [(1, "TypeError"), (None, "TypeError"), (["x"], "TypeError"), ({"a": 1}, "TypeError")],
)
def test_send_takes_text_and_binary_only(party, binding, value, error):
    with open_socket(party.room(binding("Scripted"), "types"), "a") as a:
        assert command(a, "try", "send", value)[:2] == ["raised", error]


@pytest.mark.no_party_chaos  # a message that wakes a room comes in another way
def test_which_way_the_runtime_comes_in(party, mode, binding):
    """Pins the shortcut: if the runtime changes so that it is not taken, this says so first."""
    with open_socket(party.room(binding("Scripted"), "entry"), "a") as a:
        suspends, direct, enabled, _ = command(a, "entry")
        assert direct == (enabled and mode == "hibernating")
        assert not (direct and suspends)


def test_with_sync_io_a_message_hook_may_block(party, binding, evict):
    room = party.room(binding("Blocking"), "blocking")
    with open_socket(room, "a") as a:
        assert command(a, "entry")[:2] == [True, False]
        a.send_json(["block"])
        assert a.receive() == "unblocked"
