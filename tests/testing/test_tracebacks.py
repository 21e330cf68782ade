"""A failing test ends at the user's own line, and says there what has gone wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest
from partyserver.testing.tracebacks import shorten

from .conftest import Project

BEGIN = """
import socket
import httpx
import pytest

@pytest.fixture
def room(party):
    return party.room("Echo", "lobby")

@pytest.fixture
def silent(party, room):
    with socket.create_server(("127.0.0.1", 0)) as server:
        party._runtime.url, url = f"http://127.0.0.1:{server.getsockname()[1]}", party.url
        yield room
        party._runtime.url = url

@pytest.fixture
def gone(party, silent):
    with socket.create_server(("127.0.0.1", 0)) as server:
        party._runtime.url = f"http://127.0.0.1:{server.getsockname()[1]}"
    return silent
"""

FAILURES = """
def test_receive(room):
    room.fetch("/print")
    with room.connect() as socket:
        socket.receive(timeout=0.1)  # here

def test_receive_json(room):
    with room.connect() as socket:
        socket.receive_json(timeout=0.1, until={"type": "moved"})  # here

def test_closed(room):
    with room.connect() as socket:
        socket.send("close")
        socket.receive()  # here

def test_upgrade(room):
    room.connect(query={"refuse": "yes"})  # here

def test_late_answer(silent):
    silent.fetch("/", timeout=0.1)  # here

def test_no_server(gone):
    gone.fetch("/")  # here

def test_no_upgrade(gone):
    gone.connect()  # here

def test_wrong_argument(party):
    party.fetch("/", nonsense=1)  # here

def test_no_alarm(room):
    room.run_alarm()  # here

def test_no_line(party):
    party.logs.wait_for("nothing", timeout=0.1)  # here

def test_no_binding(party):
    party.room("Nope", "a")  # here

def asks(room):
    room.fetch("/")  # here

def test_helper(gone):
    asks(gone)

def test_before(gone):
    try:
        raise KeyError("of the test")
    except KeyError:
        gone.fetch("/")  # here

class Auth(httpx.Auth):
    def auth_flow(self, request):
        raise KeyError("of the callback")  # here
        yield request

def test_callback(room):
    room.fetch("/", auth=Auth())
"""


def sections(output: str) -> dict[str, str]:
    """What pytest shows of each failing test, without the sections of captured output."""
    failures = output.partition(" FAILURES ")[2].partition(" short test summary ")[0]
    _, *parts = re.split(r"^_+ (?:ERROR at \w+ of )?test_(\w+) _+$", failures, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_failures_show_the_lines_of_the_user(project: Project) -> None:
    project.write(test_it=BEGIN + FAILURES)
    output = project.run("-q", COLUMNS="200").stdout
    shown = sections(output)
    assert list(shown) == re.findall(r"^def test_(\w+)", FAILURES, re.MULTILINE)
    for name, text in shown.items():
        assert "partyserver/testing" not in text, name
        assert "site-packages" not in text, name
        assert re.search(r"^> .*# here\n( +\^+\n)?E +\w", text, re.MULTILINE), (name, text)
        assert re.search(r"^test_it\.py:\d+: \w", text, re.MULTILINE), (name, text)
        direct = "direct cause" in text or "During handling" in text
        assert direct == (name == "before"), (name, text)
    assert (
        "E           TimeoutError: no message within 0.1 s\n"
        "E           \n"
        "E           The server's log:\n"
        "E           printed by the room\n"
    ) in shown["receive"]
    assert (
        "E       httpx.ReadTimeout: timed out\n"
        "E       GET /parties/echo/lobby/ was not answered in time\n"
    ) in shown["late_answer"]
    assert "E       httpx.ConnectError: " in shown["no_server"]
    assert "KeyError: 'of the test'" in shown["before"]
    assert "asks(room)" in shown["helper"]
    # The summary at the end has them, too.
    closed = (
        "FAILED test_it.py::test_closed - partyserver.testing.SocketClosedError: the socket is "
    )
    assert closed in output


@pytest.mark.parametrize("option", ["--tb=long", "--full-trace"])
def test_all_of_a_traceback_is_shown_to_whom_it_is_asked_for(project: Project, option: str) -> None:
    project.write(test_it=BEGIN + "def test_it(gone):\n    gone.fetch('/')\n")
    output = project.run("-q", option).stdout
    assert "partyserver/testing/party.py" in output
    assert "direct cause" in output


KIT = str(Path(shorten.__code__.co_filename).with_name("party.py"))


def kit(source: str, **names):
    """A function of the kit's, as its frames tell."""
    exec(compile(source, KIT, "exec"), names)
    return names["call"]


def raised(call, *arguments) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        call(*arguments)
    return caught.value


def lines(error: BaseException) -> list[str]:
    names = []
    entry = error.__traceback__
    while entry:
        names.append(entry.tb_frame.f_code.co_name)
        entry = entry.tb_next
    return names[names.index("raised") + 1 :]


def test_what_the_kit_calls_of_the_user_stays() -> None:
    call = kit("def call(user):\n    inner(user)\ndef inner(user):\n    user()\n")

    def user():
        raise ValueError

    def test():
        call(user)

    error = raised(test)
    assert lines(error) == ["test", "call", "inner", "user"]
    assert shorten(error)
    assert lines(error) == ["test", "user"]


def test_causes_below_the_kit_are_hidden_and_the_users_own_are_not() -> None:
    call = kit(
        "def call():\n    try:\n        {}[1]\n"
        "    except KeyError as e:\n        raise OSError from e\n"
    )

    def test():
        try:
            raise LookupError
        except LookupError:
            call()

    error = raised(test)
    assert isinstance(error.__cause__, KeyError)
    assert shorten(error)
    assert error.__cause__ is None
    assert isinstance(error.__context__, LookupError)
    assert not error.__suppress_context__


def test_a_failure_without_the_kit_is_left_as_it_is() -> None:
    def test():
        try:
            int("x")
        except ValueError as cause:
            raise OSError from cause

    error = raised(test)
    before = lines(error)
    assert shorten(error)
    assert lines(error) == before
    assert isinstance(error.__cause__, ValueError)


def test_errors_of_a_group_are_shortened() -> None:
    call = kit("def call():\n    raise OSError\n")
    inner = cast(Exception, raised(lambda: call()))

    def test():
        raise ExceptionGroup("several", [inner])

    shorten(raised(test))
    assert lines(inner) == ["<lambda>"]


def test_a_failure_of_the_kit_alone_has_no_line_to_show() -> None:
    assert shorten(OSError())
    call = kit("def call():\n    raise OSError\n")
    error = raised(call)
    while error.__traceback__.tb_frame.f_code.co_filename != KIT:
        error.__traceback__ = error.__traceback__.tb_next
    assert not shorten(error)
