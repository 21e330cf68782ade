"""What a room keeps in memory is lost under `--party-chaos`, and the failure says what it was."""

from __future__ import annotations

import re

from .conftest import Project

COUNTS = """
def test_it(party):
    with party.room("Echo", "a").connect() as socket:
        for n in range(1, 4):
            socket.send("hi")
            assert socket.receive() == f"{n} hi"
"""

ROOMS = """
import asyncio

from partyserver import Server, route_partykit_request
from workers import WorkerEntrypoint


class Player:
    def __init__(self):
        self.score = 1


class EchoRoom(Server):
    options = {"hibernate": True}

    def __init__(self, ctx, env):
        self.rounds = 0
        super().__init__(ctx, env)

    async def on_start(self):
        await asyncio.sleep(0)
        self.sql("create table if not exists word (word text)")
        self.kept = [row["word"] for row in self.sql("select word from word")]
        self.loaded = object()

    def on_message(self, connection, message):
        self.kept.append(message)
        self.sql("insert into word values (?)", message)
        self.rounds += 1
        self._last = (message, {"by": Player()})
        connection.send(str(self.rounds))


class MemoryRoom(EchoRoom):
    options = {"hibernate": False}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env)
"""


def test_a_counter_in_memory_fails_and_is_named_and_no_other_test_is(project: Project) -> None:
    project.write(
        test_counter=COUNTS,
        test_marked=f"import pytest\n\npytestmark = pytest.mark.no_party_chaos\n{COUNTS}",
        test_of_another_cause="""
def test_it(party):
    for _ in range(3):
        party.room("Echo", "a").fetch("/")
    assert 0
""",
    )
    output = project.run("-q", "--party-chaos", "--strict-markers").stdout
    assert "2 failed, 1 passed" in output
    counter, another = output.split("def test_it(party):")[1:]
    assert "AssertionError: assert '1 hi' == '2 hi'" in counter
    assert "lost in the eviction: EchoRoom.messages = 1 (room 'a', after the wake: 0)" in counter
    assert "--party-chaos: 2 evictions, and no attribute was lost" in another


def test_without_chaos_a_loss_is_told_in_an_eviction_by_the_test_itself(project: Project) -> None:
    project.write(
        test_counter=COUNTS,
        test_eviction="""
def test_it(party):
    room = party.room("Echo", "a")
    with room.connect() as socket:
        socket.send("hi")
        assert socket.receive() == "1 hi"
        room.hibernate()
        socket.send("hi")
        assert socket.receive() == "2 hi"
""",
    )
    output = project.run("-q").stdout
    assert "1 failed, 1 passed" in output
    assert "lost in the eviction: EchoRoom.messages = 1 (room 'a', after the wake: 0)" in output


def test_what_on_start_restores_is_not_lost(project: Project) -> None:
    project.use_partyserver()
    project.write(worker=ROOMS)
    project.write(
        test_it="""
def test_it(party):
    with party.room("Echo", "a").connect() as socket:
        socket.send("x")
        assert socket.receive() == "1"
        socket.send("y")
        assert socket.receive() == "1"
    rounds, last = party.losses.splitlines()
    assert "EchoRoom.rounds = 1 (room 'a', after the wake: 0)" in rounds
    assert "EchoRoom._last = ('x', {'by': Player(score=1)}) (room 'a', gone after" in last
"""
    )
    result = project.run("-q", "--party-chaos")
    assert "1 passed" in result.stdout, result.stdout


def test_the_losses_of_a_server_in_partykits_style_are_its_own(project: Project) -> None:
    project.use_partyserver()
    project.write(
        worker="""
from partyserver import partykit


class EchoRoom(partykit.Server):
    options = {"hibernate": True}

    async def on_start(self):
        self.kept = 1
        self.count = await self.room.storage.get("count") or 0

    async def on_message(self, message, sender):
        self.count += 1
        self.seen = [message]
        await self.room.storage.put("count", self.count)
        sender.send(str(self.count))


class MemoryRoom(EchoRoom):
    pass


Default = partykit.entrypoint(EchoRoom, parties={"echo-room": EchoRoom})
""",
        test_it="""
def test_it(party):
    with party.room("EchoRoom", "a").connect() as socket:
        socket.send("x")
        assert socket.receive() == "1"
        socket.send("x")
        assert socket.receive() == "2"
    loss = "lost in the eviction: EchoRoom.seen = ['x'] (room 'a', gone after the wake)"
    assert party.losses == loss
""",
    )
    config = project.folder / "wrangler.toml"
    config.write_text(config.read_text().replace('"Echo"', '"EchoRoom"'))
    result = project.run("-q", "--party-chaos")
    assert "1 passed" in result.stdout, result.stdout


def test_sockets_in_memory_are_left_alone_and_cost_no_time(project: Project) -> None:
    project.use_partyserver()
    test = """
import time

def test_it(party):
    room = party.room("MEMORY_ROOM", "a")
    with room.connect() as socket:
        began = time.monotonic()
        for n in range(1, 100):
            socket.send("hi")
            assert socket.receive() == RECEIVED
        # To wait at each event for half a second, in vain, would take 50.
        assert time.monotonic() - began < 40
    # It leaves memory when nobody is connected.
    with room.connect() as socket:
        socket.send("hi")
        assert socket.receive() == FIRST
"""
    project.write(test_it=test.replace("RECEIVED", 'f"{n} hi"').replace("FIRST", '"1 hi"'))
    result = project.run("-q", "--party-chaos")
    assert "1 passed" in result.stdout, result.stdout
    project.write(worker=ROOMS)
    project.write(test_it=test.replace("RECEIVED", "str(n)").replace("FIRST", '"1"'))
    result = project.run("-q", "--party-chaos")
    assert "1 passed" in result.stdout, result.stdout


def test_nothing_of_the_kit_shows_in_a_traceback(project: Project) -> None:
    project.use_partyserver()
    project.write(worker=re.sub("await asyncio.sleep.*", "await asyncio.sleep(0) / 0", ROOMS))
    project.write(
        test_it="""
def test_it(party):
    party.room("Echo", "a").fetch("/")
    assert "TypeError: unsupported operand" in party.logs
    assert "in on_start" in party.logs
    assert "probe" not in str(party.logs)
"""
    )
    result = project.run("-q")
    assert "1 passed" in result.stdout, result.stdout
