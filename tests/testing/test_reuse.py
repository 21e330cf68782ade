"""`--party-reuse`: the next run begins with the runtime of the last, and sees nothing of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from partyserver import __version__
from partyserver.testing.keeping import NoSlotError, Slot, lasting
from partyserver.testing.plugin import _own_cache
from partyserver.testing.runtime import Runtime

from ..progress import await_end
from .conftest import BUNDLE, REPOSITORY, Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

WORKER = """
LIVES = []

class Default(Default):
    async def fetch(self, request):
        if "/module" in request.url:
            LIVES.append(1)
            return Response(str(len(LIVES)))
        return await super().fetch(request)
"""

TEST = """
def test_it(party, request):
    room = party.room("Echo", "a")
    runtime = party._runtime
    print("node", runtime._process.pid, "module", party.fetch("/module").text, flush=True)
    print("ready in", runtime.start_seconds)
    assert room.fetch("/").json() == ["fetch"]
    room.fetch("/alarm-in-an-hour")
    socket = room.connect()
    socket.send("a")
    assert socket.receive() == "1 a"
"""

READY = re.compile(r"^ready in (\S+)$", re.MULTILINE)


@pytest.fixture
def kept(project: Project):
    """The project, whose runtimes are ended with the test."""
    with (project.folder / "worker.py").open("a") as worker:
        worker.write(WORKER)
    project.write(test_it=TEST)
    yield project
    end_all(project)


def end_all(project: Project) -> None:
    for control in controls(project):
        pid = json.loads(control.read_text())["pid"]
        control.unlink()  # which ends what waits
        await_end([pid])


def controls(project: Project) -> list[Path]:
    return list((project.folder / ".pytest_cache" / "d" / "partyserver").glob("*.json"))


def runs(project: Project, *options: str, **environment: str) -> tuple[int, int, str]:
    """The process that had the runtime, how often its module was asked, and what pytest said."""
    result = project.run("-sv", "--party-reuse", *options, **environment)
    said = re.search(r"node (\d+) module (\d+)", result.stdout)
    assert said, result.stdout + result.stderr
    assert "1 passed" in result.stdout, result.stdout
    return int(said[1]), int(said[2]), result.stdout


def processes(leader: int) -> list[int]:
    """What runs in the group of the runtime's Node process."""
    found = []
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        try:
            if os.getpgid(pid) == leader:
                found.append(pid)
        except ProcessLookupError:
            continue
    return found


def test_the_next_run_has_the_same_runtime_with_nothing_in_it(kept: Project) -> None:
    node, asked, output = runs(kept)
    assert "started in" in output
    assert asked == 1
    [start] = READY.findall(output)
    ready = []
    [control] = controls(kept)
    assert stat.S_IMODE(control.stat().st_mode) == 0o600
    for attempt in range(2, 4):
        # The test itself expects the storage to be empty, and a socket to be the room's first.
        again, asked, output = runs(kept)
        assert (again, asked) == (node, attempt), "module state lives on"
        assert re.search(r"partyserver: the worker of \S+ ran already, ready in \d+\.\d s ", output)
        ready += READY.findall(output)
        refuse_strangers(json.loads(control.read_text())["port"])
    # Both take longer on a machine with other work.
    assert min(map(float, ready)) < float(start) / 4
    # Without the option, a run has its own, and ends it.
    result = kept.run("-sv", "--party-reuse", "--no-party-reuse")
    assert "started in" in result.stdout
    assert f"node {node} " not in result.stdout
    everything = processes(node)
    assert len(everything) >= 2, "node and workerd"
    storage = Path(json.loads(control.read_text())["folder"])
    assert storage.is_dir()
    shutil.rmtree(kept.folder)
    await_end(everything)
    assert not storage.exists()


def refuse_strangers(port: int) -> None:
    """What does not know the secret learns nothing, and does no harm."""
    for guess in (b"0" * 64, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 64):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as stranger:
            stranger.sendall(guess)
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""


def test_it_is_used_only_as_it_was_started_and_not_after_an_interrupt(kept: Project) -> None:
    with (kept.folder / "pytest.ini").open("a") as ini:
        ini.write("\nparty_reuse = true\n")
    first = kept.run("-s")
    node = int(re.search(r"node (\d+)", first.stdout)[1])
    slot = Slot.take(controls(kept)[0].parent, [kept.folder / "wrangler.toml"])
    waiting = slot.find()
    runtime = Runtime(waiting, waiting.folder)
    assert waiting.pid == node

    settings = {
        "party_config": [str(kept.folder / "wrangler.toml")],
        "party_env": None,
        "party_vars": {"FROM_INI": "from the ini file"},
        "party_pyodide_bundle": str(BUNDLE),
        "wrangler": str(kept.folder / "node_modules" / "wrangler" / "package.json"),
    }
    environment = lasting(kept.environment)

    def adopt(environment=environment, **changed):
        known = settings | {"the version of partyserver": __version__} | changed
        identity = {"settings": known, "environment": environment}
        return runtime._command("adopt", identity=identity)

    assert "url" in adopt()
    assert adopt(party_env="staging") == {"why": "party_env has changed"}
    assert adopt(party_vars={}) == {"why": "party_vars has changed"}
    assert adopt(environment | {"CLOUDFLARE_ENV": "x"}) == {
        "why": "CLOUDFLARE_ENV has changed in the environment"
    }
    (kept.folder / ".dev.vars").write_text("SECRET=1\n")
    assert adopt() == {"why": ".dev.vars has changed"}
    (kept.folder / ".dev.vars").unlink()
    assert "url" in adopt()
    runtime._slot = slot
    runtime.keep()

    project_test = "\n    raise KeyboardInterrupt\n"
    kept.write(test_it=TEST + project_test)
    everything = processes(node)
    assert len(everything) >= 2
    interrupted = kept.run("-s")
    assert f"node {node} " in interrupted.stdout, "another test is not another worker"
    assert interrupted.returncode == pytest.ExitCode.INTERRUPTED
    await_end(everything)
    assert not controls(kept)


def test_two_runs_at_once_do_not_share_it_and_a_killed_run_leaves_none(kept: Project) -> None:
    node, _, _ = runs(kept)
    kept.write(test_wait="import time\n" + TEST + "    time.sleep(600)\n")
    with kept.start("-s", "--party-reuse", "test_wait.py") as session:
        assert session.stdout
        for line in session.stdout:
            if "node" in line:
                break
        assert f"node {node} " in line
        other, asked, said = runs(kept, "test_it.py")
        assert "wrangler.toml is not kept for the next run: another run has the one" in said
        assert (other != node, asked) == (True, 1)
        await_end([other])  # what does not have the slot is not kept
        everything = processes(node)
        session.kill()
        session.wait(120)
    await_end(everything)


def test_a_run_that_is_killed_while_something_is_on_its_way_to_it_leaves_none(
    kept: Project,
) -> None:
    node, _, _ = runs(kept)
    [control] = controls(kept)
    known = json.loads(control.read_text())
    everything = processes(node)
    with socket.create_connection(("127.0.0.1", known["port"]), timeout=60) as run:
        run.sendall(known["secret"].encode())
        assert run.makefile().readline() == f"{known['proof']}\n"
        # Closed as a process is that has not read everything: without the end of a stream.
        run.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await_end(everything)
    assert not control.exists()


def test_what_a_run_has_not_waited_for_is_no_answer_to_the_next(kept: Project) -> None:
    runs(kept)
    slot = Slot.take(controls(kept)[0].parent, [kept.folder / "wrangler.toml"])

    def begin() -> Runtime:
        waiting = slot.find()
        assert waiting
        return Runtime(waiting, waiting.folder)

    first, second = begin(), None
    try:
        for _ in range(3):
            first.flush()
        first._slot = slot
        late = first._send("restart")
        first.keep()
        assert not late.done() or late.exception()
        slot = Slot.take(controls(kept)[0].parent, [kept.folder / "wrangler.toml"])
        second = begin()
        # It restarts when the first has: the late answer came before.
        second.restart()
        for _ in range(5):
            second.flush()
    finally:
        for runtime in filter(None, (first, second)):
            runtime.stop()


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_what_waits(kept: Project, sent: signal.Signals) -> None:
    kept.write(test_it="def test_it(party):\n    print('node', party._runtime._process.pid)\n")
    (kept.folder / "wrangler.toml").write_text(
        'name = "a"\nmain = "a.js"\ncompatibility_date = "2026-11-17"\n'
    )
    (kept.folder / "a.js").write_text("export default {};\n")
    node = int(re.search(r"node (\d+)", kept.run("-s", "--party-reuse").stdout)[1])
    everything = processes(node)
    assert len(everything) >= 2
    os.kill(node, sent)
    await_end(everything)
    assert not controls(kept)


def test_what_was_killed_while_it_waits_leaves_nothing_running(kept: Project) -> None:
    """As by a system that is out of memory; no other run needs to come."""
    node, _, _ = runs(kept)
    [control] = controls(kept)
    everything = processes(node)
    os.kill(node, signal.SIGKILL)
    await_end(everything)
    assert not Path(json.loads(control.read_text())["folder"]).exists()


def test_a_reused_runtime_that_is_killed_is_missed_at_once(kept: Project) -> None:
    runs(kept)
    kept.write(test_it=KILLED)
    assert "1 passed" in kept.run("--party-reuse").stdout


KILLED = """
import os, signal
import pytest
from partyserver.testing import RuntimeLostError

def test_it(party):
    runtime = party._runtime
    assert runtime.is_reused
    os.kill(runtime._process.pid, signal.SIGKILL)
    runtime._readers[0].join(60)
    with pytest.raises(RuntimeLostError, match="has ended"):
        runtime.flush()
"""


def test_what_has_the_port_of_a_runtime_and_talks_on_is_not_listened_to(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            stranger, _ = server.accept()
            with stranger, contextlib.suppress(OSError):
                while True:
                    stranger.sendall(b"x" * 1000)

        talking = threading.Thread(target=talk)
        talking.start()
        control = {"pid": 2**22, "port": server.getsockname()[1], "folder": str(tmp_path)}
        slot = Slot.take(tmp_path, [])
        slot.control.write_text(json.dumps(control | {"secret": "a", "proof": "b"}))
        assert slot.find() is None
        talking.join()
        slot.release()


def test_what_was_killed_hangs_or_has_changed_is_replaced_and_idles_for_its_time(
    kept: Project,
) -> None:
    first, _, _ = runs(kept)
    everything = processes(first)
    os.kill(first, signal.SIGKILL)
    second, asked, _ = runs(kept)
    assert asked == 1
    await_end(everything)
    everything = processes(second)
    os.kill(second, signal.SIGSTOP)
    with (kept.folder / "worker.py").open("a") as worker:
        worker.write("# changed\n")
    third, asked, _ = runs(kept)
    assert asked == 1
    await_end(everything)
    with (kept.folder / "worker.py").open("a") as worker:
        worker.write("# changed\n")
    fourth, asked, output = runs(kept, "-o", "party_reuse_idle=1")
    assert asked == 1
    assert "worker.py has changed" in output
    await_end([third, fourth])
    assert not controls(kept)


FILES = """
import { differences, look } from "FILES";
import { readFileSync } from "node:fs";
const [worker, served] = process.argv.slice(1);
const lookAtAll = () => look([worker, served], new Set([served]));
let before = lookAtAll();
console.log("ready");
for await (const _ of process.stdin) {
  const now = lookAtAll();
  console.log(JSON.stringify(differences(before, now)));
  before = now;
}
"""


def test_every_file_of_a_worker_counts_and_no_other(tmp_path: Path) -> None:
    (tmp_path / ".served").mkdir()  # beside the worker's, of which none is hidden
    script = FILES.replace("FILES", str(REPOSITORY / "src/partyserver/testing/files.mjs"))
    node = REPOSITORY / "node_modules" / ".bin" / "node"
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "nowhere.py").symlink_to("nothing")
    with subprocess.Popen(
        [node, "--input-type=module", "-e", script, tmp_path, tmp_path / ".served"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as looking:
        assert looking.stdout.readline() == "ready\n"

        def changed(name: str) -> list[str]:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"import imported_test  # {name}\n")
            return difference()

        def difference() -> list[str]:
            looking.stdin.write("look\n")
            looking.stdin.flush()
            return [os.path.relpath(one, tmp_path) for one in json.loads(looking.stdout.readline())]

        for name in (
            *("worker.py", "a.sql", "deep/er/b.py", "imported_test.py", ".dev.vars", ".env"),
            *("python_modules/a/a_test.py", "python_modules/a-1.dist-info/RECORD"),
            *(".served/.well-known/a", ".served/.assetsignore", ".served/test_a.py"),
        ):
            assert changed(name) == [name]
        for name in (
            *(".coverage", ".git/HEAD", "node_modules/a.js", "__pycache__/a.pyc", "a.pyc"),
            *("test_it.py", "it_test.py", "conftest.py", "env/pyvenv.cfg", "env/lib/a.py"),
        ):
            assert changed(name) == [], name
        times = (tmp_path / "worker.py").stat()
        (tmp_path / "worker.py").write_text("import imported_test  # WORKER.py\n")
        os.utime(tmp_path / "worker.py", ns=(times.st_atime_ns, times.st_mtime_ns))
        assert difference() == ["worker.py"]
        (tmp_path / "a.sql").unlink()
        assert difference() == ["a.sql"]


ORIGIN = """
import { Origin } from "FOLDER/origin.mjs";
import { writeFileSync } from "node:fs";
const [wranglerPackage, folder] = process.argv.slice(1);
const config = `${folder}/wrangler.toml`;
const outdated = (time, name) => {
  const origin = new Origin({ settings: {}, environment: {}, wranglerPackage });
  const assets = { directory: "public" };
  origin.watch(config, { main: "a_test.py", assets, build: { command: "a" } });
  const at = (now) => {
    if (now === time) writeFileSync(`${folder}/${name}`, time);
    for (const began = Date.now(); Date.now() < began + 50; ); // the times of files are coarse
  };
  at("before");
  origin.startsNow();
  at("build");
  origin.isRead(config);
  at("reading");
  origin.isMadeOf(config, ["bundled.js", ".wrangler/tmp/wranglers.js"]);
  at("start");
  origin.hasStarted();
  return origin.keepsNot();
};
const times = ["before", "build", "reading", "start"];
const files = ["wrangler.toml", "a_test.py", "public/.assetsignore", "bundled.js"];
for (const name of [...files, ".wrangler/tmp/wranglers.js"]) {
  const told = `${name} has changed while it started`;
  console.log(name, ...times.map((time) => outdated(time, name)?.endsWith(told) ?? false));
}
"""


def test_what_changes_while_the_worker_starts_may_be_in_the_runtime_or_not(tmp_path: Path) -> None:
    """All but what a build command writes, which is there before wrangler reads it."""
    for folder in ("public", ".wrangler/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    script = ORIGIN.replace("FOLDER", str(REPOSITORY / "src/partyserver/testing"))
    node = REPOSITORY / "node_modules" / ".bin" / "node"
    wrangler = REPOSITORY / "node_modules" / "wrangler" / "package.json"
    command = [str(node), "--input-type=module", "-e", script, str(wrangler), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "wrangler.toml false true true true",
        "a_test.py false false true true",
        "public/.assetsignore false false true true",
        "bundled.js false false true true",
        ".wrangler/tmp/wranglers.js false false false false",
    ]


def test_a_worker_with_a_build_command_and_one_in_javascript_are_kept_too(kept: Project) -> None:
    (kept.folder / "src").mkdir()
    with (kept.folder / "wrangler.toml").open("a") as config:
        config.write('\n[build]\ncommand = "date +%N > src/built; date +%N > built.py"\n')
    node, _, _ = runs(kept)
    assert runs(kept)[:2] == (node, 2)
    end_all(kept)
    (kept.folder / "wrangler.toml").write_text(
        'name = "a"\nmain = "src/a.js"\ncompatibility_date = "2026-11-17"\n'
    )
    (kept.folder / "lib").mkdir()
    (kept.folder / "lib/b.js").write_text('export const b = "b";\n')
    (kept.folder / "src/a.js").write_text(
        'import { b } from "../lib/b.js";\nexport default { fetch: () => new Response(b) };\n'
    )
    kept.write(test_it='def test_it(party):\n    print("says", party.fetch("/").text)\n')
    for said in ("started in", "ran already"):
        assert said in kept.run("-v", "--party-reuse").stdout
    (kept.folder / "lib/b.js").write_text('export const b = "changed";\n')
    output = kept.run("-sv", "--party-reuse").stdout
    assert "says changed" in output
    assert "lib/b.js has changed" in output


def test_each_process_of_xdist_keeps_its_own(kept: Project) -> None:
    kept.write(test_it=TEST + TEST.replace("test_it", "test_again"))
    for said in ("started in", "ran already"):
        result = kept.run("-p", "xdist", "-n2", "-v", "--party-reuse")
        assert "2 passed" in result.stdout, result.stdout + result.stderr
        assert len(re.findall(f"partyserver: the worker of .* {said}", result.stdout)) == 2
    assert len(controls(kept)) == 2


def test_the_folder_of_the_slots_may_be_made_by_another_process_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _own_cache(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", lambda self: False)  # as it was a moment ago
        assert _own_cache(tmp_path) == folder
    assert folder.is_dir()


def test_what_cannot_be_kept_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.folder / ".pytest_cache").write_text("a file, where a folder would be made")
    project.write(
        test_it="""
            def test_it(party):
                assert party.fetch("/vars").status_code == 200
        """.replace("\n            ", "\n")
    )
    assert "is not kept" not in project.run().stdout
    done = project.run("--party-reuse")
    assert "1 passed" in done.stdout
    assert re.search(r"toml is not kept for the next run: \S+ cannot be written to: ", done.stdout)
    assert "is not kept" not in project.run("-q", "--party-reuse").stdout
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NoSlotError, match="not possible on Windows"):
        Slot.take(project.folder, [])


def test_what_passes_is_not_of_the_environment() -> None:
    assert lasting({"PWD": "/", "PYTEST_CURRENT_TEST": "x", "TEST_RUN_PIPE": "y", "PATH": "z"}) == {
        "PATH": "z"
    }


def test_a_time_that_is_none(project: Project) -> None:
    result = project.run("-o", "party_reuse_idle=soon")
    assert result.stderr == "ERROR: party_reuse_idle: 'soon' is not a number of seconds\n\n"
