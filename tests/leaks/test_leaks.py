"""What a long life leaves in the runtime's memory: nothing that grows.

Thousands of connections and tens of thousands of messages, half of them in each mode; 10,000 and
100,000 by `make soak`. A test measures after the first
tenth of its load, when everything that is made once has been made, and again at the end. Python's
heap is counted to the byte, and holds both sides' proxies: it must come back to where it was. Of
the process, JavaScript's heap included, only the pages can be seen. They show a gross leak; a
Durable Object written without this library makes them grow by 200 MB while the runtime warms up.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from ..load import BINARY, TEXT, Client, client_frame, server_frame

pytestmark = pytest.mark.timeout(3600)

#: Whether there is time for more than a change needs.
LONG = bool(os.environ.get("SOAK"))

CONNECTIONS = 5_000 if LONG else 2_000
AT_ONCE = 100
MESSAGES = 50_000 if LONG else 20_000
ROOMS = 150

#: What may be there more than before. In bytes, less than two small objects for each connection,
#: and by `make soak` less than the smallest (16); of the rest, what a few rooms hold that have only
#: just gone.
SLACK = {"bytes": 64 * 1024, "functions": 400, "connections": 40, "servers": 40}
PROCESS_SLACK = 400 * 2**20
#: Seconds until both garbage collectors have seen all of each other's dead.
SETTLE_TIMEOUT = 120

TEXT_MESSAGE = b"x" * 32
BINARY_MESSAGE = bytes(range(64))
LONG_TEXT = b"x" * 8192  # after which a connection's messages come another way
WELCOME = b"welcome"
BURST = (
    [(TEXT, TEXT_MESSAGE)] * 70
    + [(BINARY, BINARY_MESSAGE)] * 20
    + [(TEXT, b"later")] * 10  # answered by an async hook that suspends
    + [(TEXT, LONG_TEXT)] * 2
)
BURST_OUT = b"".join(client_frame(*message) for message in BURST)
BURST_SIZE = len(b"".join(server_frame(*message) for message in BURST))


class Watched:
    """A room whose runtime is measured."""

    def __init__(self, party, binding):
        self.group = party._runtime._process.pid
        self.room = party.room(binding, "load")
        self.url = self.room.url.replace("http", "ws", 1)

    def counters(self):
        return self.room.fetch("/").json()

    def process_size(self):
        """The resident pages of workerd, in bytes."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
                pages = int((folder / "statm").read_text().split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name.startswith("workerd") and int(rest.split()[2]) == self.group:
                return pages * 4096
        raise LookupError("workerd is not running")

    def measure(self):
        return self.counters(), self.process_size()

    def assert_as_before(self, before, size_before):
        deadline = time.monotonic() + SETTLE_TIMEOUT
        while True:
            now = self.counters()
            grown = {name: now[name] - before[name] for name in SLACK}
            if all(grown[name] <= slack for name, slack in SLACK.items()):
                break
            assert time.monotonic() < deadline, f"more than before: {grown}; now {now}"
        grown_size = self.process_size() - size_before
        assert grown_size < PROCESS_SLACK, f"the process grew by {grown_size / 2**20:.0f} MB"


async def come_and_go(url, count):
    """Connect, say something, be answered, and close with a handshake."""

    async def one():
        client = await Client.open(url, WELCOME)
        for message in (TEXT_MESSAGE, LONG_TEXT):
            client.send(client_frame(TEXT, message))
            await client.expect(server_frame(TEXT, message))
        await client.close()

    for _ in range(count // AT_ONCE):
        await asyncio.gather(*(one() for _ in range(AT_ONCE)))


async def talk(url, count, clients=10):
    """Send messages in bursts, each with a broadcast, and wait for all that comes of them."""
    everyone = [await Client.open(url, WELCOME) for _ in range(clients)]
    rounds = count // clients // (len(BURST) + 1)

    async def one(client):
        for _ in range(rounds):
            client.send(BURST_OUT + client_frame(TEXT, b"all"))
            await client.skip(BURST_SIZE)
        await client.skip(rounds * clients * len(server_frame(TEXT, b"all")))

    await asyncio.gather(*map(one, everyone))
    for client in everyone:
        await client.close()


def test_connections_that_came_and_went_leave_nothing(party, binding):
    watched = Watched(party, binding("Busy"))
    # So many that what a process takes once, as a further piece of memory, is there before.
    asyncio.run(come_and_go(watched.url, CONNECTIONS // 2))
    before = watched.measure()
    asyncio.run(come_and_go(watched.url, CONNECTIONS - CONNECTIONS // 10))
    watched.assert_as_before(*before)
    assert watched.counters()["known"] == watched.counters()["found"] == 0


def test_messages_leave_nothing(party, binding):
    watched = Watched(party, binding("Busy"))
    asyncio.run(talk(watched.url, MESSAGES // 10))
    before = watched.measure()
    asyncio.run(talk(watched.url, MESSAGES - MESSAGES // 10))
    watched.assert_as_before(*before)


def test_rooms_that_came_and_went_leave_nothing(party, binding):
    watched = Watched(party, binding("Busy"))

    def come_and_go(rooms):
        for number in rooms:
            room = party.room(binding("Busy"), f"room-{number}")
            with room.connect() as socket:
                assert socket.receive() == "welcome"
                # So many of each kind that they come by all ways that there are.
                for message in ["all"] * 4 + [LONG_TEXT.decode()] * 3 + [b"binary"] * 12:
                    socket.send(message)
                    assert socket.receive() == message
            room.evict()

    come_and_go(range(ROOMS // 10))
    before = watched.measure()
    come_and_go(range(ROOMS // 10, ROOMS))
    watched.assert_as_before(*before)


@pytest.mark.parametrize("message", ["all", "mark", b"binary"])
def test_a_room_that_slept_and_woke_leaves_nothing(party, message):
    watched = Watched(party, "BusySleepy")
    room = party.room("BusySleepy", "sleeper")
    with room.connect() as socket:
        assert socket.receive() == "welcome"

        def sleep_and_wake(times):
            for _ in range(times):
                room.hibernate()
                for _ in range(12):  # so many that binary ones come by their box
                    socket.send(message)
                    assert socket.receive() == message

        sleep_and_wake(2 * ROOMS // 10)
        before = watched.measure()
        sleep_and_wake(2 * ROOMS - 2 * ROOMS // 10)
        room.hibernate()
        watched.assert_as_before(*before)
