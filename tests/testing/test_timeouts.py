"""How long the kit's waits take: what they are given, else what `party_timeout` says."""

from __future__ import annotations

from .conftest import Project

TESTS = """
import pytest

LIMIT = "{limit}"

@pytest.fixture
def room(party):
    return party.room("Echo", "a")

def waits(room, *given):
    with room.connect() as socket:
        room.fetch("/print")
        yield "no message", lambda: socket.receive(*given)
        yield "no message", lambda: socket.receive_json(*given)
        yield "still open", lambda: socket.wait_closed(*given)
        yield "nothing logged", lambda: room._party.logs.wait_for("x", *given)

def expect(message, limit, wait):
    said = f"^{{message}}.* {{limit}} s\\n\\nThe server's log:\\n"
    with pytest.raises(TimeoutError, match=said):
        wait()

def test_what_is_given(room):
    for message, wait in waits(room, 0.2):
        expect(message, "0.2", wait)

def test_the_default(room):
    for message, wait in waits(room):
        expect(message, LIMIT, wait)
"""


def test_without_the_option_they_are_five_seconds(project: Project) -> None:
    set_timeout(project, "")
    project.write(test_it=TESTS.format(limit="5"))
    assert "2 passed" in project.run("-q").stdout


def test_the_option_is_the_default_of_every_wait(project: Project) -> None:
    set_timeout(project, "party_timeout = 0.7")
    project.write(test_it=TESTS.format(limit="0.7"))
    assert "2 passed" in project.run("-q").stdout


def set_timeout(project: Project, line: str) -> None:
    ini = project.folder / "pytest.ini"
    ini.write_text(ini.read_text().replace("party_timeout = 60", line))
