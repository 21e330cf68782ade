"""`partyserver serve` with the real workerd: ready, served, refused, ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import uuid
from pathlib import Path
from socket import create_server

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from .running import LIMIT, ROOT, WRITING, NotServedError, Served, project, serving

SECRET = "a-secret-of-the-tests"
#: Reads it where a snapshot would hold it.
READING = (
    WRITING.replace("from workers import", "from workers import env,")
    + """
print("imported with", len(env.TOKEN))

class Room(Room):
    async def on_request(self, request):
        if "lines" in request.url:
            for number in range(2000):
                print("line", number, "." * 100)
            return Response("said")
        if "secret" in request.url:
            return Response(self.env.TOKEN)
        return await super().on_request(request)
"""
)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return project(tmp_path_factory.mktemp("project"), READING, "Room")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("served") / "data"


@pytest.fixture(scope="module")
def running(config, tmp_path_factory):
    """One that no test ends."""
    data = tmp_path_factory.mktemp("running") / "data"
    with serving(config, data, "--secrets", "TOKEN", environ={"TOKEN": SECRET}) as served:
        yield served


@pytest.fixture
def served(config, data):
    """From the second test on, it is a restart on the same data."""
    with serving(config, data, "--secrets", "TOKEN", environ={"TOKEN": SECRET}) as served:
        yield served


def room_at(served, name, path=""):
    return served.websocket(f"/parties/room/{name}{path}")


def get(url, path=""):
    return httpx.get(url + path, timeout=LIMIT, trust_env=False)


def lost(socket):
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=LIMIT)
    return socket.protocol.close_code


def test_it_serves_requests_and_sockets_and_says_where(running):
    assert re.fullmatch(
        r"partyserver: serving served on http://127\.0\.0\.1:\d+", running.line("serving")
    )
    assert get(running.url).text == "worker"
    with connect(room_at(running, "a")) as socket:
        socket.send("hello")
        assert socket.recv(timeout=LIMIT) == "hello"
    assert get(running.url, "/parties/room/a").json() == ["hello"]


def test_health_is_answered_and_wakes_no_room(running):
    before = list(running.lines)
    for path in ("/", "/any/path"):
        answer = get(running.health, path)
        assert (answer.status_code, answer.text) == (200, "ok\n")
    get(running.url, "/parties/room/after")
    assert running.line("started", len(before)) == "started after"
    assert [line for line in running.lines[len(before) :] if "shortcuts" not in line] == [
        "started after"
    ]


def test_what_the_worker_answers_is_its_own(running):
    """No path is taken from it: health has a port of its own."""
    for path in ("/health", "/healthz", "/ready"):
        assert get(running.url, path).text == "worker"


def test_a_secret_is_where_it_belongs_and_nowhere_else(running):
    data = running.data
    assert get(running.url, "/parties/room/a?secret").text == SECRET
    for process in (running.process.pid, running.workerd()):
        assert SECRET not in Path(f"/proc/{process}/cmdline").read_text()
    assert SECRET not in Path(f"/proc/{running.workerd()}/environ").read_text()
    assert SECRET not in running.text
    # What has it, as a snapshot has, is in a folder for its owner alone, and is such a file itself.
    for path in (data, *data.rglob("*")):
        if path.parent == data or path.suffix in (".bin", ".capnp"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not any((data / "run").iterdir())


def test_an_alarm_that_is_due_rings_at_the_start(config, data):
    options = {"environ": {"TOKEN": SECRET}}
    for seconds in (1.5, 15, 60):
        with serving(config, data, "--secrets", "TOKEN", **options) as served:
            due = str(int((time.time() + seconds) * 1000))
            httpx.post(f"{served.url}/parties/room/alarmed", content=due, timeout=LIMIT)
            served.kill()
        if "rang alarmed" not in served.text:  # before it was killed
            break
    with serving(config, data, "--secrets", "TOKEN", **options) as served:
        served.line("rang alarmed")


def test_all_lines_of_a_log_come_whole_also_at_the_end(served):
    assert get(served.url, "/parties/room/a?lines").text == "said"
    assert served.stop() == 0
    lines = [line for line in served.lines if line.startswith("line ")]
    assert lines == [f"line {number} {'.' * 100}" for number in range(2000)]


def test_a_log_of_json(config, data):
    options = ("--log-format", "json", "--secrets", "TOKEN")
    with serving(config, data, *options, environ={"TOKEN": SECRET}) as served:
        get(served.url, "/parties/room/logged")
        said = json.loads(served.line("started logged"))
        assert (said["level"], said["message"]) == ("log", "started logged")


def test_sigterm_ends_it_after_the_grace_and_sockets_see_1006(config, data):
    options = ("--grace", "0.5", "--secrets", "TOKEN")
    with (
        serving(config, data, *options, environ={"TOKEN": SECRET}) as served,
        connect(room_at(served, "a")) as socket,
    ):
        socket.send("one")
        assert socket.recv(timeout=LIMIT) == "one"
        assert served.stop() == 0
        assert lost(socket) == 1006
        assert "closed" not in served.text  # no room runs for it


def test_in_the_grace_who_is_connected_is_served(config, data):
    options = ("--grace", "600", "--secrets", "TOKEN")
    with (
        serving(config, data, *options, environ={"TOKEN": SECRET}) as served,
        connect(room_at(served, "a")) as socket,
    ):
        served.signal(signal.SIGINT)
        socket.send("one")
        assert socket.recv(timeout=LIMIT) == "one"
        socket.close()
        assert served.wait() == 0  # when nobody is connected any more


def test_a_second_signal_ends_it_at_once(config, data):
    options = ("--grace", "600", "--secrets", "TOKEN")
    with (
        serving(config, data, *options, environ={"TOKEN": SECRET}) as served,
        connect(room_at(served, "a")) as socket,
    ):
        for number in (signal.SIGTERM, signal.SIGHUP):
            served.signal(number)
        assert served.wait() == 0
        assert lost(socket) == 1006


def test_no_sleeping_room_is_woken_for_the_end(config, data):
    control = create_server(("127.0.0.1", 0))
    with (
        control,
        serving(
            config,
            data,
            *("--grace", "0.5", "--secrets", "TOKEN"),
            module="tests.hosting.launcher",
            environ={"TOKEN": SECRET, "PARTY_TEST_CONTROL": str(control.fileno())},
            inherited=[control.fileno()],
        ) as served,
        connect(room_at(served, "sleeper")) as socket,
    ):
        port = control.getsockname()[1]
        control.close()  # workerd has it
        socket.send("one")
        assert socket.recv(timeout=LIMIT) == "one"
        order = {"action": "evict", "binding": "Room", "name": "sleeper", "mark": "-"}
        order["webSockets"] = "hibernate"
        assert httpx.post(f"http://127.0.0.1:{port}/", json=order, timeout=LIMIT).is_success
        assert served.stop() == 0
        assert lost(socket) == 1006
        assert served.lines.count("started sleeper") == 1
        assert "closed" not in served.text


def test_a_worker_whose_workerd_has_died_ends_with_a_status(served):
    os.kill(served.workerd(), signal.SIGKILL)
    assert served.wait() == 1
    assert "partyserver: workerd has ended by itself, with the signal 9" in served.lines


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_supervisor_may_end_both_at_once(served):
    workerd = served.workerd()
    served.signal(signal.SIGSTOP)  # so that both have happened when it looks
    os.kill(workerd, signal.SIGKILL)
    until = time.monotonic() + LIMIT
    while ") Z " not in Path(f"/proc/{workerd}/stat").read_text():
        assert time.monotonic() < until
    served.signal(signal.SIGTERM)
    served.signal(signal.SIGCONT)
    assert served.wait() == 0


def test_an_end_before_it_is_ready_leaves_no_secret(config, tmp_path):
    environ = {"TOKEN": SECRET}
    arguments = [config, tmp_path / "data", "--no-snapshot", "--secrets", "TOKEN"]
    with Served(*arguments, environ=environ) as served:
        served.workerd_soon()
        assert served.stop() == 0
        assert not any("serving" in line for line in served.lines)
    assert [*(tmp_path / "data" / "run").iterdir()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_after_a_kill_the_port_and_the_data_are_free(served, config, data):
    port = served.url.rpartition(":")[2]
    served.process.kill()
    with serving(
        config, data, "--secrets", "TOKEN", "--port", port, environ={"TOKEN": SECRET}
    ) as again:
        assert again.url == served.url
        assert get(again.url).text == "worker"


def refused(*arguments, **more):
    """What is said by one that does not start."""
    with Served(*arguments, **more) as served:
        assert served.wait() == 1
        assert "Traceback (most" not in served.text or "worker.py" in served.text
        return served.text


def test_what_is_refused_before_anything_is_made(running, config, tmp_path):
    environ = {"TOKEN": SECRET}
    in_use = refused(config, running.data, "--secrets", "TOKEN", environ=environ)
    assert "is served by another process already" in in_use
    port = running.url.rpartition(":")[2]
    taken = refused(config, tmp_path / "x", "--secrets", "TOKEN", "--port", port, environ=environ)
    assert taken == (
        f"partyserver: port {port} of 127.0.0.1 is in use: stop what uses it, or name another "
        "with --port"
    )
    missing = refused(config, tmp_path / "y", "--secrets", "TOKEN,SALT", environ=environ)
    assert "the environment has no SALT" in missing
    file = tmp_path / "secrets"
    file.write_text("TOKEN=x")
    file.chmod(0o644)
    assert "chmod 600" in refused(config, tmp_path / "z", "--secrets-file", str(file))
    assert running.process.poll() is None


def test_another_worker_is_refused(running, tmp_path):
    other = project(tmp_path / "other", WRITING, "Room", name="served-staging")
    assert "holds the data of the worker 'served'" in refused(other, running.data)


def test_data_that_would_be_served_as_assets_is_refused(tmp_path):
    config = project(tmp_path / "project", WRITING, "Room")
    config.write_text(f'{config.read_text()}\n[assets]\ndirectory = "public"\n')
    public = config.parent / "public"
    public.mkdir()
    for data in (public, public / "data"):
        assert "lies among the assets, which everybody can read" in refused(config, data)
    assert [*public.iterdir()] == []


def test_a_failing_import_shows_its_traceback(tmp_path):
    config = project(tmp_path / "broken", "import no_such_module\n", "Room")
    text = refused(config, tmp_path / "data")
    assert "    import no_such_module\nModuleNotFoundError: No module named" in text
    assert "partyserver: the worker cannot be imported, as the traceback says" in text
    assert not any((tmp_path / "data" / "snapshots").glob("*.bin"))
    assert not any((tmp_path / "data" / "run").rglob("*"))


def test_a_signal_while_the_snapshot_is_made_ends_it(tmp_path):
    config = project(tmp_path / "endless", "while True: pass\n", "Room")
    with Served(config, tmp_path / "data") as served:
        served.line("making the start-up snapshot")
        maker = served.workerd_soon()
        served.signal()
        assert served.wait() == 0
    assert not Path(f"/proc/{maker}").exists()


def test_without_a_snapshot_the_imports_run_at_the_start(config, tmp_path):
    data = tmp_path / "data"
    with Served(
        config, data, "--no-snapshot", "--secrets", "TOKEN", environ={"TOKEN": SECRET}
    ) as served:
        assert get(served.until_ready().url).text == "worker"
        assert f"imported with {len(SECRET)}" in served.text
    assert not any((data / "snapshots").iterdir())


def test_new_code_runs_and_never_that_of_an_old_snapshot(tmp_path):
    config = project(tmp_path / "changing", WRITING, "Room")
    with serving(config, tmp_path / "data") as served:
        assert get(served.url).text == "worker"
    source = config.parent / "src" / "worker.py"
    source.write_text(source.read_text().replace('"worker"', '"workes"'))
    with serving(config, tmp_path / "data") as served:
        assert get(served.url).text == "workes"
    # Back again: the one before is kept.
    source.write_text(WRITING)
    with serving(config, tmp_path / "data") as served:
        assert get(served.url).text == "worker"
        assert "making the start-up snapshot" not in served.text


def test_systemd_is_told_when_it_is_ready(config, data, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        environ = {"TOKEN": SECRET, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with serving(config, data, "--secrets", "TOKEN", environ=environ) as served:
            assert systemd.recv(100) == b"READY=1"
            assert served.stop() == 0
            assert systemd.recv(100) == b"STOPPING=1"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_systemds_watchdog_is_told_while_the_worker_answers(config, data, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(LIMIT)
        environ = {
            "TOKEN": SECRET,
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "200000",
        }
        with serving(config, data, "--secrets", "TOKEN", environ=environ) as served:
            assert [systemd.recv(100) for _ in range(4)] == [b"READY=1", *[b"WATCHDOG=1"] * 3]
            assert not any("started" in line for line in served.lines)  # no room is woken
            workerd = served.workerd()
            os.kill(workerd, signal.SIGSTOP)
            until = time.monotonic() + LIMIT
            while ") T " not in Path(f"/proc/{workerd}/stat").read_text():
                assert time.monotonic() < until
            systemd.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while systemd.recv(100):
                    pass
            # What was answered before it was stopped may come yet, and nothing else does.
            systemd.settimeout(2)
            came = 0
            with contextlib.suppress(TimeoutError):
                while came < 2 and systemd.recv(100) == b"WATCHDOG=1":
                    came += 1
            assert came < 2
            os.kill(workerd, signal.SIGCONT)
            systemd.settimeout(LIMIT)
            assert systemd.recv(100) == b"WATCHDOG=1"
            os.kill(workerd, signal.SIGSTOP)
            assert served.stop() == 0  # a hung worker delays no end


def prepare(config, data, *options, status=0, **more):
    """What `serve --prepare` says."""
    with Served(config, data, "--prepare", *options, **more) as served:
        assert served.wait() == status
        assert not any("serving" in line for line in served.lines)
        return served.text


def test_new_code_is_prepared_beside_the_old_and_starts_at_once(tmp_path):
    config = project(tmp_path / "deployed", WRITING + f"\n# {uuid.uuid4()}", "Room")
    source = config.parent / "src" / "worker.py"
    data = tmp_path / "data"
    assert "is prepared" in prepare(config, data)  # before the first start, too
    with Served(config, data) as served, connect(room_at(served.until_ready(), "a")) as room:
        source.write_text(source.read_text().replace('"worker"', '"workes"'))
        assert "making the start-up snapshot" in prepare(config, data)
        assert "making the start-up snapshot" not in prepare(config, data)
        room.send("undisturbed")
        assert room.recv(timeout=LIMIT) == "undisturbed"
        assert get(served.url).text == "worker"
        served.kill()
        assert "making the start-up snapshot" not in served.text
    with Served(config, data) as served:
        assert get(served.until_ready().url).text == "workes"
        assert get(served.url, "/parties/room/a").json() == ["undisturbed"]
        assert "making the start-up snapshot" not in served.text
    # The way back is there.
    source.write_text(source.read_text().replace('"workes"', '"worker"'))
    with Served(config, data) as served:
        assert get(served.until_ready().url).text == "worker"
        assert "making the start-up snapshot" not in served.text


def test_what_was_built_and_moved_is_served_with_the_secrets_of_a_file(config, served, tmp_path):
    data = served.data
    assert served.stop() == 0
    app, file = tmp_path / "app", tmp_path / "secrets.env"
    command = [sys.executable, "-m", "partyserver", "build", "-c", config, "-o", tmp_path / "new"]
    subprocess.run(command, check=True, cwd=tmp_path)
    (tmp_path / "new").rename(app)
    file.touch(0o600)
    file.write_text(f"TOKEN={SECRET}\n")
    with Served(app, data, "--secrets-file", str(file)) as served:
        assert get(served.until_ready().url).text == "worker"
        assert get(served.url, "/parties/room/secret").text == SECRET
        assert "making the start-up snapshot" not in served.text  # it is the same worker


def test_what_is_not_prepared_is_told(running, tmp_path):
    broken = project(tmp_path / "broken", "import nowhere\n", "Room", name="broken")
    told = prepare(broken, tmp_path / "broken-data", status=1)
    assert "No module named 'nowhere'" in told
    assert "the worker cannot be imported" in told
    other = project(tmp_path / "other", WRITING, "Room", name="served-staging")
    assert "holds the data of the worker 'served'" in prepare(other, running.data, status=1)
    told = prepare(other, tmp_path / "data", "--no-snapshot", status=1)
    assert "--prepare makes the snapshot that --no-snapshot does without" in told
    endless = project(tmp_path / "endless", "while True: pass\n", "Room")
    with Served(endless, tmp_path / "data", "--prepare") as served:
        served.line("making the start-up snapshot")
        served.workerd_soon()
        served.signal()
        assert served.wait() == 1  # or what deploys would go on
    assert "ended by a signal" in served.text
    assert not any((tmp_path / "data" / "snapshots").glob("making-*"))


@pytest.mark.alone
def test_a_restart_from_a_snapshot_takes_a_part_of_a_cold_start(tmp_path):
    config = project(tmp_path / "fresh", WRITING + f"\n# {uuid.uuid4()}", "Room")
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        with Served(config, tmp_path / "data") as served:
            assert get(served.until_ready().url, "/parties/room/a").json() == []
            seconds.append(time.monotonic() - began)
    cold, *warm = seconds
    assert min(warm) < cold / 2
    assert min(warm) < 10  # under 2 s where nothing else runs


def test_the_command_line_is_checked(tmp_path):
    for wrong in (["--port", "x"], ["--port", "70000"], ["--grace", "-1"], ["--health", "here"]):
        command = [sys.executable, "-m", "partyserver", "serve", "--data", str(tmp_path), *wrong]
        said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert said.returncode == 2
        assert f"argument {wrong[0]}: invalid" in said.stderr


def test_who_is_not_served_says_why(tmp_path):
    with (
        pytest.raises(NotServedError, match="has no KEY"),
        Served(ROOT / "wrangler.toml", tmp_path / "data", "--secrets", "KEY") as served,
    ):
        served.until_ready()
