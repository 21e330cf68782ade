"""PARTYSERVER_SHORTCUTS, a variable of the wrangler config, switches the shortcuts off."""

from __future__ import annotations

import pytest

from .scripted import command, eventually, open_socket

ACTIVE = (
    "entry, dispatch, copying, current message, fan-out, rows, states, turns, conversion, "
    "responses, requests, futures"
)


@pytest.fixture
def off(pytestconfig):
    return "PARTYSERVER_SHORTCUTS=off" in pytestconfig.getini("party_vars")


def told(party):
    return [line for line in party.logs if line.message.startswith("partyserver: shortcuts: ")]


@pytest.mark.once("it restarts the runtime, and no room sleeps in it")
@pytest.mark.parametrize("first", ["/parties/plain/x", "/rpc/Answering/x/shout/hello"])
def test_the_log_says_once_in_an_isolate_which_shortcuts_are_active(party, off, first):
    party.restart()
    for _ in range(2):
        party.fetch(first)
        party.fetch("/parties/answering/y")
    [line] = eventually(lambda: told(party))
    assert line.level == "debug"
    assert line.message == f"partyserver: shortcuts: {'off' if off else ACTIVE}"
    with open_socket(party.room("ScriptedSleepy", "x"), "a") as a:
        _, _, enabled, _ = command(a, "entry")
        assert enabled is not off


def test_whatever_is_neither_on_nor_absent_switches_them_off(party):
    """It is there for emergencies: what looks like off, is."""
    enabled = party.fetch("/check/switch").json()
    assert {value for value, on in enabled.items() if on} == {"None", "'on'"}
    assert "PARTYSERVER_SHORTCUTS is neither" in str(party.logs)
