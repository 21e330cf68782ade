"""User code is called in one way: the places of `partyserver.partykit`.

See tests/contracts/test_usercode.py, whose table this goes on with.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from partyserver.testing import AlarmError, UpgradeError

from ..contracts.scripted import eventually
from ..contracts.test_usercode import FAILS, RETURNS, told, without_chaos
from .test_parties import scheduled

HOWS = [*FAILS, *RETURNS]
ROOM = {
    "on_start": "request",
    "on_request": "request",
    "get_connection_tags": "connection",
    "on_connect": "connection",
    "on_message": "message",
    "on_rate_limited": "message",
    "on_close": "connection",
    "on_alarm": "alarm",
    "transaction": "request",
    "listener": "message",
}
WORKER = {
    "on_before_connect": "connection",
    "on_before_request": "request",
    "on_fetch": "/acting/on_fetch",
    "on_socket": "/acting/on_socket",
}


def notes(party, name):
    return party.fetch("/acting/notes/x").json().get(name, ())


def check(party, name, how):
    if how in FAILS:
        assert told(party, FAILS[how])
    else:
        assert eventually(lambda: "done" in notes(party, name))
    assert notes(party, name)[0] == "began"
    assert party.fetch("/parties/acting/another").text == "answered"


@pytest.mark.log_may_hold("Uncaught PythonError")  # of on_alarm: the platform is told
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("place", [*map(without_chaos, ROOM)])
def test_at_each_place_of_a_room(party, mode, place, how):
    name = f"{place}.{how}"
    room = party.room("Acting" if mode == "in memory" else "ActingSleepy", name)
    match ROOM[place]:
        case "request":
            room.fetch("/")
        case "alarm":
            room.fetch("/alarm")
            with suppress(AlarmError):
                room.run_alarm()
        case event:
            with room.connect(id="a") as socket:
                if event == "message":
                    socket.send("hello")
                    socket.send("hello again")
                    eventually(lambda: "began" in notes(party, name))
    check(party, name, how)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("place", WORKER)
def test_at_each_place_of_a_worker(party, place, how):
    name = f"{place}.{how}"
    path = f"/parties/acting/{name}"
    if place in ("on_fetch", "on_socket"):
        path = f"/acting/{place}/{how}"
    if place in ("on_before_request", "on_fetch"):
        response = party.fetch(path)
        assert response.status_code == (500 if how in FAILS else 200)
    else:
        with suppress(UpgradeError), party.connect(path) as socket:
            if how in FAILS:
                socket.wait_closed()
    check(party, name, how)


@pytest.mark.log_may_hold("Uncaught PythonError")  # the platform is told that it has failed
@pytest.mark.parametrize("how", HOWS)
def test_on_cron(party, how):
    party.fetch(f"/acting/cron/{how}")
    scheduled(party, "1 2 3 4 5")
    if how in FAILS:
        assert eventually(lambda: FAILS[how] in str(party.logs))
    else:
        assert eventually(lambda: "done" in notes(party, f"on_cron.{how}"))
    assert party.fetch("/parties/acting/another").text == "answered"
