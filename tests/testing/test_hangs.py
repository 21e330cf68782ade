"""A worker that answers no more fails one test, which says so; the next has a new runtime."""

from __future__ import annotations

import re
import signal
import sys
import time

import pytest
from partyserver.testing.processes import parse_ps_time

from ..progress import await_end
from .conftest import Project

HUNG = (
    "RuntimeLostError: the worker no longer answers: a hook seems to be in an endless loop or to "
    "hold a threading.Lock across an await; the runtime was replaced"
)

BEGIN = """
import os, pathlib, signal
import httpx, pytest
from partyserver.testing import RuntimeLostError

@pytest.fixture
def room(party, monkeypatch):
    # The kit's own limits are longer than these tests need.
    party._runtime.patience = 2
    monkeypatch.setattr("partyserver.testing.party.SUSPICION", 1)
    return party.room("Echo", "a")

def hang(room):
    room.connect().send("loop")

def kill_node(party):
    node = party._runtime._process
    children = pathlib.Path(f"/proc/{node.pid}/task/{node.pid}/children")
    if children.exists():
        print("started:", children.read_text())
    node.kill()
    node.wait()

def test_before(room):
    assert room.fetch("/").json() == ["fetch"]
"""
AFTER = """
def test_after(room):
    assert room.fetch("/").json() == ["fetch"]
"""

LOCK = """
def test_lock(party):
    with party.room("Echo", "a").connect() as socket:
        socket.send("lock")
        socket.send("lock")
        socket.send("hi")
        socket.receive(timeout=5)
"""

WAITS = """
def test_receive(room):
    with room.connect() as socket:
        socket.send("loop")
        socket.receive(timeout=1)

def test_wait_closed(room):
    with room.connect() as socket:
        socket.send("loop")
        socket.wait_closed(timeout=1)

def test_a_line_of_the_log(party, room):
    logs = party.logs
    hang(room)
    logs.wait_for("nothing of the kind", timeout=1)

def test_fetch(room):
    hang(room)
    room.fetch("/", timeout=1)

def test_connect(room, monkeypatch):
    monkeypatch.setattr("partyserver.testing.socket.OPEN_TIMEOUT", 1)
    hang(room)
    room.connect()

def test_hibernate(room):
    hang(room)
    room.hibernate()

def test_evict(room):
    hang(room)
    room.evict()

def test_the_log(party, room):
    hang(room)
    assert "looping" in party.logs

@pytest.fixture
def greeted(room):
    hang(room)
    room.hibernate()

def test_setup(greeted):
    pass
"""


def test_a_hang_fails_the_test_that_waits_and_no_other(project: Project) -> None:
    project.write(test_it=BEGIN + LOCK + AFTER)
    output = project.run("-q").stdout
    assert HUNG in output
    assert summary(output) == "1 failed, 2 passed"


def test_a_hang_is_told_wherever_a_test_waits(project: Project) -> None:
    project.write(test_it=BEGIN + WAITS + AFTER)
    output = project.run("-q", "-rA", COLUMNS="250").stdout
    names = re.findall(r"def test_(\w+)", WAITS)
    for name in names:
        assert re.search(f"^(FAILED|ERROR) .*::test_{name} - .*{HUNG[:60]}", output, re.MULTILINE)
    assert len(re.findall("- Log of the worker -+\nlooping\n", output)) == len(names)
    assert summary(output) == "8 failed, 2 passed, 1 error"


def test_an_alarm_that_hangs(project: Project) -> None:
    project.write(
        test_it=BEGIN
        + """
def test_it(room):
    room.fetch("/alarm-that-loops")
    room.run_alarm()
"""
        + AFTER
    )
    output = project.run("-q").stdout
    assert HUNG in output
    assert summary(output) == "1 failed, 2 passed"


def test_a_hang_that_shows_after_the_test_is_an_error_of_its_teardown(project: Project) -> None:
    project.write(test_it=BEGIN + "\ndef test_it(room):\n    hang(room)\n" + AFTER)
    output = project.run("-q").stdout
    assert "ERROR at teardown of test_it" in output
    assert HUNG in output
    assert summary(output) == "3 passed, 1 error"


def test_a_hang_is_told_with_a_failure_of_another_cause(project: Project) -> None:
    project.write(test_it=BEGIN + "\ndef test_it(room):\n    hang(room)\n    assert 0\n" + AFTER)
    output = project.run("-q").stdout
    assert re.search("- The worker -+\nthe worker no longer answers: ", output)
    assert summary(output) == "1 failed, 2 passed"


def test_a_hang_is_not_to_be_swallowed_and_ends_what_follows(project: Project) -> None:
    project.write(
        test_it=BEGIN
        + """
def test_it(party, room):
    with room.connect() as socket:
        socket.send("loop")
        with pytest.raises(RuntimeLostError):
            socket.receive(timeout=1)
    for use in (room.connect, room.fetch, room.hibernate, room.run_alarm, party.restart):
        with pytest.raises(RuntimeLostError):
            use()
    assert "looping" in party.logs
"""
        + AFTER
    )
    output = project.run("-q").stdout
    assert "ERROR at teardown of test_it" in output
    assert HUNG in output
    assert summary(output) == "3 passed, 1 error"


def test_a_hung_room_under_chaos(project: Project) -> None:
    project.write(test_it=BEGIN + WAITS.partition("\n\n")[0] + AFTER)
    output = project.run("-q", "--party-chaos").stdout
    assert HUNG in output
    assert summary(output) == "1 failed, 2 passed"


def test_a_restart_ends_a_hang(project: Project) -> None:
    project.write(
        test_it=BEGIN
        + """
def test_it(party, room):
    room.fetch("/")
    hang(room)
    party.restart()
    assert room.fetch("/").json() == ["fetch", "fetch"]
"""
    )
    assert summary(project.run("-q").stdout) == "2 passed"


def test_a_hook_that_computes_for_long_is_no_hang(project: Project) -> None:
    """Nor is a wait that a test ends before the hook does."""
    worker = project.folder / "worker.py"
    busy = "began = time.process_time()\n    while time.process_time() < began + 4:"
    worker.write_text(worker.read_text().replace("while True:", busy))
    project.write(
        test_it="""
import pytest

def test_it(party):
    with party.room("Echo", "a").connect() as socket:
        socket.send("loop")
        with pytest.raises(TimeoutError, match="no message within 0.5 s"):
            socket.receive(timeout=0.5)
        socket.send("hi")
        assert socket.receive(60) == "2 hi"
        socket.send("loop")
        assert "looping" in party.logs
"""
    )
    result = project.run("-q")
    assert summary(result.stdout) == "1 passed", result.stdout


USES = ("party.logs", "room.hibernate()", "party.restart()", "assert 0", "pass")


def test_the_end_of_node_is_told_likewise(project: Project) -> None:
    tests = "".join(
        f"""
def test_{number}(party, room):
    room.fetch("/print")
    kill_node(party)
    {use}
"""
        for number, use in enumerate(USES)
    )
    project.write(test_it=BEGIN + tests + AFTER)
    # Where CI is set, the summary at the end has the messages whole, too.
    output = project.run("-q", "-s").stdout
    failures = output.partition(" short test summary info ")[0]
    told = "the Node.js process that runs the worker has ended; the runtime was replaced\n"
    assert failures.count(f"RuntimeLostError: {told}") == len(USES) - 1
    assert re.search(f"assert 0\n(.*\n)*-+ The worker -+\n{told}", output)
    assert len(re.findall("- Log of the worker -+\nprinted by the room\n", output)) == len(USES)
    # The last test itself passes.
    assert summary(output) == "4 failed, 3 passed, 1 error"
    assert_nothing_is_left(output, len(USES))


def test_a_runtime_that_ends_between_two_tests_is_replaced(project: Project) -> None:
    project.write(
        test_it=BEGIN
        + """
@pytest.fixture(autouse=True)
def _end_of_node(request):
    yield
    kill_node(request.node.funcargs["party"])
"""
        + AFTER
    )
    output = project.run("-q", "-s").stdout
    assert summary(output) == "2 passed"
    assert_nothing_is_left(output, 2)


def test_a_runtime_that_does_not_come_back_after_a_crash_is_replaced(project: Project) -> None:
    project.write(
        test_it=BEGIN
        + """
def test_it(party, room):
    with room.connect() as socket:
        workerd = pathlib.Path(party._runtime._folder.name, "workerd")
        workerd.write_text("#!/bin/sh\\necho broken >&2\\nexit 1\\n")
        socket.send("crash")
        socket.receive()
"""
        + AFTER
    )
    output = project.run("-q").stdout
    assert "the runtime has crashed and does not come back" in output
    assert summary(output) == "1 failed, 2 passed, 1 error"


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_does_not_wait_for_a_hung_worker(project: Project) -> None:
    project.write(
        test_it=BEGIN
        + """
def test_it(party, room):
    logs = party.logs
    hang(room)
    logs.wait_for("looping")
    party._runtime.patience = 300
    print("hung", flush=True)
    room.connect()
"""
    )
    with project.start("-s", "-q") as session:
        assert session.stdout
        for line in session.stdout:
            if "hung" in line:
                break
        session.send_signal(signal.SIGINT)
        began = time.monotonic()
        rest = session.stdout.read()
        assert session.wait() == pytest.ExitCode.INTERRUPTED, rest
        assert "Traceback" not in rest
        # A worker that the kit waits for would be given five minutes.
        assert time.monotonic() - began < 120


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:01.50", 1.5), ("00:01:02", 62), ("123:04.05", 7384.05), ("1-02:03:04", 93_784)],
)
def test_the_clock_of_ps(text: str, seconds: float) -> None:
    assert parse_ps_time(text) == seconds


def assert_nothing_is_left(output: str, runtimes: int) -> None:
    started = [int(pid) for pids in re.findall("started: (.*)", output) for pid in pids.split()]
    assert sys.platform != "linux" or len(started) >= runtimes
    await_end(started)


def summary(output: str) -> str:
    """The last line of pytest, without the time."""
    return re.sub(" in .*", "", output.rstrip().rpartition("\n")[2])
