"""systemd's watchdog is told what the worker answers."""

import os
import signal
import socket
import threading

import pytest
from partyserver.hosting import process, watchdog
from partyserver.hosting.process import Signals
from partyserver.hosting.watchdog import half_of_interval, wait

LIMIT = 60.0
ADDRESS = ("127.0.0.1", 1)


class Child(process.Child):
    """A stand-in for workerd that has ended after so many waits."""

    def __init__(self, waits):
        self.waits = waits
        self.timeouts = []

    @property
    def status(self):
        return None if self.waits else 0

    def wait(self, signals, timeout=None, *, asked=0):
        self.timeouts.append(timeout)
        self.waits -= 1
        return not self.waits


@pytest.fixture
def signals():
    with Signals() as signals:
        yield signals


@pytest.fixture
def systemd(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        yield systemd


@pytest.fixture
def environ(systemd):
    return {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"}


class Asked(list):
    told: list[str | None]


@pytest.fixture
def asked(monkeypatch):
    """What the worker answers, and who asked it."""
    asked = Asked()

    def answers(child, address, signals, timeout):
        asked.append((address, timeout))
        return asked.told.pop(0)

    monkeypatch.setattr(watchdog, "answers", answers)
    return asked


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": ""}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getppid())}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "1.5"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
    ],
)
def test_half_of_the_interval_is_for_this_process_alone(environ, seconds):
    assert half_of_interval(environ) == seconds


def test_nobody_is_asked_where_there_is_no_watchdog(signals, asked):
    child = Child(1)
    assert wait(child, ADDRESS, signals, {})
    assert (asked, child.timeouts) == ([], [None])


def test_systemd_is_told_of_each_answer_and_of_nothing_else(signals, asked, systemd, environ):
    asked.told = [None, "why", None]
    child = Child(3)
    assert wait(child, ADDRESS, signals, environ)
    assert asked == [(ADDRESS, 15.0)] * 3
    assert [systemd.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
    with pytest.raises(BlockingIOError):
        systemd.recv(100)
    assert all(14 < timeout <= 15 for timeout in child.timeouts)


def test_a_signal_ends_it(signals, asked, environ):
    threading.Timer(0, os.kill, [os.getpid(), signal.SIGTERM]).start()
    signals.wait(LIMIT)
    assert not wait(Child(1), ADDRESS, signals, environ)
    assert asked == []
