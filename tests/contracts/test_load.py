"""The load generator against real rooms."""

from __future__ import annotations

import asyncio

import pytest
from partyserver.load.accounts import Mode
from partyserver.load.payloads import Payload
from partyserver.load.run import Options, run

pytestmark = pytest.mark.once("it is a client's part that is tested, and rooms keep nothing")

#: As tests/worker/worker.py understands it.
ECHO, BROADCAST = '["echo", "{id}"]', '["broadcast", "{id}"]'


def load(room, payload, **options):
    given = Options(
        room.url.replace("http", "ws", 1), Payload("run", payload), ramp=0.0, wait=60.0, **options
    )
    return asyncio.run(run(given, asyncio.Event(), lambda _: None))


def counts(report):
    return report.lost, report.duplicated, report.disordered, report.unexpected, report.ended


def test_echoes_of_a_room(party, binding):
    report = load(party.room(binding("Scripted"), "load"), ECHO, rate=100, duration=0.5)
    assert (report.opened, report.received, counts(report)) == (10, 50, (0, 0, 0, 0, 0))
    assert report.other == 10  # each is greeted


def test_broadcasts_of_rooms(party, binding):
    room = party.room(binding("Scripted"), "load")
    report = load(room, BROADCAST, rooms=2, rate=100, duration=0.5, mode=Mode.BROADCAST)
    assert (report.sent, report.received, counts(report)) == (50, 250, (0, 0, 0, 0, 0))
    assert report.own == 50
