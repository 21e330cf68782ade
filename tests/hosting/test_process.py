"""A child and its signals, ports, and the questions whether a worker is ready."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from partyserver.hosting import process
from partyserver.hosting.process import Child, Listener, Signals, answers, notify, unless_asked
from partyserver.project.errors import CommandError

LIMIT = 60.0


def python(source):
    return [sys.executable, "-c", textwrap.dedent(source)]


#: Says that it is there, and goes on when it is asked to end.
STUBBORN = python("""
    import os, signal
    signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"asked"))
    os.write(1, b"there")
    while True:
        signal.pause()
""")
#: Ends in order when it is asked to.
OBEDIENT = python("""
    import os, signal, sys
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    os.write(1, b"there")
    while True:
        signal.pause()
""")


@pytest.fixture
def signals():
    with Signals() as signals:
        yield signals


@pytest.fixture
def started():
    """Start a child, and wait until it says that it is there."""
    with contextlib.ExitStack() as stack:

        def start(command):
            reader, writer = os.pipe()
            with open(writer, "wb") as file:
                child = stack.enter_context(Child(command, stdout=file))
            stack.callback(os.close, reader)
            assert os.read(reader, 100) == b"there"
            return child, reader

        yield start


def send(number, to=None):
    os.kill(to or os.getpid(), number)


@pytest.mark.parametrize("number", process.ENDING)
def test_a_wait_ends_with_a_signal(signals, started, number):
    child, _ = started(STUBBORN)
    threading.Timer(0, send, [number]).start()
    assert not child.wait(signals, LIMIT)
    assert signals.asked == 1
    assert child.status is None


def test_a_signal_that_came_before_the_wait_ends_it(signals, started):
    child, _ = started(STUBBORN)
    send(signal.SIGTERM)
    assert not child.wait(signals, LIMIT)
    assert signals.asked == 1


def test_a_wait_ends_with_the_child(signals, started):
    child, _ = started(OBEDIENT)
    threading.Timer(0, send, [signal.SIGTERM, child.pid]).start()
    assert child.wait(signals, LIMIT)
    assert (child.status, signals.asked) == (7, 0)


def test_a_wait_ends_with_its_time(signals, started):
    child, _ = started(STUBBORN)
    assert not child.wait(signals, 0.01)


def test_signals_are_as_before_afterwards():
    before = [signal.getsignal(number) for number in (*process.ENDING, signal.SIGCHLD)]
    with Signals():
        pass
    assert [signal.getsignal(one) for one in (*process.ENDING, signal.SIGCHLD)] == before


def test_work_is_done_unless_a_signal_comes(signals):
    done = []
    assert unless_asked(signals, lambda: done.append(1))
    assert done == [1]
    with pytest.raises(CommandError, match="why"):
        unless_asked(signals, failing)
    release = threading.Event()
    try:
        threading.Timer(0, send, [signal.SIGTERM]).start()
        assert not unless_asked(signals, release.wait)
    finally:
        release.set()


def failing():
    raise CommandError("why")


def test_a_hangup_that_nohup_ignores_is_ignored(started):
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            send(signal.SIGHUP)
            signals.wait(0)
            assert signals.asked == 0
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_a_child_that_ends_in_order_is_given_the_time(signals, started):
    child, _ = started(OBEDIENT)
    child.end(signals, LIMIT)
    assert child.status == 7


def test_a_child_that_goes_on_is_killed_after_the_grace(signals, started):
    child, heard = started(STUBBORN)
    child.end(signals, 0.2)
    assert child.status == -signal.SIGKILL
    assert os.read(heard, 100) == b"asked"


def test_a_second_signal_cuts_the_grace(signals, started):
    child, heard = started(STUBBORN)
    send(signal.SIGTERM)
    signals.wait(LIMIT)

    def second():
        assert os.read(heard, 100) == b"asked"  # it is in its grace
        send(signal.SIGINT)

    threading.Thread(target=second).start()
    child.end(signals, LIMIT)
    assert child.status == -signal.SIGKILL


def test_two_signals_before_the_end_leave_no_grace(signals, started):
    child, _ = started(STUBBORN)
    for _ in range(2):
        send(signal.SIGTERM)
    child.end(signals, LIMIT)
    assert child.status == -signal.SIGKILL


def test_a_terminals_signals_are_not_for_the_child(started):
    child, _ = started(STUBBORN)
    assert os.getpgid(child.pid) == child.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_ends_with_its_parent():
    reader, writer = os.pipe()
    parent = subprocess.Popen(
        python(f"""
            import time
            from partyserver.hosting.process import Child
            Child(["sleep", "600"], inherited=[{writer}])
            print("there", flush=True)
            time.sleep(600)
        """),
        stdout=subprocess.PIPE,
        pass_fds=[writer],
    )
    os.close(writer)
    with parent, open(reader, "rb") as ended:
        assert parent.stdout.readline() == b"there\n"
        parent.kill()
        assert ended.read() == b""  # which nobody holds any more


def test_a_program_that_is_none_is_told(tmp_path):
    with pytest.raises(CommandError, match="cannot be run: No such file"):
        Child([str(tmp_path / "workerd")])


def test_a_port_of_0_is_a_free_one():
    with Listener("127.0.0.1", 0) as one:
        assert one.address[1] > 0
        assert str(one) == f"127.0.0.1:{one.address[1]}"


def test_a_port_is_told_from_an_address_of_ipv6():
    try:
        with Listener("::1", 0) as one:
            assert str(one) == f"[::1]:{one.address[1]}"
    except CommandError:
        pytest.skip("this machine has no IPv6")


def test_a_port_in_use_is_told_before_anything_else():
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(CommandError, match=r"port \d+ of 127\.0\.0\.1 is in use"),
    ):
        Listener("127.0.0.1", other.getsockname()[1])


def test_an_address_of_no_interface_is_told():
    with pytest.raises(CommandError, match=r"port 1 of 192\.0\.2\.1 cannot be used"):
        Listener("192.0.2.1", 1)
    with pytest.raises(CommandError, match="is no address of this machine"):
        Listener("no.such.host.invalid", 1)


@contextlib.contextmanager
def answering(*said):
    """A server that gives each connection one answer, after a request."""
    with Listener("127.0.0.1", 0) as listener:
        listener.listen()

        def answer():
            with listener._socket.dup() as server:
                for one in said:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(one)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.address
        thread.join(LIMIT)


def test_a_worker_is_asked_until_it_answers(signals, started):
    child, _ = started(STUBBORN)
    with answering(b"", b"HTTP/1.1 503 No\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n") as address:
        assert answers(child, address, signals, LIMIT) is None


def test_what_one_that_does_not_answer_says_is_told(signals, started):
    child, _ = started(STUBBORN)
    why = b"HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nwhy\n"
    with answering(why, b"") as address:
        assert answers(child, address, signals, 0.5) == "why"


def test_one_that_has_ended_is_asked_no_more(signals, started):
    child, _ = started(OBEDIENT)
    with Listener("127.0.0.1", 0) as listener:
        listener.listen()  # and nobody accepts
        threading.Timer(0, send, [signal.SIGTERM, child.pid]).start()
        assert answers(child, listener.address, signals, LIMIT) == ""
    assert child.status == 7


def test_nobody_is_asked_after_a_signal(signals, started):
    child, _ = started(STUBBORN)
    with Listener("127.0.0.1", 0) as listener:
        listener.listen()
        threading.Timer(0, send, [signal.SIGTERM]).start()
        assert answers(child, listener.address, signals, LIMIT) == ""


def test_one_that_does_not_answer_in_time_does_not(signals, started):
    child, _ = started(STUBBORN)
    with Listener("127.0.0.1", 0) as listener:
        listener.listen()
        assert answers(child, listener.address, signals, 0.2) == ""


def test_one_that_accepts_nobody_any_more_delays_no_signal(signals, started):
    """Its backlog is full, so that a connection waits, too."""
    child, _ = started(STUBBORN)
    with Listener("127.0.0.1", 0) as listener, contextlib.ExitStack() as stack:
        listener._socket.listen(0)
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.address)
            except TimeoutError:
                break
        threading.Timer(0, send, [signal.SIGTERM]).start()
        began = time.monotonic()
        assert answers(child, listener.address, signals, LIMIT) == ""
        assert time.monotonic() - began < LIMIT / 2


def test_systemd_is_told(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        notify("READY=1", {"NOTIFY_SOCKET": path})
        assert systemd.recv(100) == b"READY=1"


def test_without_systemd_nobody_is_told(tmp_path):
    notify("READY=1", {})
    notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
