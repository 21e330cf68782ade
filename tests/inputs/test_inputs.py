"""What a server must survive: what tests/contracts/ does not have of docs/pages/bad-input.md."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import struct
from urllib.parse import quote, urlsplit

import pytest
from partyserver.testing import UpgradeError

from ..contracts.scripted import command, events, eventually, open_socket
from ..load import BINARY, CLOSE, TEXT, Client, client_frame, server_frame

MEGABYTE = 2**20

# --- connecting -----------------------------------------------------------------------


def test_a_tag_that_is_no_string_fails_the_upgrade_and_the_room_lives(party, binding):
    room = party.room(binding("Scripted"), "tags")
    with open_socket(room, "witness") as witness:
        with room.connect(id="a", query={"tags": "number"}) as a:
            assert a.receive_json()["error"] == "Internal error"
            a.wait_closed()
            assert a.close_code == 1011
        assert command(witness, "ids") == ["ids", ["witness"]]
        [(_, exception)] = events(room, "exception")
        assert exception.startswith("TypeError")
        assert "1" in exception


@pytest.mark.parametrize(
    "path",
    [
        "/parties/answering",
        "/parties/answering/",
        "/parties/answering//",
        "/parties/answering/.",
        "/parties/answering/..",
        "/parties/answering/%2e%2e",
        "/parties/answering/../answering",
    ],
)
def test_a_room_without_a_name_is_no_party_url(party, path):
    # Past httpx, which would tidy the path up before it is sent.
    connection = http.client.HTTPConnection(urlsplit(party.url).netloc)
    with contextlib.closing(connection):
        connection.request("GET", path)
        assert connection.getresponse().status == 404


def test_internal_headers_of_a_websocket_client_are_removed(party, binding):
    room = party.room(binding("Scripted"), "forged")
    forged = {"x-partykit-props": "e30=", "X-PartyKit-Room": "other", "x-partykit-namespace": "x"}
    with room.connect(id="a", headers=forged) as a:
        assert a.receive_json() == ["connected", "a"]
        assert command(a, "describe")["name"] == "forged"
    assert events(room, "start") == [["start", None]]


@pytest.mark.parametrize("header", ["!", "e30", "bm8ganNvbg==", "{", "/w==", "W" * 40], ids=repr)
def test_props_that_cannot_be_read_are_a_400(party, binding, header):
    path = f"/props/{binding('Scripted')}?{quote(header)}"
    assert party.fetch(path).status_code == 400
    with pytest.raises(UpgradeError) as refusal:
        party.connect(path)
    assert refusal.value.response.status_code == 400
    assert events(party.room(binding("Scripted"), "props")) == [["start", None]]


def test_a_thousand_clients_connect_at_once_and_leave_at_once(party, binding):
    room = party.room(binding("Scripted"), "crowd")
    url = room.url.replace("http", "ws", 1)
    ids = {f"client-{number}" for number in range(1000)}

    async def crowd():
        def greeting(id):
            return json.dumps(["connected", id]).encode()

        clients = await asyncio.gather(
            *(Client.open(f"{url}?_pk={id}", greeting(id)) for id in ids)
        )
        for client in clients[::2]:
            client.drop()
        await asyncio.gather(*(client.close() for client in clients[1::2]))

    with open_socket(room, "witness") as witness:
        asyncio.run(crowd())
        eventually(lambda: command(witness, "ids") == ["ids", ["witness"]], timeout=300)
        for event in ("connect", "close"):
            seen = [detail[0] for _, detail in events(room, event)]
            assert len(seen) == len(set(seen))
            assert set(seen) - {"witness"} == ids
        codes = [detail[1] for _, detail in events(room, "close")]
        assert (codes.count(1000), codes.count(1006)) == (500, 500)


# --- messages -------------------------------------------------------------------------


def test_text_that_is_no_utf_8_reaches_the_room_as_the_replacement_character(party, binding, evict):
    room = party.room(binding("Scripted"), "surrogates")
    with open_socket(room, "a") as a:
        evict(room)
        a.send_raw(client_frame(TEXT, b'["echo", "half: \xed\xa0\xbd."]'))
        assert a.receive() == "half: \ufffd\ufffd\ufffd."
        assert command(a, "ids") == ["ids", ["a"]]


@pytest.mark.log_may_hold("WebSocket protocol error")
def test_a_message_over_the_platforms_limit_closes_its_connection(party, binding, evict):
    room = party.room(binding("Scripted"), "large")
    with open_socket(room, "witness") as witness:
        a = open_socket(room, "a")
        evict(room)
        # Its header is enough, and with nothing behind it the answer cannot be lost to a reset.
        a.send_raw(client_frame(BINARY, bytes(32 * MEGABYTE + 1))[:14])
        a.wait_closed()
        assert a.close_code == 1009
        eventually(lambda: command(witness, "ids") == ["ids", ["witness"]])
        assert [detail[0] for _, detail in events(room, "close")] == ["a"]
        assert events(room, "message")[0][1][0] == "witness"


def test_a_slow_reader_keeps_nobody_waiting(party, binding):
    room = party.room(binding("Scripted"), "slow")
    megabytes = 16

    async def slow_and_fast(fast):
        # Its stream stops reading from the network at twice its limit, until someone asks.
        slow = await Client.open(f"{room.url.replace('http', 'ws', 1)}?_pk=slow", limit=1024)
        for _ in range(megabytes):
            fast[0].send_json(["broadcast_large", MEGABYTE])
            for socket in fast:
                received = await asyncio.to_thread(socket.receive, 20)
                assert len(received) == MEGABYTE
        assert command(fast[0], "ids") == ["ids", ["fast-1", "fast-2", "slow"]]
        greeting = server_frame(TEXT, b'["connected", "slow"]')
        await slow.expect(greeting)
        await slow.skip(megabytes * len(server_frame(BINARY, bytes(MEGABYTE))))
        await slow.close()

    with open_socket(room, "fast-1") as first, open_socket(room, "fast-2") as second:
        asyncio.run(slow_and_fast([first, second]))


def test_a_message_behind_the_rooms_close_is_dropped(party, binding, evict):
    room = party.room(binding("Scripted"), "late")
    a = open_socket(room, "a")
    evict(room)
    close, echo = b'["close", 4000, "enough"]', b'["echo", "too late"]'
    a.send_raw(client_frame(TEXT, close) + client_frame(TEXT, echo))
    a.wait_closed()
    assert a.close_code == 4000
    assert events(room, "message") == [["message", ["a", close.decode()]]]


def test_json_of_thousands_of_brackets_is_a_value_error(party, binding):
    with open_socket(party.room(binding("Scripted"), "deep"), "a") as a:
        assert command(a, "parse_deep_json", 100_000)[0] == "raised"


# --- closing --------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 5000])
def test_a_close_code_that_may_not_be_sent_is_never_echoed(party, binding, evict, code):
    room = party.room(binding("Scripted"), "reserved")

    async def close_with(code):
        url = f"{room.url.replace('http', 'ws', 1)}?_pk=a"
        client = await Client.open(url, b'["connected", "a"]')
        evict(room)
        client.send(client_frame(CLOSE, struct.pack("!H", code)))
        answer = await asyncio.wait_for(client.reader.read(1024), timeout=60)
        client.drop()
        return answer

    with open_socket(room, "witness") as witness:
        answer = asyncio.run(close_with(code))
        assert answer == server_frame(CLOSE, b"")
        eventually(lambda: command(witness, "ids") == ["ids", ["witness"]])
        assert len(events(room, "close")) == 1


def test_in_on_close_nothing_can_be_sent(party, binding, evict):
    room = party.room(binding("Scripted"), "on-close")
    a = open_socket(room, "a")
    evict(room)
    a.close(4000)
    assert events(room, "send in on_close") == [["send in on_close", "ConnectionClosedError"]]


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_send_to_a_peer_that_is_gone_raises_and_a_close_is_nothing(party, binding, how):
    room = party.room(binding("Scripted"), "gone")
    with open_socket(room, "witness") as witness:
        a = open_socket(room, "a")
        assert command(witness, "remember", "a") == ["remembered", "a"]
        getattr(a, how)()
        eventually(lambda: command(witness, "ids") == ["ids", ["witness"]])
        assert command(witness, "try_remembered") == ["raised", "ConnectionClosedError"]
        assert command(witness, "ids") == ["ids", ["witness"]]
        assert events(room, "exception") == []


# --- the user's own code --------------------------------------------------------------


def test_a_state_that_is_not_json_like_is_a_type_error_and_the_old_one_stands(
    party, binding, evict
):
    room = party.room(binding("Scripted"), "state")
    with open_socket(room, "a") as a:
        assert command(a, "try_bad_state") == ["TypeError", "kept"]
        evict(room)
        assert command(a, "state") == ["state", "kept"]


@pytest.mark.log_may_hold("WebSocket protocol error")
@pytest.mark.parametrize("how", ["", "-async"])
def test_a_connection_ends_although_on_error_raises(party, binding, evict, how):
    room = party.room(binding("Failing"), "on_error" + how)
    with room.connect(id="witness") as witness:
        a = room.connect(id="a")
        evict(room)
        a.send_raw(b"\x83\x80\0\0\0\0")  # opcode 3 is not defined
        eventually(lambda: events(room, "close"))
        assert events(room, "error", "exception", "close") == [
            ["error", "a"],
            ["exception", "ValueError: on_error fails, secretly"],
            ["close", ["a", 1006]],
        ]
        witness.send("ping")
        assert witness.receive() == "pong"


@pytest.mark.log_may_hold("on_alarm fails, secretly")
@pytest.mark.parametrize("how", ["", "-async"])
def test_an_alarm_that_raises_is_reported_and_tried_again(party, binding, how):
    room = party.room(binding("Failing"), "on_alarm" + how)
    with room.connect(id="witness") as witness:
        witness.send("alarm")
        eventually(lambda: len(events(room, "alarm")) > 1)
        assert events(room, "exception")[0][1] == "ValueError: on_alarm fails, secretly"
        witness.send("ping")
        assert witness.receive() == "pong"


@pytest.mark.parametrize("how", ["", "-async"])
def test_an_on_exception_that_raises_itself_is_logged(party, binding, how):
    room = party.room(binding("Failing"), "on_exception" + how)
    with room.connect(id="witness") as witness:
        witness.send("boom")
        witness.send("ping")
        assert witness.receive() == "pong"
        assert events(room, "exception") == [["exception", "LookupError: boom"]]
        party.logs.wait_for("on_exception fails, secretly")


# The runtime's own word on it, and what becomes of the promise that was waited for.
@pytest.mark.log_may_hold("blockConcurrencyWhile", "callback", "Durable Object")
def test_an_on_start_that_never_finishes_is_ended_by_the_platform(party):
    room = party.room("Endless", "x")
    assert room.fetch("/", timeout=300).status_code == 503
    assert room.fetch("/", timeout=300).text == "start 2"
