"""Loads against small servers in the same event loop: what each does is known to the message."""

from __future__ import annotations

import asyncio
import errno
import socket as sockets
import ssl
import subprocess
import time
from collections import Counter

import pytest
from partyserver.load.accounts import Mode
from partyserver.load.client import _reason
from partyserver.load.payloads import Payload
from partyserver.load.run import Options, run
from partyserver.load.schedule import Backoff
from websockets.asyncio.server import broadcast

from .servers import each_of, echo, serving

#: Seconds: a limit for what has to come, or is told to end; and what nobody waits for.
LONG, FOREVER = 60.0, 10_000.0
#: Where nothing else is asked for: 80 messages by 4 connections.
USUAL = {"connections": 4, "rate": 400, "duration": 0.2, "ramp": 0.0, "wait": LONG, "timeout": LONG}


async def loading(url, *, stop=None, on_second=lambda _: None, **options):
    given = Options(url, Payload("run"), **USUAL | options)
    async with asyncio.timeout(2 * LONG):
        return await run(given, stop or asyncio.Event(), on_second)


def load(handler, path="/room", *, server=(), **options):
    """The report of a load against a server."""

    async def main():
        async with serving(handler, **dict(server)) as url:
            return await loading(url + path, **options)

    return asyncio.run(main())


def test_all_that_is_due_is_sent_and_comes_back():
    report = load(echo)
    assert (report.connections, report.opened, report.failed, report.ended) == (4, 4, 0, 0)
    assert (report.asked, report.sent, report.expected, report.received) == (80, 80, 80, 80)
    assert (report.lost, report.under_way, report.duplicated, report.disordered) == (0, 0, 0, 0)
    assert (report.latency.count, report.connecting.count) == (80, 4)
    assert 0 < report.latency.p50 <= report.latency.p99 <= report.latency.max
    assert 0 < report.rate_reached <= report.rate_asked == 400
    assert (report.failures, report.closes, report.is_interrupted) == ({}, {}, False)
    assert report.lag.count > 0
    assert report.cpu > 0


@pytest.mark.parametrize(("mode", "receivers"), [(Mode.BROADCAST, 3), (Mode.OTHERS, 2)])
def test_a_broadcast_reaches_the_room(mode, receivers):
    rooms = {}

    async def room(socket):
        members = rooms.setdefault(socket.request.path, set())
        members.add(socket)
        async for message in socket:
            broadcast(members - ({socket} if mode is Mode.OTHERS else set()), message)

    report = load(room, mode=mode, rooms=2, connections=6)
    assert {path: len(members) for path, members in rooms.items()} == {"/room-1": 3, "/room-2": 3}
    assert (report.sent, report.expected) == (80, 80 * receivers)
    assert (report.received, report.lost, report.unexpected) == (80 * receivers, 0, 0)
    assert report.own == (80 if mode is Mode.BROADCAST else 0)


def test_what_the_server_drops_is_lost():
    members, came = [], []

    async def drops_each_tenth(socket):
        members.append(socket)
        async for message in socket:
            came.append(message)
            if len(came) % 10:
                await socket.send(message)
            if len(came) == 80:  # nothing more will come: so nobody waits for it
                for one in members:
                    await one.close(1001)

    report = load(drops_each_tenth)
    assert (report.sent, report.received, report.lost) == (80, 72, 8)
    assert (report.duplicated, report.disordered, report.unexpected) == (0, 0, 0)


def test_what_comes_late_is_waited_for():
    held = []

    async def holds_all_until_the_last(socket):
        async for message in socket:
            held.append((socket, message))
            if len(held) == 80:
                await asyncio.sleep(0.2)  # longer than a close would take
                for sender, its in held:
                    await sender.send(its)

    report = load(holds_all_until_the_last)
    assert (report.received, report.lost, report.disordered) == (80, 0, 0)
    assert report.latency.max > 390  # milliseconds: the first was due 197.5 before the last


def test_what_the_server_sends_twice_is_counted_apart():
    async def doubles_each_tenth(socket):
        async for number, message in each_of(socket):
            await socket.send(message)
            if number % 10 == 9:
                await socket.send(message)

    report = load(doubles_each_tenth)
    assert (report.received, report.lost, report.duplicated) == (80, 0, 8)


def test_what_comes_before_the_end_of_a_connection_is_counted_to_the_last():
    async def floods(socket):
        async for message in socket:
            for _ in range(500):
                await socket.send(message)

    report = load(floods, connections=2, rate=10)
    assert (report.received, report.duplicated) == (2, 998)


def test_what_the_server_mixes_up_is_out_of_order():
    async def swaps_each_two(socket):
        held = None
        async for number, message in each_of(socket):
            if number % 2:
                await socket.send(message)
                await socket.send(held)
            held = message

    report = load(swaps_each_two)
    assert (report.received, report.lost, report.disordered) == (80, 0, 40)


def test_what_is_not_of_the_load_is_counted_apart():
    async def greets(socket):
        await socket.send("welcome")
        await echo(socket)

    report = load(greets)
    assert (report.other, report.received, report.unexpected) == (4, 80, 0)


def test_a_message_that_waits_for_a_connection_is_as_late_as_it_is():
    """Its latency counts from when it was due, and not from when it could be sent."""
    attempts = []

    async def the_second_attempt_takes_half_a_second(connection, request):
        attempts.append(asyncio.get_running_loop().time())
        if len(attempts) == 1:
            return connection.respond(503, "not yet")
        await asyncio.sleep(0.5)
        return None

    report = load(
        echo,
        connections=1,
        backoff=Backoff(first=0.1, timeout=LONG),
        server={"process_request": the_second_attempt_takes_half_a_second},
    )
    assert (report.opened, report.failed, report.failures) == (1, 0, {"HTTP 503": 1})
    assert attempts[1] - attempts[0] > 0.095  # the pause
    assert (report.sent, report.received) == (80, 80)
    assert report.latency.max > 400
    assert report.latency.p50 > 300  # 0.1 s of the schedule later


def test_a_connection_that_has_ended_is_opened_again():
    stop, lives, back = asyncio.Event(), Counter(), set()

    async def ends_each_once(socket):
        client = socket.request.path
        lives[client] += 1
        await socket.recv()
        if lives[client] == 1:
            await socket.close(4001, "again")
            return
        back.add(client)
        if len(back) == 4:
            stop.set()
        await echo(socket)

    backoff = Backoff(first=0.01, growth=1, timeout=LONG)
    report = load(
        ends_each_once, "/?_pk={connection}", stop=stop, backoff=backoff, duration=LONG, wait=0
    )
    assert lives == {f"/?_pk={number}": 2 for number in (1, 2, 3, 4)}
    assert (report.opened, report.failed, report.ended, report.reconnects) == (4, 0, 0, 4)
    assert report.closes == {"4001 again": 4}
    assert report.lost >= 4
    assert report.received + report.lost == report.expected


def test_connections_that_all_end_end_the_load_and_are_told_by_their_codes():
    async def fails(socket):
        await socket.recv()
        await socket.close(1011, "broken")

    report = load(fails, connections=1, rate=3 / FOREVER, duration=FOREVER)
    assert (report.opened, report.ended, report.reconnects) == (1, 1, 0)
    assert report.closes == {"1011 broken": 1}
    assert (report.asked, report.sent, report.lost) == (3, 1, 1)


def test_connections_that_fail_are_told_by_their_reasons():
    async def refuses_every_second(connection, request):
        is_odd = int(request.path.rpartition("=")[2]) % 2
        return connection.respond(403, "no") if is_odd else None

    report = load(echo, "/?n={connection}", server={"process_request": refuses_every_second})
    assert (report.opened, report.failed, report.failures) == (2, 2, {"HTTP 403": 2})
    assert (report.asked, report.sent, report.received) == (80, 40, 40)


def test_a_redirect_to_elsewhere_is_not_followed():
    visitors = []

    async def visited(socket):
        visitors.append(socket)
        await echo(socket)

    async def main():
        async with serving(visited) as elsewhere:

            async def redirects(connection, request):
                response = connection.respond(302, "")
                response.headers["Location"] = elsewhere
                return response

            async with serving(echo, process_request=redirects) as url:
                return await loading(url)

    report = asyncio.run(main())
    assert (report.failed, visitors) == (4, [])
    [reason] = report.failures
    assert "redirect" in reason


def test_no_proxy_is_used(monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert load(echo).received == 80


def test_a_server_that_is_not_there_ends_the_load():
    with sockets.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"ws://127.0.0.1:{nobody.getsockname()[1]}"
        report = asyncio.run(loading(url, duration=LONG))
    assert (report.opened, report.failed, report.failures) == (0, 4, {"connection refused": 4})
    assert (report.asked, report.sent) == (400 * LONG, 0)


def test_a_host_that_refuses_by_all_of_its_addresses():
    refused = f"[Errno {errno.ECONNREFUSED}] Connect call failed"
    error = OSError(f"Multiple exceptions: {refused} ('::1', 1), {refused} ('127.0.0.1', 1)")
    assert _reason(error) == "connection refused"


def test_a_server_that_does_not_answer_is_told():
    with sockets.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        report = asyncio.run(loading(url, timeout=0.05))
    assert (report.failed, report.failures) == (4, {"timed out": 4})


def test_connections_alone_are_held_and_send_nothing():
    came = []

    async def listens(socket):
        async for message in socket:
            came.append(message)

    report = load(listens, mode=Mode.CONNECT, connections=20, ramp=0.1, duration=0.1)
    assert (report.opened, report.ended, report.closes) == (20, 0, {})
    assert (report.connecting.count, report.asked, report.sent, came) == (20, 0, 0, [])


def test_an_interruption_ends_it_and_what_is_under_way_is_not_lost():
    stop, came = asyncio.Event(), []

    async def answers_nothing(socket):
        async for message in socket:
            came.append(message)
            if len(came) == 3:
                stop.set()

    report = load(answers_nothing, stop=stop, duration=LONG)
    assert report.is_interrupted
    assert (report.lost, report.under_way) == (0, report.sent)
    assert 3 <= report.sent <= report.asked < 400 * LONG


def test_an_interruption_while_connections_open():
    stop = asyncio.Event()

    async def stops(socket):
        stop.set()
        await echo(socket)

    report = load(stops, stop=stop, ramp=LONG)
    assert report.is_interrupted
    assert (report.failed, report.asked, report.sent) == (0, 0, 0)


def test_each_second_it_is_told_how_it_goes():
    stop, told = asyncio.Event(), []

    def tell(progress):
        told.append(progress)
        if len(told) == 2:
            stop.set()

    load(echo, stop=stop, duration=LONG, on_second=tell)
    assert [progress.seconds for progress in told] == [1, 2]
    assert (told[1].connections, told[1].open, told[1].failures) == (4, 4, 0)
    assert 0 < told[0].sent <= told[1].sent
    assert told[1].received + told[1].under_way == told[1].sent
    assert told[1].p99 > 0


def test_a_generator_that_is_late_itself_says_so():
    async def keeps_the_event_loop(socket):  # which is the generator's
        async for message in socket:
            time.sleep(0.03)
            await socket.send(message)

    report = load(keeps_the_event_loop, rate=100, duration=0.5)
    assert any("The generator itself was late" in hint for hint in report.hints())


def test_headers_and_subprotocols_are_those_that_were_asked_for():
    seen = []

    async def looks(socket):
        seen.append((socket.request.headers, socket.subprotocol))
        await echo(socket)

    report = load(
        looks,
        connections=1,
        headers=[("Origin", "https://a.example"), ("X-Tag", "1"), ("X-Tag", "2")],
        subprotocols=["chat.v2"],
        server={"subprotocols": ["chat.v1", "chat.v2"]},
    )
    [(headers, subprotocol)] = seen
    assert (report.received, subprotocol) == (80, "chat.v2")
    assert (headers["Origin"], headers.get_all("X-Tag")) == ("https://a.example", ["1", "2"])
    assert "Sec-WebSocket-Extensions" not in headers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run(["openssl", *request.split(), *names, *files], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("is_trusted", [True, False])
def test_wss(certificate, monkeypatch, is_trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate.pem"))
    report = load(echo, server={"ssl": context})
    if is_trusted:
        assert (report.opened, report.received) == (4, 80)
    else:
        assert (report.failed, report.received) == (4, 0)
        assert "certificate verify failed" in next(iter(report.failures))
