"""How a test talks to the scripted rooms of tests/worker/worker.py."""

from __future__ import annotations

import time


def command(socket, *parts):
    """Send a scripted room a command and return the JSON of its answer."""
    socket.send_json(list(parts))
    return socket.receive_json()


def open_socket(room, id, **options):
    """Connect to a scripted room and take its greeting."""
    socket = room.connect(id=id, **options)
    assert socket.receive_json() == ["connected", id]
    return socket


def events(room, *names):
    recorded = room.fetch("/events").json()
    return [[name, detail] for name, detail in recorded if not names or name in names]


def eventually(check, timeout=60):
    """Ask `check` until it answers with something true, and return that."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answer := check():
            return answer
    raise TimeoutError(f"not within {timeout} s: {check}")
