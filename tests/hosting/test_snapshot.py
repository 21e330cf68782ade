"""Snapshots: named by all that they were made of, whole or not used, and few."""

import contextlib
import hashlib
import os
import signal
import stat
import sys
import threading
import time
from dataclasses import replace

import pytest
from partyserver.hosting import snapshot as module
from partyserver.hosting.process import Signals
from partyserver.hosting.program import Program
from partyserver.hosting.snapshot import Snapshots
from partyserver.project.errors import CommandError

CONFIG = 'const config = (modules = ["print(1)"], secret = "hush")'


@pytest.fixture
def snapshots(tmp_path):
    (tmp_path / "snapshots").mkdir()
    return Snapshots(tmp_path / "snapshots")


@pytest.fixture
def program(tmp_path):
    """A stand-in for workerd that makes what its environment says."""
    path = tmp_path / "workerd"
    path.write_text(f"""#!{sys.executable}
import os, sys
[place] = [one.partition("=")[2] for one in sys.argv if one.startswith("--python-snapshot-dir")]
print(os.environ.get("SAYS", ""), file=sys.stderr)
if "CONTENT" in os.environ:
    open(place + "/snapshot.bin", "w").write(os.environ["CONTENT"])
sys.exit(int(os.environ.get("STATUS", "0")))
""")
    path.chmod(0o755)
    return Program(path, "1.20261117.1")


def make(snapshots, key, program, *, use=True, **environ):
    with Signals() as signals:
        return snapshots.make(
            key, program, lambda place: ["config.capnp"], signals, environ, use=use
        )


def test_its_name_tells_all_that_it_was_made_of(snapshots, program, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.write_bytes(b"python")
    keys = [
        snapshots.key(CONFIG, program, None),
        snapshots.key(CONFIG, program, bundle),
        snapshots.key(CONFIG.replace("print", "input"), program, None),
        snapshots.key(CONFIG.replace("hush", "hash"), program, None),
        snapshots.key(CONFIG, replace(program, version="1.20261118.1"), None),
    ]
    program.path.write_text("another")
    keys.append(snapshots.key(CONFIG, program, None))
    bundle.write_bytes(b"pythoN")
    keys.append(snapshots.key(CONFIG, program, bundle))
    assert len(set(keys)) == len(keys)
    assert snapshots.key(CONFIG, program, None) == keys[-2]


def test_a_large_file_is_read_once(snapshots, program, monkeypatch):
    key = snapshots.key(CONFIG, program, None)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_sha256", None)
        assert snapshots.key(CONFIG, program, None) == key
    # One of the same size and time is another all the same.
    status = program.path.stat()
    program.path.write_text(program.path.read_text()[:-1] + "#")
    os.utime(program.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert snapshots.key(CONFIG, program, None) != key


@pytest.mark.parametrize("text", ["", "[]", '{"x": 1}', "null"])
def test_what_was_read_is_read_again_where_the_notes_are_damaged(snapshots, program, text):
    key = snapshots.key(CONFIG, program, None)
    (snapshots.folder / "digests.json").write_text(text)
    assert snapshots.key(CONFIG, program, None) == key


def test_one_that_was_made_is_found(snapshots, program):
    assert snapshots.find("a") is None
    path = make(snapshots, "a", program, CONTENT="memory")
    assert path.read_text() == "memory"
    assert snapshots.find("a") == path
    assert sorted(entry.name for entry in snapshots.folder.iterdir()) == ["a.bin", "a.sha256"]
    for entry in snapshots.folder.iterdir():
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["truncated", "emptied", "changed", "without its hash"])
def test_a_damaged_one_is_never_used(snapshots, program, damage):
    path = make(snapshots, "a", program, CONTENT="memory")
    match damage:
        case "truncated":
            os.truncate(path, 3)
        case "emptied":
            os.truncate(path, 0)
        case "changed":
            path.write_text("memorY")
        case "without its hash":
            path.with_suffix(".sha256").unlink()
    assert snapshots.find("a") is None
    assert not path.exists()


def test_the_one_in_use_and_the_one_before_are_kept(snapshots, program):
    for number, key in enumerate("abc"):
        path = make(snapshots, key, program, CONTENT=key)
        os.utime(path, (number, number))
    assert snapshots.find("a")  # the oldest, which is used again
    snapshots.prune()
    assert {path.name for path in snapshots.folder.iterdir()} == {
        *("a.bin", "a.sha256", "c.bin", "c.sha256"),
    }


def test_what_a_killed_one_has_left_is_removed(snapshots, program):
    left = snapshots.folder / "making-0123"
    left.mkdir()
    (left / "snapshot.bin").write_text("half of it")
    make(snapshots, "a", program, CONTENT="memory")
    assert not left.exists()


def names(snapshots):
    return {path.stem for path in snapshots.folder.glob("*.bin")}


def test_one_for_a_later_start_stays_until_it_is_used(snapshots, program):
    """However often the worker that is served starts again meanwhile."""
    for number, key in enumerate("abc"):
        os.utime(make(snapshots, key, program, CONTENT=key), (number + 1, number + 1))
    snapshots.prune()
    assert names(snapshots) == {"b", "c"}
    make(snapshots, "later", program, use=False, CONTENT="x")
    assert names(snapshots) == {"b", "c", "later"}
    for _ in range(2):
        assert snapshots.find("c")
        snapshots.prune()
        assert names(snapshots) == {"b", "c", "later"}
    # The next takes its place, and the one in use and the one before stay.
    make(snapshots, "latest", program, use=False, CONTENT="x")
    assert names(snapshots) == {"b", "c", "latest"}
    assert snapshots.find("latest", use=False)
    snapshots.prune()
    assert names(snapshots) == {"b", "c", "latest"}
    assert snapshots.find("latest")
    snapshots.prune()
    assert names(snapshots) == {"c", "latest"}


@contextlib.contextmanager
def another_makes(snapshots):
    with snapshots._locked() as is_locked:
        assert is_locked
        yield


def test_who_comes_while_another_makes_it_waits_and_takes_it(snapshots, program):
    made = []
    with another_makes(snapshots):
        ready = threading.Event()

        def wait():
            ready.set()
            made.append(snapshots.make("a", program, None, Waiting(), {}))

        thread = threading.Thread(target=wait)
        thread.start()
        ready.wait(60)
        path = snapshots.folder / "a.bin"
        path.write_text("memory")
        path.with_suffix(".sha256").write_text(hashlib.sha256(b"memory").hexdigest())
    thread.join(60)
    assert made == [path]


class Waiting:
    """Signals of which none comes, for a thread."""

    asked = 0

    def wait(self, timeout):
        time.sleep(timeout)


def test_a_signal_ends_the_waiting_for_another(snapshots, program):
    with another_makes(snapshots), Signals() as signals:
        threading.Timer(0, os.kill, [os.getpid(), signal.SIGTERM]).start()
        assert snapshots.make("a", program, None, signals, {}) is None


def test_nothing_is_removed_while_another_makes_one(snapshots, program):
    for key in "abc":
        make(snapshots, key, program, CONTENT=key)
    (snapshots.folder / "a.bin").write_text("half")
    making = snapshots.folder / "making-0123"
    making.mkdir()
    with another_makes(snapshots):
        assert snapshots.find("a") is None
        snapshots.prune()
        assert names(snapshots) == {"a", "b", "c"}
        assert snapshots.find("b")
        assert making.exists()
    snapshots.prune()
    assert len(names(snapshots)) == 2
    assert not making.exists()


def test_one_that_is_whole_by_the_second_look_is_taken(snapshots, program, monkeypatch):
    """Another process has made it between the two."""
    path = make(snapshots, "a", program, CONTENT="memory")
    looks = [None, path]
    monkeypatch.setattr(snapshots, "_whole", lambda *_: looks.pop(0))
    assert snapshots.find("a") == path


def test_notes_that_cannot_be_written_are_none(snapshots, program, monkeypatch):
    def failing(*_):
        raise FileExistsError

    monkeypatch.setattr(module, "write_private", failing)
    assert snapshots.key(CONFIG, program, None)


TRACEBACK = """\
service main: Uncaught Error: PythonError: Traceback (most recent call last):
  File "/lib/python314.zip/_pyodide/_base.py", line 523, in eval_code
    .run(globals, locals)
     ~~~^^^^^^^^^^^^^^^^^
  File "/session/metadata/worker.py", line 1, in <module>
    import nothere
ModuleNotFoundError: No module named 'nothere'
  at pyodideRuntime-internal:pyodide.asm:1:569154 in new_error
workerd/server/server/worker.rs:468: warning: A DurableObjectNamespace in the config referenced
workerd/server/server/run.rs:642: debug: [ TEST ] partyserver-health"""


@pytest.mark.parametrize(
    ("says", "message"),
    [
        (
            TRACEBACK,
            """\
service main: Uncaught Error: PythonError: Traceback (most recent call last):
  File "/session/metadata/worker.py", line 1, in <module>
    import nothere
ModuleNotFoundError: No module named 'nothere'

partyserver: the worker cannot be imported, as the traceback says""",
        ),
        ("Request for Pyodide bundle failed", "workerd could not download its Python"),
        ("Uncaught Error: Can't serialize top-level variable.", "object of JavaScript in a global"),
        ("", "no start-up snapshot could be made: workerd ended with the status 1"),
    ],
)
def test_why_none_could_be_made(snapshots, program, says, message):
    with pytest.raises(CommandError) as info:
        make(snapshots, "a", program, STATUS="1", CONTENT="memory", SAYS=says)
    assert message in str(info.value)
    assert not any(snapshots.folder.iterdir())


def test_workerd_that_makes_none_is_told(snapshots, program):
    with pytest.raises(CommandError, match="ended with the status 0"):
        make(snapshots, "a", program)


def test_imports_that_do_not_end_are_told(snapshots, program, monkeypatch):
    monkeypatch.setattr(module, "MAKING", 0.01)
    program.path.write_text(f"#!{sys.executable}\nwhile True: pass")
    with pytest.raises(CommandError, match=r"imports do not end within 0\.01 s"):
        make(snapshots, "a", program)
