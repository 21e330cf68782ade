"""`run_due` runs the timers of a room, and says what became of them."""

from __future__ import annotations

from .conftest import Project

ROOMS = """
from partyserver import Server, route_partykit_request
from partyserver.schedule import Retry, Schedule
from workers import Response, WorkerEntrypoint


class EchoRoom(Schedule, Server):
    async def on_request(self, request):
        what = request.url.rpartition("/")[2]
        for _ in range(3):
            await self.schedule(3600, what, retry=Retry(max_attempts=1))
        return Response("set")

    def ring(self):
        print("it rings")

    def fail(self):
        raise ValueError("it does not ring")


class MemoryRoom(Server):
    options = {"hibernate": True}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("", status=404)
"""

TESTS = """
from datetime import UTC, datetime, timedelta

import pytest
from partyserver.testing import AlarmError

LATER = datetime.now(UTC) + timedelta(hours=2)


def test_what_is_due_runs(party):
    room = party.room("Echo", "a")
    assert room.run_due(at=LATER) == 0
    room.fetch("/ring")
    assert room.run_due() == 0
    assert room.run_due(at=LATER) == 3
    assert sum("it rings" in line.message for line in party.logs) == 3
    assert room.run_due(at=LATER) == 0


def test_what_fails_is_told_when_all_has_run(party):
    room = party.room("Echo", "b")
    room.fetch("/fail")
    room.fetch("/ring")
    with pytest.raises(AlarmError, match="3 of the 6 callbacks") as told:
        room.run_due(at=LATER)
    assert str(told.value).count("ValueError: it does not ring") == 3


def test_a_room_without_timers_says_how_it_would_have_some(party):
    with pytest.raises(LookupError, match=r"MemoryRoom\\(Schedule, Server\\) would have"):
        party.room("MEMORY_ROOM", "c").run_due()


def test_a_time_has_a_timezone(party):
    with pytest.raises(ValueError, match="timezone"):
        party.room("Echo", "d").run_due(at=datetime(2027, 1, 1))
"""


def test_run_due_runs_what_is_due_and_tells_what_fails(project: Project) -> None:
    project.use_partyserver()
    project.write(worker=ROOMS, test_it=TESTS)
    assert "4 passed" in project.run("-q").stdout
