"""`Events`: typed messages in, to methods with `@on`, and out, by `emit`."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest


@pytest.fixture
def connect(party, binding):
    """Connects to a room of a class, by an id; the connections are closed at the end."""
    with ExitStack() as stack:

        def connect(id, of="Typed"):
            return stack.enter_context(party.room(binding(of), "lobby").connect(id=id))

        yield connect


@pytest.fixture
def room(party, binding):
    return party.room(binding("Typed"), "lobby")


def refused(socket, text):
    """What a text is answered with, which has to be an error."""
    socket.send(text)
    answer = socket.receive_json()
    assert answer.pop("type") == "error"
    return answer


def test_an_event_goes_to_the_method_for_its_type(connect, room, evict):
    a, b = connect("a"), connect("b")
    a.send_json({"type": "say", "text": "grüße"})
    assert b.receive_json() == {"type": "said", "id": "a", "text": "grüße"}
    evict(room)
    b.send_json({"text": "loud", "type": "shout", "times": 2, "unknown": [1]})
    assert a.receive_json() == {"type": "said", "id": "b", "text": "LOUDLOUD"}
    # One method for the events of a union, and all kinds of fields.
    assert b.receive_json()["text"] == "LOUDLOUD"
    place = {
        "type": "place",
        "piece": {"shortName": "k"},
        "at": [1, 2],
        "history": [{"shortName": "q", "color": "blue"}],
        "mode": "slow",
        "picture": "AAE=",
        "when": "2027-01-01T00:00:00Z",
        "notes": {"a": 1, "b": "two"},
    }
    a.send_json(place)
    assert a.receive() == (
        "Place(piece=Piece(short_name='k', color=<Color.RED: 'red'>), at=(1, 2), "
        "history=[Piece(short_name='q', color=<Color.BLUE: 'blue'>)], mode='slow', "
        "picture=b'\\x00\\x01', when=datetime.datetime(2027, 1, 1, 0, 0, "
        "tzinfo=datetime.timezone.utc), notes={'a': 1, 'b': 'two'})"
    )
    a.send_json({"type": "span", "first": 1, "last": 2})
    assert a.receive() == "Span(first=1, last=2)"


def test_what_does_not_validate_is_answered_with_what_is_wrong_and_where(connect):
    a = connect("a")
    for message, error, event in [
        ({"type": "say"}, "$.text: missing", "say"),
        ({"type": "say", "text": 1}, "$.text: Expected `str`, got `int`", "say"),
        ({"type": "say", "text": ""}, "$.text: Expected `str` of length >= 1", "say"),
        ({"type": "say", "text": "x" * 2001}, "$.text: Expected `str` of length <= 2000", "say"),
        ({"type": "shout", "text": "a", "times": 4}, "$.times: Expected `int` <= 3", "shout"),
        (
            {"type": "place", "piece": {"shortName": 1}, "at": [1, 2]},
            "$.piece.shortName: Expected `str`, got `int`",
            "place",
        ),
        (
            {"type": "place", "piece": {"shortName": "k"}, "at": [1, 2], "history": [{}]},
            "$.history[0].shortName: missing",
            "place",
        ),
        ({"type": "span", "first": 2, "last": 1}, "$: first is behind last", "span"),
        ({"type": "said", "id": "b", "text": "forged"}, "$.type: there is no event 'said'", "said"),
        ({"type": "error", "error": "a"}, "$.type: there is no event 'error'", "error"),
        ({"type": ""}, "$.type: there is no event ''", ""),
    ]:
        assert refused(a, json.dumps(message)) == {"error": error, "event": event}
    for text, error in [
        ("{}", "$.type: missing"),
        ('{"type":1}', "$.type: Expected `str`"),
        ("[]", "$: Expected `object`, got `array`"),
        ("null", "$: Expected `object`, got `null`"),
        ("", "not JSON: it ends too early"),
        ("hello", "not JSON: invalid character (byte 0)"),
        ('{"type":"say","text":"a"} ,', "not JSON: trailing characters (byte 27)"),
    ]:
        assert refused(a, text) == {"error": error}


def test_hostile_texts_are_answered_and_nobody_else_notices(connect, evict, room):
    a, b = connect("a"), connect("b")
    many = "9" * 400
    for text, event in [
        ("[" * 100_000, None),
        ('{"type":"say","text":"a","more":' + "[" * 100_000 + "]" * 100_000 + "}", None),
        ('{"type":"say","text":' * 100_000, None),
        ('{"type":"say","text":"a","times":NaN}', None),
        ('{"type":"say","text":1e999}', "say"),
        ('{"type":"tell","to":"all","value":1e999}', "tell"),
        ('{"type":"tell","to":"all","value":-Infinity}', None),
        (f'{{"type":"tell","to":"all","value":{many}}}', "tell"),
        (f'{{"type":"tell","to":"all","value":{many * 20}}}', "tell"),
        (f'{{"type":"shout","text":"a","times":{many}}}', "shout"),
        ('{"type":"say","text":"a","type":"shout"}', "shout"),
        ('{"type":"\\ud800","text":"a"}', "\ufffd"),
        ('{"type":"say","text":"a\0"}', None),
        ('{"type":"say","text":"a\\ud8', None),
        (f'{{"type":"{"x" * 1_000_000}"}}', None),
        (f'{{"type":"tell","to":"{"x" * 1_000_000}"}}', "tell"),
        ('{"type":"say","constructor":{},"__proto__":1}', "say"),
    ]:
        answer = refused(a, text)
        assert 5 < len(answer.pop("error")) < 500
        assert answer == ({} if event is None else {"event": event})
    evict(room)
    a.send_json({"type": "say", "text": "still here"})
    assert b.receive_json() == {"type": "said", "id": "a", "text": "still here"}
    # The last value of a key counts, as in browsers. Halves of characters become U+FFFD, and a
    # large number is no number for a browser.
    a.send('{"type":"say","text":"a","text":"b\\ud83d \\ud83d\\ude00 \\\\ud83d"}')
    assert b.receive_json()["text"] == "b\ufffd \U0001f600 \\ud83d"
    a.send(f'{{"type":"say","text":"{many}"}}')
    assert b.receive_json()["text"] == many


def failure(socket):
    """What has failed, as the room's `on_exception` tells it to all."""
    where, _, error = socket.receive().partition("lobby: ")
    assert where in ("in on_message of Typed:", "in on_message of TypedSleepy:")
    return error


def test_a_method_that_fails_fails_its_event_only(connect):
    a = connect("a")
    for how, error in [
        ("raise", "RuntimeError: acted"),
        ("exit", "SystemExit: acted"),
        ("exit later", "SystemExit: acted"),
        ("cancelled", "CancelledError: "),
    ]:
        a.send_json({"type": "act", "how": how})
        assert failure(a) == error
    a.send_json({"type": "span", "first": 1, "last": 1})
    assert failure(a) == "TypeError: of the room's own code"
    # What is meant for the client, it gets, and nobody else hears of it.
    a.send_json({"type": "act", "how": "refuse"})
    assert a.receive_json() == {"type": "error", "error": "not now", "code": "later"}
    a.send_json({"type": "span", "first": -2, "last": -1})
    assert a.receive_json() == {"type": "error", "error": "no negatives", "code": "negative"}
    a.send_json({"type": "act", "how": "awaitable"})
    assert a.receive() == "done"
    a.send_json({"type": "shout", "text": "fine"})
    assert a.receive_json()["text"] == "FINE"


def test_emit_sends_to_those_it_is_told_to(connect, room, evict):
    first, second, other = connect("red 1"), connect("red 2"), connect("other")
    ends, all_ = connect("end"), [first, second, other]

    def told(to, *to_whom):
        evict(room)
        other.send_json({"type": "tell", "to": to, "value": to})
        other.send_json({"type": "tell", "to": "all", "value": "next"})
        for one in all_:
            if one in to_whom:
                assert one.receive_json() == {"type": "told", "value": to}
            assert one.receive_json() == {"type": "told", "value": "next"}
        return True

    assert told("all", first, second, other)
    assert told("me", other)
    assert told("others", first, second)
    assert told("tag", first)
    assert told("ids", second)
    assert told("closed", other)
    ends.wait_closed()
    for to, error in [
        ("wrong", "TypeError: to takes a connection, several connections, or a tag, not str"),
        ("no event", "TypeError: emit takes an object of a class that derives from Event"),
    ]:
        other.send_json({"type": "tell", "to": to})
        assert [failure(one).startswith(error) for one in all_] == [True] * 3


def test_what_json_cannot_hold_is_not_sent(connect):
    a = connect("a")
    a.send_json({"type": "tell", "to": "infinity"})
    assert failure(a) == "ValueError: inf is not JSON compliant: it is at $.value[0]"
    a.send_json({"type": "tell", "to": "half"})
    assert a.receive() == '{"type":"told","value":"\\ud83d"}'
    a.send_json({"type": "tell", "to": "deep"})
    assert failure(a).startswith("ValueError: Told is nested at most 500 levels deep")
    a.send_json({"type": "tell", "to": "me"})
    assert a.receive_json() == {"type": "told"}


def test_binary_messages_go_to_on_message(connect):
    a = connect("a")
    a.send(b'{"type":"say","text":"a"}')
    assert a.receive() == b'{"type":"say","text":"a"}'


def test_a_room_without_methods_for_events_takes_texts(connect):
    a = connect("a", of="Mute")
    a.send("hello")
    assert a.receive_json() == {"type": "told", "value": 5}


def test_beside_another_protocol_unknown_texts_go_to_on_message(connect):
    a, b = connect("a", of="Called"), connect("b", of="Called")
    a.send('{"type":"rpc"}')
    assert a.receive() == "called"
    for text in ['{"type":"unknown"}', "{}", "[]", "hello", "", "[" * 1000]:
        a.send(text)
        assert a.receive() == text
    assert refused(a, '{"type":"say"}') == {"error": "$.text: missing", "event": "say"}
    a.send_json({"type": "say", "text": "hello"})
    assert b.receive_json() == {"type": "said", "id": "a", "text": "hello"}


def test_an_override_is_called_in_place_of_what_it_overrides(connect):
    a, b = connect("a", of="Quieter"), connect("b", of="Quieter")
    a.send_json({"type": "say", "text": "hello"})
    said = {"type": "said", "id": "somebody", "text": "hello"}
    assert [a.receive_json(), b.receive_json()] == [said, said]
    # Its own, and those of the base, are there, too.
    a.send_json({"type": "whisper", "text": "psst", "to": "b"})
    b.send_json({"type": "shout", "text": "hey"})
    assert b.receive_json() == {"type": "said", "id": "a", "text": "psst"}
    assert a.receive_json()["text"] == "HEY"


def test_beside_presence_and_history_each_does_its_own(connect, evict, party, binding):
    a = connect("a", of="Full")
    assert a.receive_json() == {"type": "presence_state", "presence": {"a": [None]}}
    a.send_json({"type": "say", "text": "hello"})
    assert a.receive_json() == {"type": "event", "seq": 1, "data": {"text": "hello"}}
    assert a.receive_json() == {"type": "said", "id": "a", "text": "hello"}
    evict(party.room(binding("Full"), "lobby"))
    assert refused(a, '{"type":"event","seq":2,"data":1}') == {
        "error": "$.type: there is no event 'event'",
        "event": "event",
    }
    connect("b", of="Full")
    joined = {"type": "presence_diff", "joins": {"b": [None]}, "leaves": []}
    assert a.receive_json(until={"type": "presence_diff"}) == joined


@pytest.mark.log_may_hold("Uncaught PythonError")  # the caller gets the error
def test_emit_and_the_methods_with_on_cannot_be_called_over_rpc(room):
    assert room.fetch("/open_to_all").text == "called"
    for name in ["emit", "say"]:
        response = room.fetch(f"/{name}")
        assert response.status_code == 400
        assert f"Typed.{name} cannot be called from outside" in response.text
