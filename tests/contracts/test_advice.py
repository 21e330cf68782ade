"""What the platform says badly, the log says so that one knows what to do."""

from __future__ import annotations

import pytest

from .conftest import WORKER
from .scripted import command, eventually, open_socket

RESTARTED = pytest.mark.once("each restarts the runtime, and nothing of it depends on rooms")


@pytest.fixture
def missing(party):
    with open_socket(party.room("Scripted", "missing"), "a") as a:
        return {
            "worker": party.fetch("/check/missing_binding").json(),
            "room": command(a, "missing_binding"),
        }


@pytest.mark.parametrize("of", ["worker", "room"])
def test_a_missing_binding_tells_what_there_is_and_where_it_goes(missing, of):
    text, *_ = missing[of]
    assert text.startswith(
        "the worker has no variable, secret or binding GREETINGS: did you mean GREETING? "
    )
    assert " Scripted, ScriptedSleepy" in text
    assert ".dev.vars (GREETINGS=...)" in text
    assert "`npx wrangler secret put GREETINGS`" in text
    assert "the value of" not in text


@pytest.mark.parametrize("of", ["worker", "room"])
def test_a_missing_binding_is_an_attribute_error_as_ever(missing, of):
    _, *asked = missing[of]
    assert asked == [False, "default", False, "the value of a variable", True]


def line_of(module, comment):
    """Where a module of the worker has the line with this comment."""
    [number] = [
        number
        for number, line in enumerate((WORKER.parent / module).read_text().splitlines(), 1)
        if line.endswith(f"  # {comment}")
    ]
    return f"/{module}:{number}' was never awaited"


@pytest.mark.log_may_hold("was never awaited")
@RESTARTED
def test_a_forgotten_await_on_storage_names_its_line(party):
    party.restart()  # Python tells it once for each line
    with open_socket(party.room("Scripted", "forgetful"), "a") as a:
        assert command(a, "forget") == ["forgot", 1]
    for name, comment in [("put", "the call of storage"), ("get", "the other call of storage")]:
        told = party.logs.wait_for(line_of("worker.py", comment)).message
        assert f"coroutine '{name}() at " in told


def test_javascript_may_call_what_storage_has(party):
    """With nothing of Python's below it, whose line could be named."""
    assert party.fetch("/check/called_by_javascript").json() == ["HI"]


@pytest.mark.log_may_hold("was never awaited")
@RESTARTED
def test_a_forgotten_await_on_a_stub_names_its_line(party):
    party.restart()
    assert party.fetch("/check/forgotten_await").status_code == 200
    told = party.logs.wait_for(line_of("checks.py", "the call of a stub")).message
    assert "coroutine 'shout() at " in told


@pytest.mark.log_may_hold("was never awaited", "Default.fetch returned")
@RESTARTED
def test_a_fetch_without_a_response_is_told_what_it_has_returned(party):
    party.restart()
    for kind, told in [("await", "a coroutine: write await"), ("none", "None, and not a Resp")]:
        assert party.fetch(f"/without/{kind}").status_code == 500
        party.logs.wait_for(f"Default.fetch returned {told}")
    party.fetch("/parties/plain/x")  # from here on by the shortcuts, if they are not off
    for kind in ("text", "none"):
        assert party.fetch(f"/without/{kind}").status_code == 500
    party.logs.wait_for("Default.fetch returned str, and not a Response")
    assert eventually(lambda: str(party.logs).count("Default.fetch returned None") == 2)
